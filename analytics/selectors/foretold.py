"""What was foretold some time ago, held against what came."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, OuterRef

from analytics.models import ScoreSnapshot, ScoringRun
from customers.enums import COUNTED_ORDER_STATUSES

LEAST_ORIGINS = 2
"""From so many windows of a backtest on, their misses make a range."""

_CAME = """
SELECT count(*), sum(s.predicted_clv), sum(o.spent),
    count(s.churn_probability), sum(s.churn_probability),
    count(*) FILTER (WHERE s.churn_probability IS NOT NULL AND o.customer_id IS NULL)
FROM analytics_scoresnapshot s
LEFT JOIN (
    SELECT customer_id, sum(total_shop - refunded_shop) AS spent FROM customers_order
    WHERE placed_day >= %(first)s AND placed_day < %(end)s AND NOT is_test
        AND status = ANY(%(counted)s) AND total_shop IS NOT NULL AND customer_id IS NOT NULL
    GROUP BY 1
) o ON o.customer_id = s.customer_id
WHERE s.run_id = %(run)s AND s.predicted_clv IS NOT NULL
"""


@dataclass(frozen=True)
class Foretold:
    """Spend and lapses that a run foretold for its horizon, and what came in those days.

    ``low`` and ``high`` bound the spend by what the run's own backtest missed in its windows; they
    are None where it had too few of them.
    """

    run: ScoringRun
    ends_on: date
    customers: int
    spend: Decimal
    low: Decimal | None
    high: Decimal | None
    came: Decimal
    lapses: float | None
    lapsed: int

    @property
    def is_inside(self) -> bool | None:
        """Tell whether the spend came out within the bounds; None where there are none."""
        if self.low is None or self.high is None:
            return None
        return self.low <= self.came <= self.high


def newest_foretold(*, today: date, currency: str) -> Foretold | None:
    """Return the newest kept forecast whose horizon is over, or None while there is none.

    Only runs whose scores were kept as a month's first count, in the shop's present currency.
    """
    for run in _kept():
        ends_on = run.as_of_day + timedelta(days=run.horizon_days or 0)
        if ends_on <= today and run.currency == currency:
            return _held_against(run, ends_on)
    return None


def next_verdict(*, today: date) -> date | None:
    """Return the day on which the oldest forecast that still runs will be over, if there is one."""
    ends = [run.as_of_day + timedelta(days=run.horizon_days or 0) for run in _kept()]
    return min((day for day in ends if day > today), default=None)


def _kept() -> list[ScoringRun]:
    """Return the runs whose scores were kept as a month's first, newest first."""
    kept = ScoringRun.objects.filter(published_at__isnull=False, horizon_days__isnull=False).filter(
        Exists(ScoreSnapshot.objects.filter(run=OuterRef("pk"), predicted_clv__isnull=False))
    )
    firsts: dict[date, ScoringRun] = {}
    for run in kept.order_by("pk"):
        firsts.setdefault(run.as_of_day.replace(day=1), run)
    return sorted(firsts.values(), key=lambda run: run.as_of_day, reverse=True)


def _held_against(run: ScoringRun, ends_on: date) -> Foretold:
    with connection.cursor() as cursor:
        cursor.execute(
            _CAME,
            {
                "run": run.pk,
                "first": run.as_of_day,
                "end": ends_on,
                "counted": list(COUNTED_ORDER_STATUSES),
            },
        )
        customers, spend, came, churn_count, lapses, lapsed = cursor.fetchone()
    spend = spend or Decimal(0)
    low, high = _bounds(run, spend)
    return Foretold(
        run,
        ends_on,
        customers,
        spend,
        low,
        high,
        came or Decimal(0),
        float(lapses) if churn_count else None,
        lapsed,
    )


def _bounds(run: ScoringRun, spend: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return between what the spend would have come out, had the run missed as in its backtest."""
    rows = (run.metrics.get("clv") or {}).get("by_origin") or []
    missed = [row["bias_percent"] for row in rows if row.get("bias_percent") is not None]
    if len(missed) < LEAST_ORIGINS or min(missed) <= -100:
        return None, None
    ends = [spend / (1 + Decimal(str(miss)) / 100) for miss in (max(missed), min(missed))]
    return min(*ends, spend), max(*ends, spend)
