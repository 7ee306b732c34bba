"""What a run may see before a day, by plain loops over the record."""

from collections import defaultdict
from datetime import date

from analytics.ml.satisfaction import RATING_KINDS
from customers.enums import COUNTED_ORDER_STATUSES
from customers.models import Customer, Order, Refund, Review, SurveyResponse, Ticket

EPOCH = date(1970, 1, 1)


def number(day):
    return (day - EPOCH).days


def reference_days(as_of, zone):
    """Return sorted rows of each kind."""
    return {
        **_money(as_of, zone),
        "ratings": _ratings(as_of, zone),
        "deliveries": _deliveries(as_of, zone),
        "operations": _operations(as_of, zone),
        "customers": sorted(Customer.objects.values_list("pk", flat=True)),
    }


def _local(moment, zone):
    return moment.astimezone(zone).date()


def _money(as_of, zone):
    bought, back = defaultdict(int), defaultdict(int)
    for order in Order.objects.filter(placed_day__lt=as_of, total_shop__isnull=False):
        is_cancelled = order.status == "cancelled"
        if is_cancelled and not (order.paid_at and _local(order.paid_at, zone) < as_of):
            continue
        if not is_cancelled and order.status not in COUNTED_ORDER_STATUSES:
            continue
        bought[order.customer_id, number(order.placed_day)] += order.total_shop
        paid = _local(order.paid_at, zone) if is_cancelled else order.placed_day
        seen = max(order.placed_day, paid)
        refunds = Refund.objects.filter(order=order)
        for refund in refunds:
            known = max(refund.refunded_day, seen)
            if known < as_of:
                row = (order.customer_id, number(order.placed_day), number(known))
                back[row] += refund.amount_shop
        left = order.total_shop - sum(refund.amount_shop for refund in refunds)
        if is_cancelled and left > 0:
            known = max(_local(order.cancelled_at, zone), seen)
            if known < as_of:
                back[order.customer_id, number(order.placed_day), number(known)] += left
    for refund in Refund.objects.filter(order=None, refunded_day__lt=as_of):
        day = number(refund.refunded_day)
        back[refund.customer_id, day, day] += refund.amount_shop
    return {
        "purchases": sorted((*row, float(amount)) for row, amount in bought.items()),
        "refunds": sorted((*row, float(amount)) for row, amount in back.items()),
    }


def _ratings(as_of, zone):
    review, nps = RATING_KINDS.index("review"), RATING_KINDS.index("nps")
    said = [(r.customer_id, r.written_at, (r.rating - 1) / 4, review) for r in Review.objects.all()]
    said += [
        (a.customer_id, a.answered_at, a.value / 10, nps) for a in SurveyResponse.objects.all()
    ]
    return sorted(
        (who, number(_local(at, zone)), score, kind)
        for who, at, score, kind in said
        if _local(at, zone) < as_of
    )


def _deliveries(as_of, zone):
    return sorted(
        (
            order.customer_id,
            number(_local(order.delivered_at, zone)),
            (order.delivered_at - order.promised_at).total_seconds() / 86400,
        )
        for order in Order.objects.filter(delivered_at__isnull=False)
        if order.status in COUNTED_ORDER_STATUSES and _local(order.delivered_at, zone) < as_of
    )


def _operations(as_of, zone):
    done = defaultdict(lambda: [0, 0, 0])
    for order in Order.objects.filter(status__in=COUNTED_ORDER_STATUSES, placed_day__lt=as_of):
        done[order.customer_id, number(order.placed_day)][0] += 1
        days = [refund.refunded_day for refund in Refund.objects.filter(order=order)]
        if days and max(min(days), order.placed_day) < as_of:
            done[order.customer_id, number(max(min(days), order.placed_day))][1] += 1
    for ticket in Ticket.objects.all():
        if _local(ticket.opened_at, zone) < as_of:
            done[ticket.customer_id, number(_local(ticket.opened_at, zone))][2] += 1
    return sorted((*who, *counts) for who, counts in done.items())
