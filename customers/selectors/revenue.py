"""Revenue over time."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncWeek

from customers.models import Order, Refund

YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class Week:
    """A week from Monday: net revenue and orders, and those of 52 weeks before where known."""

    monday: date
    revenue: Decimal
    orders: int
    year_before: Decimal | None
    orders_before: int | None = None

    @property
    def last_day(self) -> date:
        return self.monday + timedelta(days=6)


def revenue_by_week(*, until: date, weeks: int = 26, source_id: int | None = None) -> list[Week]:
    """Return the last weeks up to ``until``, empty ones included, in two queries.

    Refunds of an order are taken off its own week; those that found no order off the week they
    were made in. Of the running week a year before, as many days as of this one.
    """
    last = until - timedelta(days=until.weekday())
    first = last - timedelta(weeks=weeks - 1)
    orders, refunds = Order.objects.counted(), Refund.objects.filter(order__isnull=True)
    if source_id is not None:
        orders, refunds = orders.filter(source_id=source_id), refunds.filter(source_id=source_id)
    rows = (
        orders.filter(_within("placed_day", first, until))
        .annotate(monday=TruncWeek("placed_day"))
        .values("monday")
        .annotate(revenue=Sum(F("total_shop") - F("refunded_shop")), orders=Count("pk"))
    )
    loose = (
        refunds.filter(_within("refunded_day", first, until), amount_shop__isnull=False)
        .annotate(monday=TruncWeek("refunded_day"))
        .values_list("monday")
        .annotate(amount=Sum("amount_shop"))
    )
    found = {row["monday"]: (row["revenue"], row["orders"]) for row in rows}
    for monday, amount in loose:
        revenue, count = found.get(monday, (Decimal(0), 0))
        found[monday] = (revenue - amount, count)
    days = [first + timedelta(weeks=number) for number in range(weeks)]
    return [
        Week(day, *found.get(day, (Decimal(0), 0)), *found.get(day - YEAR, (None, None)))
        for day in days
    ]


def _within(name: str, first: date, until: date) -> Q:
    """Keep the days of the period, and the same days 52 weeks before."""
    now = Q(**{f"{name}__gte": first, f"{name}__lte": until})
    return now | Q(**{f"{name}__gte": first - YEAR, f"{name}__lte": until - YEAR})
