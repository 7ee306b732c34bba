"""Scoring runs: started once, run by a job, published or explained."""

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from analytics.enums import RunState, RunTrigger
from analytics.errors import FutureDayError
from analytics.ml import ladder
from analytics.ml.errors import DegenerateFitError
from analytics.ml.ladder import Note
from analytics.ml.run import MODEL_VERSION, FittedShop, fit_shop
from analytics.models import ScorePointer, ScoringFit, ScoringPart, ScoringRun
from analytics.selectors.frames import (
    count_people,
    fitting_input,
    newest_order,
    orders_without_rate,
    withheld_sources,
)
from analytics.services.parts import call_for_help, divide, parts_left, score_next
from analytics.services.publishing import complete_table, discard, publish, tidy
from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.jobs import JobRun
from customers.selectors.recognition import LEAST_KEYED_SHARE, unrecognising_sources
from customers.selectors.shop import due_night, shop_day, shop_settings
from customers.services.facts import is_refreshed, newest_mark, refresh_pending, settle_days

KIND = "analytics.score"
REFRESH_SECONDS = 60.0
WAIT_SECONDS = 0.5
STEPS = 3
"""Steps beside those that score a part of the customers each: reading, fitting, publishing."""


def start_run(
    *,
    trigger: RunTrigger,
    as_of_day: date | None,
    user_id: int | None,
    now: datetime,
    key: str | None = None,
) -> ScoringRun:
    """Create a run and its job, which the caller queues; a ``key`` exists once.

    Without ``as_of_day`` the run sees everything before the shop's today. Raises FutureDayError
    for a day after tomorrow: nobody has seen the days in between.
    """
    day = as_of_day or shop_day(now)
    if day > shop_day(now) + timedelta(days=1):
        raise FutureDayError(_("Choose tomorrow or an earlier day: later ones have not been seen."))
    with transaction.atomic():
        job, _created = jobs.create_job(
            kind=KIND,
            title=f"Scores as of {day.isoformat()}",
            parameters={"trigger": trigger, "as_of_day": day.isoformat()},
            key=key,
            user_id=user_id,
        )
        return _run_of(job, now)


def start_nightly_run(*, now: datetime) -> ScoringRun | None:
    """Create the run of the newest night, or return None when it is there or not due yet."""
    key = due_night(kind=KIND, now=now)
    if key is None:
        return None
    return start_run(trigger=RunTrigger.NIGHTLY, as_of_day=None, user_id=None, now=now, key=key)


def run_chunk(job_run: JobRun) -> bool:
    """Bring the facts up to date, fit, score part by part, publish, then tidy; True at the end.

    Each is a chunk of its own, and each part one. Other workers may take parts meanwhile. Scores
    are written where nobody reads them, and only then published; what is published and the resume
    point behind it appear together: who takes the job over then has only to tidy.
    """
    now = timezone.now()
    run = _run_of(job_run.job, now)
    phase = job_run.cursor.get("phase", "facts")
    if phase in ("facts", "score"):  # "score" is what a run of the version before goes on with
        _refresh(job_run, run, now)
    elif phase == "fit":
        _fit(job_run, run)
    elif phase == "parts":
        _score(job_run, run)
    elif phase == "publish":
        _publish(job_run, run)
    else:
        tidy(run_id=run.pk)
        return True
    return False


def _refresh(job_run: JobRun, run: ScoringRun, now: datetime) -> None:
    """Bring up to date whoever was marked when the run began; later marks wait for the next one."""
    if run.started_at is None:
        ScoringRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, started_at=now)
    until = job_run.cursor.get("marks")
    if until is None:
        settle_days()
        until = newest_mark()
    refresh_pending(now=now, seconds=REFRESH_SECONDS, wait=True)
    cursor: dict[str, Any] = {"phase": "fit"}
    if not is_refreshed(until=until):
        cursor = {"phase": "facts", "marks": until}
        time.sleep(WAIT_SECONDS)  # another worker may be at it
    job_run.save(cursor=cursor, step=gettext_noop("Reading orders"), total=STEPS, done=1)


def _fit(job_run: JobRun, run: ScoringRun) -> None:
    """Fit and test, then share out the scoring or abstain; nothing when asked to stop."""
    job_run.save(step=gettext_noop("Fitting and testing the models"))
    withheld = withheld_sources()
    fitted = fit_shop(fitting_input(run.as_of_day, withheld=withheld))
    if job_run.is_cancelled():
        return
    with transaction.atomic():
        job_run.save(done=2)  # first of all: a worker that lost the job stops here
        _store(run, fitted)
        run.customer_count = count_people()
        _share_out(job_run, run, fitted, withheld)


def _share_out(
    job_run: JobRun, run: ScoringRun, fitted: FittedShop, withheld: Sequence[int]
) -> None:
    """Divide the customers into parts, or abstain."""
    if not may_publish(fitted):
        discard(run_id=run.pk)
        run.state = RunState.ABSTAINED
        run.save()
        _close(job_run, run, gettext_noop("Abstained"))
        return
    count = divide(run=run, fitted=fitted, withheld=withheld)
    run.save()
    step, cursor = gettext_noop("Scoring customers"), {"phase": "parts"}
    job_run.save(step=step, done=2, total=STEPS + count, cursor=cursor)
    call_for_help(run_id=run.pk, parts=count)


