"""Bring facts up to date: for marked customers, and for those whose windows moved on."""

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from customers.models import CustomerFacts, FactsMark
from customers.selectors.shop import shop_day, shop_settings
from customers.services.facts import days, sql

BATCH = 5_000
_LOCK = 4_203_771
"""Advisory lock of whoever writes facts: what is computed later is also written later."""


def facts_day(*, now: datetime) -> date:
    """Return the day the live facts are true as of: tomorrow in the shop, so that today counts."""
    return shop_day(now) + timedelta(days=1)


def refresh_facts(*, now: datetime, limit: int = BATCH, wait: bool = False) -> int:
    """Recompute up to ``limit`` marks' customers; return how many customers that were.

    The marks are deleted first and the facts computed by a later statement. A writer that commits
    before the deletion is seen by the computation; one that commits after it leaves a mark that
    is still there. Returns 0 while somebody else writes facts, unless it is to ``wait`` its turn.
    """
    with transaction.atomic():
        if not _lock(wait=wait):
            return 0
        with connection.cursor() as cursor:
            cursor.execute(sql.TAKE_MARKS, {"limit": limit})
            ids = sorted({row[0] for row in cursor.fetchall()})
        write_facts(ids, now=now, with_days=True)
    return len(ids)


def age_facts(*, now: datetime, limit: int = BATCH, wait: bool = False) -> int:
    """Recompute rows whose windows moved since they were computed; return how many were read."""
    with transaction.atomic():
        if not _lock(wait=wait):
            return 0
        due = CustomerFacts.objects.filter(ages_on__lte=facts_day(now=now)).order_by("ages_on")
        ids = list(due.values_list("customer_id", flat=True)[:limit])
        write_facts(ids, now=now)
    return len(ids)


def newest_mark() -> int:
    """Return the number of the newest mark; 0 where none waits."""
    return FactsMark.objects.aggregate(newest=Max("pk"))["newest"] or 0


def is_refreshed(*, until: int) -> bool:
    """Tell whether nobody's facts wait any more for a mark up to the number ``until``."""
    return not FactsMark.objects.filter(pk__lte=until).exists()


def refresh_pending(
    *, now: datetime, seconds: float, limit: int = BATCH, wait: bool = False
) -> bool:
    """Refresh marks, then age, for about ``seconds``; return whether more is waiting.

    With ``wait`` it takes its turn beside others who write facts, a nightly rebuild say.
    """
    deadline = time.monotonic() + seconds
    for step in (refresh_facts, age_facts):
        while step(now=now, limit=limit, wait=wait):
            if time.monotonic() >= deadline:
                return True
    return False


def write_facts(ids: Sequence[int], *, now: datetime, with_days: bool = False) -> int:
    """Compute these customers' facts and store what differs; return the number of rows stored.

    The caller holds the lock of facts and the transaction. Merged and erased customers have none.
    ``with_days`` does the same with their days: those are of no one day, so that only a mark, and
    never time, moves them.
    """
    if not ids:
        return 0
    values = statement_values(ids, now=now)
    with connection.cursor() as cursor:
        cursor.execute(sql.DROP_INACTIVE, values)
        cursor.execute(sql.WRITE, values)
        written = int(cursor.rowcount)
        if with_days:
            cursor.execute(days.DROP_INACTIVE, values)
            cursor.execute(days.WRITE, values)
    return written


def statement_values(ids: Sequence[int], *, now: datetime) -> dict[str, Any]:
    """Return what the statements on facts are told."""
    shop = shop_settings()
    return {
        "ids": list(ids),
        "as_of": facts_day(now=now),
        "zone": shop.zone,
        "currency": shop.currency,
        "window": shop.refund_window_days,
        "now": now,
    }


def lock_facts() -> None:
    """Wait until nobody else writes facts, and hold that until the transaction ends."""
    _lock(wait=True)


def _lock(*, wait: bool) -> bool:
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
