"""Fetched files are brought in one after the other, the oldest first."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from crm.core.enums import FINAL_JOB_STATES, AlertSeverity, JobState
from crm.core.models import Job
from crm.core.services.alerts import raise_alert, resolve_alert
from customers.errors import ImportStateError
from customers.models import ImportBatch, SavedImport, SavedImportFile
from customers.services.importing.starting import begin_import


def begin_next(*, saved_id: int, now: datetime) -> Job | None:
    """Create the job of the oldest file that waits, unless one is still being brought in.

    The job has no hint yet; the schedule's sweep gives it one within seconds.
    """
    with transaction.atomic():
        saved = SavedImport.objects.select_for_update().get(pk=saved_id)
        files = SavedImportFile.objects.filter(saved=saved, batch__isnull=False)
        begun = files.filter(begun_at__isnull=False, batch__job__isnull=False)
        if begun.exclude(batch__job__state__in=FINAL_JOB_STATES).exists():
            return None
        waiting = files.filter(begun_at__isnull=True, refusal="").order_by("pk")
        for file in waiting:
            SavedImportFile.objects.filter(pk=file.pk).update(begun_at=now)
            try:
                with transaction.atomic():
                    return begin_import(batch_id=file.batch_id or 0, user_id=saved.created_by_id)
            except ImportStateError:
                # Somebody brought it in by hand.
                continue
    return None


def import_ended(*, job: Job, now: datetime) -> None:
    """Alert when an import failed, take that back when it did not, and let the next file in."""
    batch = ImportBatch.objects.get(pk=job.parameters["batch"])
    key = f"import_failed:{batch.public_id}"
    if job.state == JobState.SUCCEEDED:
        resolve_alert(key=key, now=now)
    elif job.state == JobState.FAILED and not job.parameters.get("dry_run"):
        raise_alert(
            key=key,
            code="import_failed",
            severity=AlertSeverity.ERROR,
            parameters={"file": batch.filename, "error": job.error[:500]},
            link=reverse("admin:customers_importbatch_change", args=[batch.pk]),
            now=now,
        )
    saved = SavedImportFile.objects.filter(batch=batch).values_list("saved_id", flat=True).first()
    if saved is not None:
        begin_next(saved_id=saved, now=now)
