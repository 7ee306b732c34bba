"""The shop at a glance: how many customers stand where, and who is worth a call."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from django.db import connection
from django.db.models import Count, Sum

from analytics.models import CurrentScore, ScorePointer, ScoringRun
from analytics.querysets import CurrentScoreQuerySet
from analytics.selectors.scores import current_run, latest_run
from customers.enums import Lifecycle

MOST_EDGES = 9
STALE_DAYS = 3


@dataclass(frozen=True)
class HeatCell:
    """Customers with one R and one F score: how many, and what they are expected to spend."""

    r_score: int
    f_score: int
    count: int
    predicted_clv: Decimal


@dataclass(frozen=True)
class ClvBin:
    """Customers whose predicted spend is at least ``low`` and below ``high``."""

    low: Decimal | None
    high: Decimal | None
    count: int
    predicted_clv: Decimal


@dataclass(frozen=True)
class AtRisk:
    """A customer's scores, and churn risk × predicted spend in shop currency."""

    score: CurrentScore
    value: float


@dataclass(frozen=True)
class Freshness:
    """Which run is read, how old it is, and what became of the newest one."""

    run: ScoringRun | None
    latest: ScoringRun | None
    age_days: int | None
    is_stale: bool


def rfm_groups(source_id: int | None = None) -> dict[str, int]:
    """Return how many customers are in each group; without those that hold nobody."""
    rows = _of(source_id, CurrentScore.objects.filter(rfm_group__isnull=False))
    return dict(rows.values_list("rfm_group").annotate(count=Count("customer_id")))


def rfm_heatmap(source_id: int | None = None) -> list[HeatCell]:
    """Return the 25 cells of R × F, best R first and F ascending; empty ones have count 0."""
    rows = (
        _of(source_id, CurrentScore.objects.filter(r_score__isnull=False))
        .values_list("r_score", "f_score")
        .annotate(count=Count("customer_id"), spend=Sum("predicted_clv"))
    )
    found = {(r, f): (count, spend or Decimal(0)) for r, f, count, spend in rows}
    return [
        HeatCell(r, f, *found.get((r, f), (0, Decimal(0))))
        for r in range(5, 0, -1)
        for f in range(1, 6)
    ]


def clv_distribution(source_id: int | None = None) -> list[ClvBin]:
    """Return the customers by predicted spend, in bins whose ends are round numbers.

    The bins are the same for every source: those of all customers.
    """
    edges = clv_edges()
    if not edges:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(predicted_clv, %s::numeric[]), count(*), sum(predicted_clv)"
            " FROM analytics_currentscore s WHERE predicted_clv IS NOT NULL"
            " AND (%s::bigint IS NULL OR EXISTS (SELECT FROM customers_customer c"
            " WHERE c.id = s.customer_id AND c.source_id = %s)) GROUP BY 1",
            [edges, source_id, source_id],
        )
        found = {bucket: (count, spend) for bucket, count, spend in cursor.fetchall()}
    ends: list[Decimal | None] = [None, *edges, None]
    return [
        ClvBin(ends[place], ends[place + 1], *found.get(place, (0, Decimal(0))))
        for place in range(len(edges) + 1)
    ]


def clv_edges() -> list[Decimal]:
    """Return the round numbers that divide the published predictions; empty without any.

    Of a million they take half a second and stand on every list's page: each process reads them
    once a run.
    """
    run_id = ScorePointer.objects.values_list("run_id", flat=True).first()
    if run_id is None:
        return []
    return list(_edges_of(run_id)) or _read_edges()


@lru_cache(maxsize=2)
def _edges_of(run_id: int) -> tuple[Decimal, ...]:
    return tuple(_read_edges())


def _read_edges() -> list[Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_disc(ARRAY[0.05, 0.98]) WITHIN GROUP (ORDER BY predicted_clv)"
            " FROM analytics_currentscore WHERE predicted_clv IS NOT NULL"
        )
        row = cursor.fetchone()
    return round_edges(*row[0]) if row and row[0] else []


def round_edges(low: Decimal, high: Decimal) -> list[Decimal]:
    """Return 1, 2, 5, 10, 20 … between two amounts, thinned until there are few enough."""
    for steps in ((1, 2, 5), (1, 3), (1,)):
        series = [Decimal(step) * Decimal(10) ** power for power in range(-2, 13) for step in steps]
        inside = [edge for edge in series if low <= edge <= high]
        if 0 < len(inside) <= MOST_EDGES:
            return inside
    above = [edge for edge in series if edge >= high]
    return above[:1]


def range_value(low: Decimal | None, high: Decimal | None) -> str:
    """Write a range of predicted spend as the list's filter reads it: ``20-50``, ``500-``."""
    return "-".join("" if end is None else f"{end:f}" for end in (low, high))


def churn_risk(*, limit: int = 10, source_id: int | None = None) -> list[AtRisk]:
    """Return those at risk with the most value at risk: churn risk times predicted spend.

    The product is largest for customers who are still expected to buy a lot and may well not: who
    has left for certain is expected to spend nothing. A big spender whose risk is low is left out:
    nobody would call them at risk.
    """
    rows = CurrentScore.objects.at_risk().by_value_at_risk().select_related("customer", "run")
    rows = _of(source_id, rows.filter(customer__lifecycle=Lifecycle.ACTIVE))
    return [
        AtRisk(row, (row.churn_probability or 0.0) * float(row.predicted_clv or 0))
        for row in rows[:limit]
    ]


def _of(source_id: int | None, rows: CurrentScoreQuerySet) -> CurrentScoreQuerySet:
    """Keep the customers who came with a source; all without one."""
    return rows if source_id is None else rows.filter(customer__source_id=source_id)


def freshness(*, today: date) -> Freshness:
    """Tell how old the published scores are on the shop's ``today``."""
    run, latest = current_run(), latest_run()
    if run is None:
        return Freshness(None, latest, None, latest is not None)
    age = (today - run.as_of_day).days
    return Freshness(run, latest, age, age > STALE_DAYS)
