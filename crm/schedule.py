"""When recurring work is looked for.

The clock only asks "is something due?"; what is due lives in rows, so a missed or doubled tick
costs a delay and nothing else.
"""

from typing import Any

EVERY_FEW_SECONDS = 15.0
EVERY_MINUTE = 60.0
EVERY_FIVE_MINUTES = 300.0
EVERY_HOUR = 3600.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    """Look every so many seconds; a tick that no worker took by the next one is dropped unread."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-jobs": _every(EVERY_FEW_SECONDS, "core.sweep_jobs"),
    "mail-alerts": _every(EVERY_MINUTE, "core.mail_alerts"),
    "prune-jobs": _every(EVERY_HOUR, "core.prune_jobs"),
    "prune-import-changes": _every(EVERY_HOUR, "customers.prune_import_changes"),
    "prune-import-files": _every(EVERY_HOUR, "customers.prune_import_files"),
    "prune-orphaned-files": _every(EVERY_HOUR, "customers.prune_orphaned_files"),
    "prune-bulk-actions": _every(EVERY_HOUR, "customers.prune_bulk_actions"),
    "expire-exports": _every(EVERY_HOUR, "customers.expire_exports"),
    "refresh-facts": _every(EVERY_MINUTE, "customers.refresh_facts"),
    "send-answers": _every(EVERY_MINUTE, "customers.send_answers"),
    "saved-imports": _every(EVERY_MINUTE, "customers.start_saved_imports"),
    "nightly-facts": _every(EVERY_FIVE_MINUTES, "customers.start_nightly_rebuild"),
    "nightly-scores": _every(EVERY_FIVE_MINUTES, "analytics.start_nightly_scoring"),
    "count-activity": _every(EVERY_FIVE_MINUTES, "analytics.count_activity"),
    "mail-digests": _every(EVERY_FIVE_MINUTES, "analytics.mail_digests"),
}
"""Each entry names a task that may run twice without harm."""
