"""Alarm clocks of the record."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from crm.core.tasks import run_job
from customers.services import exporting, facts, saved_imports, tagging, tickets
from customers.services.importing import changes, files

REFRESH_SECONDS = 45.0
PRUNE_IMPORTS = 20
EXPIRE_BATCH = 500
PRUNE_BULK = 20
ANSWERS = 20


@shared_task(name="customers.refresh_facts")
def refresh_facts() -> None:
    """Refresh the facts of marked customers and of those whose windows moved on."""
    if facts.refresh_pending(now=timezone.now(), seconds=REFRESH_SECONDS):
        refresh_facts.delay()


@shared_task(name="customers.start_nightly_rebuild")
def start_nightly_rebuild() -> None:
    """Start today's comparison of all facts, when the shop's night has come."""
    job = facts.start_nightly_rebuild(now=timezone.now())
    if job is not None:
        run_job.delay(job.pk)


@shared_task(name="customers.prune_import_changes")
def prune_import_changes() -> None:
    """Drop what imports changed once they can no longer be undone, some imports at a time."""
    if changes.prune_changes(now=timezone.now(), limit=PRUNE_IMPORTS) == PRUNE_IMPORTS:
        prune_import_changes.delay()


@shared_task(name="customers.start_saved_imports")
def start_saved_imports() -> None:
    """Start today's fetch of each saved import whose hour has come."""
    for job_id in saved_imports.start_due(now=timezone.now()):
        run_job.delay(job_id)


@shared_task(name="customers.prune_import_files")
def prune_import_files() -> None:
    """Remove uploaded files past their retention, some at a time."""
    if files.prune_files(now=timezone.now(), limit=PRUNE_IMPORTS) == PRUNE_IMPORTS:
        prune_import_files.delay()


@shared_task(name="customers.prune_orphaned_files")
def prune_orphaned_files() -> None:
    """Remove files of uploads that never came to be an import, some at a time."""
    if files.prune_orphans(now=timezone.now(), limit=PRUNE_IMPORTS) == PRUNE_IMPORTS:
        prune_orphaned_files.delay()


@shared_task(name="customers.expire_exports")
def expire_exports() -> None:
    """Remove exported files past their last day, a batch at a time."""
    if exporting.expire_exports(now=timezone.now(), limit=EXPIRE_BATCH) == EXPIRE_BATCH:
        expire_exports.delay()


@shared_task(name="customers.prune_bulk_actions")
def prune_bulk_actions() -> None:
    """Forget bulk actions that nobody confirmed within a day, some at a time."""
    if tagging.forget_unconfirmed(now=timezone.now(), limit=PRUNE_BULK) == PRUNE_BULK:
        prune_bulk_actions.delay()


@shared_task(name="customers.send_answers")
def send_answers() -> None:
    """Send the answers that wait, some at a time, and say which were lost with a worker."""
    tickets.note_lost(now=timezone.now())
    for _answer in range(ANSWERS):
        # Each is begun at its own time: a slow mail server must not make the last look lost.
        if not tickets.send_next(now=timezone.now()):
            return
    send_answers.delay()


def queue_answers() -> None:
    """Hint at an answer once it is committed; without a broker the schedule finds it later."""

    def hint() -> None:
        send_answers.delay()

    transaction.on_commit(hint, robust=True)
