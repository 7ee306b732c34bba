"""Alarm clocks of the shared machinery."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from crm.core.services import jobs


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


@shared_task(name="core.sweep_jobs")
def sweep_jobs() -> None:
    """Give dead workers' jobs back and queue whatever is due; the broker may have lost the hint."""
    now = timezone.now()
    jobs.requeue_abandoned(now=now)
    for job_id in jobs.due_job_ids(now=now):
        run_job.delay(job_id)
