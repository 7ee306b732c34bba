"""Alarm clocks of the scores."""

from celery import shared_task
from django.utils import timezone

from analytics.services import activity, digest, parts, scoring
from crm.core.tasks import run_job

DIGEST_BATCH = 50


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


@shared_task(name="analytics.count_activity")
def count_activity() -> None:
    """Count who bought when, as often as the shop's size allows."""
    activity.count_activity(now=timezone.now())


@shared_task(name="analytics.mail_digests")
def mail_digests() -> None:
    """Send the mails of Monday that are due, each once, some at a time."""
    if digest.send_digests(now=timezone.now(), limit=DIGEST_BATCH) == DIGEST_BATCH:
        mail_digests.delay()
