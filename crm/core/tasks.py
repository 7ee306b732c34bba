"""Alarm clocks of the shared machinery."""

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm.core.services import alerts, jobs, retention

PRUNE_BATCH = 500
MAIL_BATCH = 20


@shared_task(name="core.run_job")
def run_job(job_id: int) -> None:
    """Run a slice of a job, then queue the next slice if there is more to do."""
    goes_on = jobs.run_job(
        job_id=job_id,
        worker=jobs.worker_name(),
        now=timezone.now(),
        seconds=settings.JOB_CHUNK_SECONDS,
    )
    if goes_on:
        run_job.delay(job_id)


def queue_job(job_id: int) -> None:
    """Hint at a job once it is committed; without a broker the sweep finds it a little later."""

    def hint() -> None:
        run_job.delay(job_id)

    transaction.on_commit(hint, robust=True)


@shared_task(name="core.sweep_jobs")
def sweep_jobs() -> None:
    """Give dead workers' jobs back and hint at due jobs whose hint the broker may have lost."""
    now = timezone.now()
    jobs.requeue_abandoned(now=now)
    for job_id in jobs.take_hints(now=now):
        # A hint nobody had time for is dropped unread: the next one is on its way.
        run_job.apply_async((job_id,), expires=settings.JOB_HINT_AGAIN_SECONDS)


@shared_task(name="core.prune_jobs")
def prune_jobs() -> None:
    """Remove what is past its retention, a batch at a time."""
    if retention.prune_jobs(now=timezone.now(), limit=PRUNE_BATCH) == PRUNE_BATCH:
        prune_jobs.delay()


@shared_task(name="core.mail_alerts")
def mail_alerts() -> None:
    """Tell superusers of alerts that are new, each once."""
    if alerts.mail_alerts(now=timezone.now(), limit=MAIL_BATCH) == MAIL_BATCH:
        mail_alerts.delay()
