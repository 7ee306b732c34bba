"""Revenue over time."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncWeek

from customers.models import Order, Refund


@dataclass(frozen=True)
class Week:
    """A week from Monday: net revenue, orders, and the revenue 52 weeks before where known."""

    monday: date
    revenue: Decimal
    orders: int
    year_before: Decimal | None

    @property
    def last_day(self) -> date:
        return self.monday + timedelta(days=6)


def revenue_by_week(*, until: date, weeks: int = 26) -> list[Week]:
    """Return the last weeks up to ``until``, empty ones included, in two queries.

    Refunds of an order are taken off its own week; those that found no order off the week they
    were made in.
    """
    last = until - timedelta(days=until.weekday())
    first = last - timedelta(weeks=weeks - 1)
    rows = (
        Order.objects.counted()
        .filter(placed_day__gte=first - timedelta(weeks=52), placed_day__lte=until)
        .annotate(monday=TruncWeek("placed_day"))
        .values("monday")
        .annotate(revenue=Sum(F("total_shop") - F("refunded_shop")), orders=Count("pk"))
    )
    loose = (
        Refund.objects.filter(order__isnull=True, amount_shop__isnull=False)
        .filter(refunded_day__gte=first - timedelta(weeks=52), refunded_day__lte=until)
        .annotate(monday=TruncWeek("refunded_day"))
        .values_list("monday")
        .annotate(amount=Sum("amount_shop"))
    )
    found = {row["monday"]: (row["revenue"], row["orders"]) for row in rows}
    for monday, amount in loose:
        revenue, orders = found.get(monday, (Decimal(0), 0))
        found[monday] = (revenue - amount, orders)
    days = [first + timedelta(weeks=number) for number in range(weeks)]
    return [
        Week(
            day,
            *found.get(day, (Decimal(0), 0)),
            found.get(day - timedelta(weeks=52), (None, 0))[0],
        )
        for day in days
    ]
