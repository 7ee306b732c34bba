"""When recurring work is looked for.

The clock only asks "is something due?"; what is due lives in rows, so a missed or doubled tick
costs a delay and nothing else.
"""

from typing import Any

EVERY_FEW_SECONDS = 15.0
EVERY_MINUTE = 60.0
EVERY_FIVE_MINUTES = 300.0
EVERY_HOUR = 3600.0

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-jobs": {"task": "core.sweep_jobs", "schedule": EVERY_FEW_SECONDS},
    "prune-jobs": {"task": "core.prune_jobs", "schedule": EVERY_HOUR},
    "prune-import-changes": {"task": "customers.prune_import_changes", "schedule": EVERY_HOUR},
    "refresh-facts": {"task": "customers.refresh_facts", "schedule": EVERY_MINUTE},
    "nightly-facts": {"task": "customers.start_nightly_rebuild", "schedule": EVERY_FIVE_MINUTES},
    "nightly-scores": {"task": "analytics.start_nightly_scoring", "schedule": EVERY_FIVE_MINUTES},
}
"""Each entry names a task that may run twice without harm."""
