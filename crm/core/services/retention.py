"""What is removed when it has been kept long enough."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from crm.core.models import Alert, Job


def prune_jobs(*, now: datetime, limit: int = 500) -> int:
    """Remove resolved alerts and finished jobs past their retention; return how many jobs.

    A job's error file goes first: killed in between, the row is there to be removed next time.
    """
    before = now - timedelta(days=settings.JOB_RETENTION_DAYS)
    Alert.objects.resolved_before(before).delete()
    with transaction.atomic():
        old = list(
            Job.objects.select_for_update(skip_locked=True)
            .finished_before(before)
            .order_by("pk")[:limit]
        )
        for job in old:
            if job.error_file.name:
                job.error_file.storage.delete(job.error_file.name)
        Job.objects.filter(pk__in=[job.pk for job in old]).delete()
    return len(old)
