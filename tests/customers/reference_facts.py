"""The customer facts once more, slowly and in plain Python: what the statement is held against."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from customers.enums import COUNTED_ORDER_STATUSES, LineKind, OrderStatus, TicketState
from customers.models import (
    Customer,
    ExchangeRate,
    Order,
    OrderLine,
    Refund,
    Review,
    ShopSettings,
    SurveyResponse,
    Ticket,
)

CENT = Decimal("0.0001")
DAY = timedelta(days=1)


def reference_facts(customer: Customer, *, as_of: date, zone: str, window: int) -> dict:
    """Recompute one customer's facts by loops over rows."""
    moment = datetime.combine(as_of, time(), ZoneInfo(zone))
    orders = [o for o in Order.objects.filter(customer=customer) if not o.is_test]
    before = [o for o in orders if o.placed_day < as_of]
    paid = [o for o in before if o.status in COUNTED_ORDER_STATUSES]
    counted = [o for o in paid if o.total_shop is not None]
    kept = [o for o in counted if o.total_shop > o.refunded_shop]
    loose = [
        r
        for r in Refund.objects.filter(customer=customer, order=None)
        if r.amount_shop is not None and r.refunded_day < as_of
    ]

    def spend(first: date) -> Decimal:
        nets = sum(o.total_shop - o.refunded_shop for o in counted if o.placed_day >= first)
        return nets - sum(r.amount_shop for r in loose if r.refunded_day >= first)

    facts = {
        "order_count": len(kept),
        "occasion_count": len({o.placed_day for o in kept}),
        "cancelled_count": sum(o.status == OrderStatus.CANCELLED for o in before),
        "unscored_count": sum(o.total_shop is None for o in paid),
        "gross_spend": sum((o.total_shop for o in counted), Decimal(0)),
        "refund_total": sum((o.refunded_shop for o in counted), Decimal(0))
        + sum(r.amount_shop for r in loose),
        "total_spend": spend(date.min),
        "provisional_spend": sum(
            o.total_shop - o.refunded_shop for o in counted if o.placed_day >= as_of - window * DAY
        ),
        "refund_count": len(loose)
        + sum(
            r.refunded_day < as_of and r.amount_shop is not None
            for o in counted
            for r in o.refunds.all()
        ),
        "first_order_at": min((o.placed_at for o in kept), default=None),
        "last_order_at": max((o.placed_at for o in kept), default=None),
        "first_order_day": min((o.placed_day for o in kept), default=None),
        "last_order_day": max((o.placed_day for o in kept), default=None),
    }
    for days in (30, 90, 365):
        first = as_of - days * DAY
        facts[f"orders_{days}d"] = sum(o.placed_day >= first for o in kept)
        facts[f"spend_{days}d"] = spend(first)
    delays = [
        Decimal((o.delivered_at - o.promised_at) / timedelta(microseconds=1))
        for o in counted
        if o.delivered_at and o.promised_at and o.delivered_at < moment
    ]
    facts["late_delivery_count"] = sum(delay > 0 for delay in delays)
    facts["delivery_delay_days"] = (
        float(sum(delays) / len(delays) / 86_400_000_000) if delays else None
    )
    return facts | _goods(counted, kept, loose) | _voice(customer, moment)


def _goods(counted: list[Order], kept: list[Order], loose: list[Refund]) -> dict:
    items, products, is_known = 0, set(), bool(kept)
    margin = -sum((r.amount_shop for r in loose), Decimal(0))
    for order in counted:
        margin += order.total_shop - order.refunded_shop
        fees = (order.platform_fee + order.shipping_cost) * order.exchange_rate
        margin -= fees.quantize(CENT, ROUND_HALF_UP)
        lines = [line for line in order.lines.all() if line.kind == LineKind.PRODUCT]
        is_kept = order in kept
        is_known &= bool(lines) or not is_kept
        for line in lines:
            quantity = line.quantity - line.refunded_quantity
            if is_kept:
                items += quantity
                products |= {line.product_id} if quantity > 0 else set()
            rate = _cost_rate(line, order)
            if line.unit_cost is not None and rate is not None:
                margin -= quantity * line.unit_cost * rate
            elif quantity:
                is_known = False
    return {
        "item_count": items,
        "product_count": len(products),
        "margin": margin.quantize(CENT, ROUND_HALF_UP) if is_known else None,
    }


def _cost_rate(line: OrderLine, order: Order) -> Decimal | None:
    shop = ShopSettings.objects.get().currency
    if line.cost_currency in ("", shop):
        return Decimal(1)
    if line.cost_currency == order.currency:
        return order.exchange_rate
    rates = ExchangeRate.objects.filter(currency=line.cost_currency, shop_currency=shop)
    return rates.filter(day=order.placed_day).values_list("rate", flat=True).first()


def _voice(customer: Customer, moment: datetime) -> dict:
    reviews = [r for r in Review.objects.filter(customer=customer) if r.written_at < moment]
    ratings = [r.rating for r in reviews if r.rating is not None]
    answers = SurveyResponse.objects.filter(customer=customer)
    tickets = [t for t in Ticket.objects.filter(customer=customer) if t.opened_at < moment]
    states = defaultdict(int)
    for ticket in tickets:
        states[ticket.state] += 1
    return {
        "review_count": len(reviews),
        "rating_mean": sum(ratings) / len(ratings) if ratings else None,
        "survey_count": sum(answer.answered_at < moment for answer in answers),
        "ticket_count": len(tickets),
        "open_ticket_count": len(tickets) - states[TicketState.CLOSED],
    }
