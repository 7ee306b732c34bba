"""Who bought when: net purchase days, the retention of cohorts, new and returning buyers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from django.db import connection
from django.db.models import Sum

from analytics.enums import Step
from analytics.models import ActivityCount, ActivityMark
from analytics.selectors.wording.numbers import EPOCH

# A purchase day is one on which more was bought than came back. Most customers returned nothing.
NET_DAYS = """
SELECT CASE WHEN d.back_of = '{}' THEN d.bought_on ELSE ARRAY(
    SELECT day FROM (
        SELECT day, amount FROM unnest(d.bought_on, d.bought) b(day, amount)
        UNION ALL SELECT day, -amount FROM unnest(d.back_of, d.back) r(day, amount)
    ) moved GROUP BY day HAVING sum(amount) > 0.00001 ORDER BY day
) END AS days OFFSET 0
"""
# An index of the table holds it: a new first day is written with the row.
FIRST_BOUGHT = """
SELECT d.customer_id FROM customers_customerdays d
WHERE customers_first_net_day(d.bought_on, d.bought, d.back_of, d.back) BETWEEN %s AND %s
"""
BOUGHT = f"""
SELECT d.customer_id FROM customers_customerdays d CROSS JOIN LATERAL ({NET_DAYS}) n
WHERE d.bought_on[1] <= %s AND d.bought_on[cardinality(d.bought_on)] >= %s
    AND EXISTS (SELECT FROM unnest(n.days) u(day) WHERE u.day BETWEEN %s AND %s)
"""  # noqa: S608 - a constant
ANSWERED = """
SELECT d.customer_id FROM customers_customerdays d
WHERE d.answered_on <> '{}' AND d.answered_on[1] <= %s
    AND EXISTS (SELECT FROM unnest(d.answered_on) u(day) WHERE u.day BETWEEN %s AND %s)
"""


@dataclass(frozen=True)
class Cohort:
    """Customers by the month of their first purchase: how many, and who bought again when.

    ``bought`` counts those who bought in each month from the first on; the first is all of them.
    """

    month: date
    bought: list[int]

    @property
    def size(self) -> int:
        return self.bought[0]


@dataclass(frozen=True)
class Buyers:
    """Customers who bought in a span of days for the first time, and who had bought before."""

    starts_on: date
    ends_before: date
    new: int
    returning: int


@dataclass(frozen=True)
class Answers:
    """What customers answered in a month, on 0–100; ``error`` is the mean's standard error."""

    month: date
    count: int
    customers: int
    mean: float | None
    error: float | None


def activity_mark() -> ActivityMark | None:
    """Return when buyers were last counted."""
    return ActivityMark.objects.filter(pk=1).first()


def cohorts(*, months: Sequence[date], source_id: int | None) -> list[Cohort]:
    """Return the cohorts of these months, each with as many figures as months are left.

    ``months`` are first days in order, the end of the last one behind them.
    """
    found: dict[tuple[date | None, date], int] = _counts(Step.MONTH, months, source_id)
    return [
        Cohort(month, [found.get((month, later), 0) for later in months[place:-1]])
        for place, month in enumerate(months[:-1])
    ]


def new_and_returning(*, step: str, starts: Sequence[date], source_id: int | None) -> list[Buyers]:
    """Return buyers by week or month; ``starts`` as for ``cohorts``."""
    found = _counts(Step(step), starts, source_id)
    shown = []
    for start, end in pairwise(starts):
        new = found.get((start, start), 0)
        rest = sum(
            count for (began, bought), count in found.items() if bought == start and began != start
        )
        shown.append(Buyers(start, end, new, rest))
    return shown


def _counts(
    step: Step, starts: Sequence[date], source_id: int | None
) -> dict[tuple[date | None, date], int]:
    rows = ActivityCount.objects.filter(
        step=step, starts_on__gte=starts[0], starts_on__lt=starts[-1]
    )
    if source_id is not None:
        rows = rows.filter(source_id=source_id)
    summed = rows.values_list("began_on", "starts_on").annotate(n=Sum("customers"))
    return {(began, bought): count for began, bought, count in summed}


def answers_by_month(*, months: Sequence[date], source_id: int | None) -> list[Answers]:
    """Return what customers answered in these months: reviews and surveys, brought to 0–100."""
    edges = [day_number(day) for day in months]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(u.day, %(edges)s::int[]), count(*),"
            " count(DISTINCT d.customer_id), avg(100 * u.score), stddev_samp(100 * u.score)"
            " FROM customers_customerdays d JOIN customers_customer c ON c.id = d.customer_id,"
            " unnest(d.answered_on, d.answered) u(day, score)"
            " WHERE d.answered_on <> '{}' AND u.day >= %(first)s AND u.day < %(end)s"
            " AND (%(source)s::bigint IS NULL OR c.source_id = %(source)s) GROUP BY 1",
            {"edges": edges, "first": edges[0], "end": edges[-1], "source": source_id},
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    shown = []
    for place, month in enumerate(months[:-1], start=1):
        count, customers, mean, spread = found.get(place, (0, 0, None, None))
        error = None if spread is None else float(spread) / count**0.5
        shown.append(Answers(month, count, customers, mean, error))
    return shown


def day_number(day: date) -> int:
    """Return a day as ``CustomerDays`` counts them."""
    return (day - EPOCH).days


def span_value(first: date, before: date) -> str:
    """Write a span of days as the list's filters read it: both ends belong to it."""
    return f"{first.isoformat()}..{(before - timedelta(days=1)).isoformat()}"


def read_span(text: str) -> tuple[date, date] | None:
    """Read what ``span_value`` wrote; None where it is no span."""
    first, dots, last = text.partition("..")
    try:
        return (date.fromisoformat(first), date.fromisoformat(last)) if dots else None
    except ValueError:
        return None
