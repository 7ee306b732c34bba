"""Publish scores: a run's own table is filled, attached as a partition, and the pointer moved."""

import json
import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg import errors, sql

from analytics.enums import RunState
from analytics.ml.arrays import FloatArray
from analytics.ml.run import NULL_REASONS, RFM_GROUPS, Scores
from analytics.models import (
    ScorePointer,
    ScoreSnapshot,
    ScoringFit,
    ScoringPart,
    ScoringRun,
)
from customers.enums import Lifecycle

log = structlog.get_logger(__name__)

KEPT_RUNS = 7
BLOCK = 50_000
LOCK_TIMEOUT = "3s"
"""How long a partition's removal may make readers of the scores wait."""
_LOCK = 4_203_772
_DROP_INACTIVE = (
    "DELETE FROM {0} s WHERE NOT EXISTS (SELECT FROM customers_customer c"
    " WHERE c.id = s.customer_id AND c.lifecycle = 'active')"
)
COLUMNS = (
    "run_id", "customer_id", "r_score", "f_score", "m_score", "rfm_group", "p_alive",
    "churn_probability", "churn_low", "churn_high", "expected_orders", "orders_low",
    "orders_high", "predicted_clv", "clv_low", "clv_high", "clv_12m", "margin_12m",
    "satisfaction", "satisfaction_low", "satisfaction_high", "satisfaction_n_eff",
    "satisfaction_inferred",
    "next_order_from", "next_order_until", "next_order_abstained", "reasons", "abstained",
)  # fmt: skip
FLOATS = (
    "p_alive", "churn_probability", "churn_low", "churn_high", "expected_orders", "orders_low",
    "orders_high", "predicted_clv", "clv_low", "clv_high", "clv_12m", "margin_12m",
    "satisfaction", "satisfaction_low", "satisfaction_high", "satisfaction_n_eff",
    "satisfaction_inferred_share",
)  # fmt: skip
DATES = ("next_order_from", "next_order_until")


def create_table(*, run_id: int) -> None:
    """Create the table that a run's scores are copied into and nobody reads yet.

    What an earlier attempt left is replaced.
    """
    table = sql.Identifier(_partition(run_id))
    with connection.cursor() as cursor:
        _execute(cursor, "DROP TABLE IF EXISTS {0}", table)
        _execute(
            cursor,
            "CREATE TABLE {0} (LIKE analytics_customerscore"
            " INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
            table,
        )


def copy_scores(*, run_id: int, scores: Scores) -> None:
    """Copy the scores of some customers into their run's table, in the caller's transaction."""
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    table = sql.Identifier(_partition(run_id))
    command = sql.SQL("COPY {0} ({1}) FROM STDIN").format(table, names)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows(run_id, scores):
            copy.write_row(row)


def complete_table(*, run_id: int) -> None:
    """Make a run's table fit to be published: each customer once, and nobody else's rows."""
    table = sql.Identifier(_partition(run_id))
    with connection.cursor() as cursor:
        _execute(
            cursor,
            "ALTER TABLE {0} ADD PRIMARY KEY (run_id, customer_id), ADD CHECK (run_id = {1})",
            table,
            sql.Literal(run_id),
        )
        _execute(cursor, "ANALYZE {0}", table)


