"""What is computed about every customer: marked, refreshed, aged, compared."""

from customers.services.facts.marks import mark_all_dirty, mark_dirty, settle_days
from customers.services.facts.rebuild import rebuild_chunk, start_nightly_rebuild, start_rebuild
from customers.services.facts.refresh import (
    age_facts,
    facts_day,
    is_refreshed,
    newest_mark,
    refresh_facts,
    refresh_pending,
)

__all__ = [
    "age_facts",
    "facts_day",
    "is_refreshed",
    "mark_all_dirty",
    "mark_dirty",
    "newest_mark",
    "rebuild_chunk",
    "refresh_facts",
    "refresh_pending",
    "settle_days",
    "start_nightly_rebuild",
    "start_rebuild",
]
