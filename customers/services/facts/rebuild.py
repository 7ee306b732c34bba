"""Compute all facts anew, and count the rows that had drifted from the record."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.enums import LogLevel
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer
from customers.selectors.shop import due_night
from customers.services.facts import days, sql
from customers.services.facts.refresh import BATCH, lock_facts, statement_values
from customers.services.rates import check_rates

KIND = "customers.rebuild_facts"
EXAMPLES = 20


def start_rebuild(*, user_id: int | None = None, key: str | None = None) -> tuple[Job, bool]:
    """Create the rebuild's job; a ``key`` exists once, and False says that it did already."""
    return jobs.create_job(
        kind=KIND, title=gettext_noop("Rebuild of the customer facts"), key=key, user_id=user_id
    )


def start_nightly_rebuild(*, now: datetime) -> Job | None:
    """Create the rebuild of the newest night, or return None when it is there or not due yet."""
    key = due_night(kind=KIND, now=now)
    if key is None:
        return None
    job, created = start_rebuild(key=key)
    return job if created else None


def rebuild_chunk(run: jobs.JobRun, *, now: datetime, limit: int = BATCH) -> bool:
    """Compare and correct the next customers by id; return True when there are none.

    One statement reads record, marks and facts as of one moment, so that a row counts as drifted
    only when nobody had announced its change: no mark waits for it and no window has moved.
    """
    after = run.cursor.get("after", 0)
    if not run.cursor:
        run.save(total=Customer.objects.count(), result=_add({}, checked=0, drifted=[]))
    with transaction.atomic():
        lock_facts()
        ids = list(
            Customer.objects.filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:limit]
        )
        if not ids:
            words = _drift_words(run.job.result)
            run.say(words, LogLevel.WARNING if run.job.result["drift_rows"] else LogLevel.INFO)
            check_rates(now=now)
            run.save(step=words)
            return True
        drifted = _compare(ids, now=now)
        result = _add(run.job.result, checked=len(ids), drifted=drifted)
        if drifted:
            run.say(
                _("%(count)d rows differed from the record and were corrected.")
                % {"count": len(drifted)},
                LogLevel.WARNING,
            )
        run.save(done=run.job.done + len(ids), cursor={"after": ids[-1]}, result=result)
    return False


def _drift_words(result: dict[str, Any]) -> str:
    """Return the drift report as staff read it, on the job's page and in the list of jobs."""
    words = _("Checked %(checked)d customers; %(drift)d rows had drifted.") % {
        "checked": result["checked"],
        "drift": result["drift_rows"],
    }
    columns = ", ".join(f"{name} {count}" for name, count in result["drift_columns"].items())
    return f"{words} {columns}"[:200].strip()


def _compare(ids: list[int], *, now: datetime) -> list[tuple[str, list[str]]]:
    """Compare and correct facts and days; return who differed, and in which columns."""
    values = statement_values(ids, now=now)
    drifted: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for statements in (sql, days):
            cursor.execute(statements.DROP_INACTIVE, values)
            cursor.execute(statements.COMPARE_AND_WRITE, values)
            for public_id, columns in cursor.fetchall():
                drifted.setdefault(public_id, []).extend(columns)
    return list(drifted.items())


def _add(
    result: dict[str, Any], *, checked: int, drifted: list[tuple[str, list[str]]]
) -> dict[str, Any]:
    """Return the report of all chunks so far."""
    columns = Counter(result.get("drift_columns", {}))
    columns.update(column for _public_id, names in drifted for column in names)
    examples = [*result.get("examples", []), *(public_id for public_id, _names in drifted)]
    return {
        "checked": result.get("checked", 0) + checked,
        "drift_rows": result.get("drift_rows", 0) + len(drifted),
        "drift_columns": dict(sorted(columns.items())),
        "examples": examples[:EXAMPLES],
    }