def publish(*, run: ScoringRun) -> int:
    """Make a run's written scores the ones everybody reads; return how many rows it has.

    Runs inside the caller's transaction: rows, partition and pointer appear together or not at
    all. Customers merged, erased or removed since they were scored are left out. Runs publish one
    after the other, so that exactly one is the published one.
    """
    table = sql.Identifier(_partition(run.pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _execute(cursor, _DROP_INACTIVE, table)
        _execute(
            cursor,
            "ALTER TABLE analytics_customerscore ATTACH PARTITION {0} FOR VALUES IN ({1})",
            table,
            sql.Literal(run.pk),
        )
        _execute(cursor, "SELECT count(*) FROM {0}", table)
        count = int(cursor.fetchone()[0])
    ScoringRun.objects.published().exclude(pk=run.pk).update(state=RunState.REPLACED)
    ScorePointer.objects.update_or_create(id=1, defaults={"run": run})
    _snapshot(run)
    return count


def discard(*, run_id: int) -> None:
    """Drop the scores of a run that will not be published, and what they were made with.

    Nobody is waited for: where a worker is still at a part, its table is left for ``tidy``. Runs
    inside the caller's transaction.
    """
    _drop_free_parts(ScoringPart.objects.filter(run_id=run_id))
    if ScoringPart.objects.filter(run_id=run_id).exists():
        return
    ScoringFit.objects.filter(run_id=run_id).delete()
    if _partition(run_id) not in _partitions():
        with connection.cursor() as cursor:
            _execute(cursor, "DROP TABLE IF EXISTS {0}", sql.Identifier(_partition(run_id)))


def _drop_free_parts(parts: QuerySet[ScoringPart]) -> None:
    """Delete those parts that no worker holds."""
    free = parts.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
    ScoringPart.objects.filter(pk__in=list(free)).delete()


def rows(run_id: int, scores: Scores) -> Iterator[tuple[Any, ...]]:
    """Yield the score rows in the order of ``COLUMNS``; what is unknown is null, never zero.

    Numbers become Python's a block at a time: all at once they would take ten times the room.
    """
    for begin in range(0, scores.customer_id.size, BLOCK):
        yield from _block(run_id, scores, slice(begin, begin + BLOCK))


def _block(run_id: int, scores: Scores, part: slice) -> Iterator[tuple[Any, ...]]:
    floats = [getattr(scores, name)[part].tolist() for name in FLOATS]
    dates = [_dates(getattr(scores, name)[part]) for name in DATES]
    rfm = [getattr(scores, name)[part].tolist() for name in ("r_score", "f_score", "m_score")]
    groups = scores.rfm_group[part].tolist()
    unknown, dateless = scores.churn_null[part].tolist(), scores.next_order_null[part].tolist()
    for place, customer_id in enumerate(scores.customer_id[part].tolist()):
        reasons = {
            name: getattr(scores, f"{name}_reasons").row(part.start + place)
            for name in ("churn", "clv", "satisfaction")
        }
        yield (
            run_id,
            customer_id,
            *(column[place] or None for column in rfm),
            RFM_GROUPS[groups[place]] if groups[place] >= 0 else None,
            *(None if math.isnan(column[place]) else column[place] for column in floats),
            *(column[place] for column in dates),
            NULL_REASONS[dateless[place]],
            json.dumps(reasons),
            NULL_REASONS[unknown[place]],
        )


def _dates(days: FloatArray) -> list[date | None]:
    """Return days since 1970-01-01 as dates; what is unknown is null."""
    known = np.isfinite(days)
    found = np.full(days.size, np.datetime64("NaT", "D"))
    found[known] = days[known].astype(np.int64).astype("datetime64[D]")
    return list(found.astype(object))


def tidy(*, run_id: int) -> None:
    """Drop what was merged or erased while a run was published, and what is left of old runs.

    An erasure that committed between the run's own look and its end did not see the new rows.
    """
    name = _partition(run_id)
    held = _partitions()
    if name in held:
        with connection.cursor() as cursor:
            _execute(cursor, _DROP_INACTIVE, sql.Identifier(name))
    history = ScoreSnapshot.objects.filter(run_id=run_id)
    history.filter(customer__lifecycle=Lifecycle.ERASED).delete()
    kept = ScoringRun.objects.filter(state__in=[RunState.PUBLISHED, RunState.REPLACED])
    newest = kept.order_by("-pk").values_list("pk", flat=True)[:KEPT_RUNS]
    pointed = ScorePointer.objects.values_list("run_id", flat=True)
    wanted = {*newest, *pointed, *ScoringRun.objects.unfinished().values_list("pk", flat=True)}
    with transaction.atomic():
        _drop_free_parts(ScoringPart.objects.exclude(run_id__in=wanted))
        ScoringFit.objects.exclude(run_id__in=wanted).filter(run__parts=None).delete()
    names = {name, *map(_partition, wanted)}
    for old in sorted((held | _unattached()) - names):
        _drop(old)


def _drop(name: str) -> None:
    """Drop a partition unless somebody reads the scores for long; the next night tries again."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            _execute(cursor, "DROP TABLE {0}", sql.Identifier(name))
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise
        log.warning("partition_in_use", name=name)


def _partitions() -> set[str]:
    """Return the names of the partitions there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'analytics_customerscore'::regclass"
        )
        return {row[0] for row in cursor.fetchall()}


def _unattached() -> set[str]:
    """Return the names of the tables of runs that are not, or not yet, partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition"
            " AND relname ~ '^score_of_run_[0-9]+$' AND relnamespace = current_schema::regnamespace"
        )
        return {row[0] for row in cursor.fetchall()}


def _partition(run_id: int) -> str:
    return f"score_of_run_{run_id}"


def _snapshot(run: ScoringRun) -> None:
    """Keep the month's first scores of every customer: the history behind a trend."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_scoresnapshot (customer_id, run_id, month, rfm_group,"
            " churn_probability, predicted_clv, satisfaction)"
            " SELECT customer_id, run_id, date_trunc('month', %s::date), rfm_group,"
            " churn_probability, predicted_clv, satisfaction"
            " FROM analytics_customerscore WHERE run_id = %s"
            " ON CONFLICT (customer_id, month) DO NOTHING",
            [run.as_of_day, run.pk],
        )


def _execute(cursor: Any, text: str, *parts: Any) -> None:
    cursor.execute(sql.SQL(text).format(*parts))
