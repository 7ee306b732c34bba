"""Alarm clocks of the scores."""

from celery import shared_task
from django.utils import timezone

from analytics.services import parts, scoring
from crm.core.tasks import run_job


@shared_task(name="analytics.start_nightly_scoring")
def start_nightly_scoring() -> None:
    """Start today's run when the shop's night has come and it is not there yet."""
    run = scoring.start_nightly_run(now=timezone.now())
    if run is not None and run.job_id is not None:
        run_job.delay(run.job_id)


@shared_task(name=parts.TASK)
def score_parts(run_id: int) -> None:
    """Help a run along by a part of its customers."""
    parts.help_along(run_id=run_id)
