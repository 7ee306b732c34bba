"""Who moved from one RFM group to another since the month's first scores."""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Exists, OuterRef

from analytics.models import ScoreSnapshot, ScoringRun
from analytics.selectors.scores import current_run

MONTHS_BACK = 400

_MOVED = """
SELECT b.rfm_group, a.rfm_group, count(*)
FROM (
    SELECT s.customer_id, s.rfm_group FROM analytics_currentscore s
    JOIN customers_customer c ON c.id = s.customer_id
    WHERE %(source)s::bigint IS NULL OR c.source_id = %(source)s
) a FULL JOIN (
    SELECT s.customer_id, s.rfm_group FROM analytics_scoresnapshot s
    JOIN customers_customer c ON c.id = s.customer_id AND c.lifecycle = 'active'
    WHERE s.run_id = %(run)s AND (%(source)s::bigint IS NULL OR c.source_id = %(source)s)
) b USING (customer_id)
GROUP BY 1, 2
"""
MOVED_IN = """
SELECT a.customer_id FROM analytics_currentscore a
LEFT JOIN analytics_scoresnapshot b ON b.customer_id = a.customer_id AND b.run_id = %s
WHERE a.rfm_group = %s AND b.rfm_group IS DISTINCT FROM a.rfm_group
"""
MOVED_OUT = """
SELECT b.customer_id FROM analytics_scoresnapshot b
LEFT JOIN analytics_currentscore a ON a.customer_id = b.customer_id
WHERE b.run_id = %s AND b.rfm_group = %s AND a.rfm_group IS DISTINCT FROM b.rfm_group
"""


@dataclass(frozen=True)
class Movement:
    """How many are in a group now and were then, and how many came and went in between."""

    group: str
    now: int
    before: int
    came: int
    left: int


def last_snapshot(run: ScoringRun | None = None) -> ScoringRun | None:
    """Return the run whose scores were kept as a month's first, the newest before ``run``.

    A run later in a month keeps only who was new then; it is none of those.
    """
    run = run or current_run()
    if run is None:
        return None
    kept = ScoringRun.objects.filter(published_at__isnull=False, as_of_day__lte=run.as_of_day)
    kept = kept.exclude(pk=run.pk).filter(
        Exists(ScoreSnapshot.objects.filter(run=OuterRef("pk"))),
    )
    firsts: dict[date, ScoringRun] = {}
    for one in kept.order_by("-pk")[:MONTHS_BACK]:
        firsts[one.as_of_day.replace(day=1)] = one  # the last one seen is the month's first
    return firsts[max(firsts)] if firsts else None


def movements(*, snapshot: ScoringRun, source_id: int | None = None) -> dict[str, Movement]:
    """Return each group's movement since a snapshot; whoever had no group came from nowhere."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"run": snapshot.pk, "source": source_id})
        flows = {(before, now): count for before, now, count in cursor.fetchall()}
    groups = {group for pair in flows for group in pair if group}
    return {
        group: Movement(
            group,
            sum(n for (_before, now), n in flows.items() if now == group),
            sum(n for (before, _now), n in flows.items() if before == group),
            sum(n for (before, now), n in flows.items() if now == group != before),
            sum(n for (before, now), n in flows.items() if before == group != now),
        )
        for group in groups
    }