def _score(job_run: JobRun, run: ScoringRun) -> None:
    """Score a part, wait for others who are at theirs, or go on to publish when all are scored."""
    try:
        found = score_next(run_id=run.pk)
    except DegenerateFitError as error:
        _go_on_without_forecasts(job_run, run, str(error))
        return
    left = parts_left(run_id=run.pk)
    done = 2 + ScoringPart.objects.filter(run=run).count() - left
    if left:
        if not found:
            time.sleep(WAIT_SECONDS)
        job_run.save(done=done)
        return
    with transaction.atomic():
        job_run.save(step=gettext_noop("Publishing"), done=done, cursor={"phase": "publish"})
        complete_table(run_id=run.pk)


def _go_on_without_forecasts(job_run: JobRun, run: ScoringRun, detail: str) -> None:
    """Take value and churn back from a run one of whose predictions was no number."""
    with transaction.atomic():
        job_run.save(step=gettext_noop("Fitting and testing the models"))
        stored = ScoringFit.objects.get(run=run)
        fitted = FittedShop.from_dict(stored.state).without_forecasts(detail)
        run.model_name = fitted.model
        run.parameters = run.parameters | {"clv": None, "margin_12m": None}
        for name in ("metrics", "baseline"):
            told = getattr(run, name)
            setattr(run, name, {key: told[key] for key in told if key == "satisfaction"})
        run.abstentions = [entry.to_dict() for entry in fitted.abstentions]
        _share_out(job_run, run, fitted, stored.withheld_sources)


def _publish(job_run: JobRun, run: ScoringRun) -> None:
    """Publish what was written down."""
    with transaction.atomic():
        run.scored_count = publish(run=run)
        run.published_at = timezone.now()
        run.state = RunState.PUBLISHED
        run.save()
        _close(job_run, run, gettext_noop("Published"))


def _close(job_run: JobRun, run: ScoringRun, step: str) -> None:
    made = {"run": run.public_id}
    job_run.save(step=step, done=job_run.job.total, cursor={"phase": "tidy"}, result=made)


def may_publish(result: FittedShop) -> bool:
    """Tell whether the scores of a fit are better than what is shown.

    One with forecasts always is. One with RFM groups alone is, while what is shown has no forecasts
    either: a failed fit leaves the last good run in place.
    """
    missing = {entry.score for entry in result.abstentions}
    if ladder.CHURN not in missing:
        return True
    if ladder.RFM in missing:
        return False
    pointer = ScorePointer.objects.select_related("run").first()
    return pointer is None or any(
        entry.get("score") == ladder.CHURN for entry in pointer.run.abstentions
    )


def on_end(job: Job) -> None:
    """Bring an unfinished run into the state its job ended in; what is published stays."""
    states = {JobState.FAILED: RunState.FAILED, JobState.CANCELLED: RunState.CANCELLED}
    state = states.get(JobState(job.state))
    if state is None:
        return
    for run in ScoringRun.objects.unfinished().filter(job=job):
        discard(run_id=run.pk)
        ScoringRun.objects.filter(pk=run.pk).update(state=state, error=job.error)


def _run_of(job: Job, now: datetime) -> ScoringRun:
    """Return the job's run; a job that came without one gets it here."""
    found = ScoringRun.objects.filter(job=job).first()
    if found is not None:
        return found
    shop = shop_settings()
    given = job.parameters.get("as_of_day")
    run, _created = ScoringRun.objects.get_or_create(
        job=job,
        defaults={
            "trigger": job.parameters.get("trigger", RunTrigger.MANUAL),
            "as_of_day": date.fromisoformat(given) if given else shop_day(now),
            "discount_rate": shop.discount_rate,
            "currency": shop.currency,
        },
    )
    return ScoringRun.objects.get(pk=run.pk)


def _store(run: ScoringRun, result: FittedShop) -> None:
    """Write down what the scores stand on."""
    run.model_name = result.model
    run.model_version = MODEL_VERSION
    run.horizon_days = result.horizon_days
    notes = [note.to_dict() for note in result.notes]
    left_out = orders_without_rate(run.as_of_day)
    if left_out:
        notes.append(Note("orders_without_rate", left_out).to_dict())
    notes.extend(
        Note(
            "source_without_keys",
            have=100 * (found.keyed_share or 0),
            need=100 * LEAST_KEYED_SHARE,
            detail=found.name,
        ).to_dict()
        for found in unrecognising_sources()
    )
    run.parameters = {**(result.parameters or {}), "notes": notes}
    run.metrics = result.metrics or {}
    run.baseline = result.baseline or {}
    run.abstentions = [entry.to_dict() for entry in result.abstentions]
    run.data_until = newest_order(run.as_of_day)
