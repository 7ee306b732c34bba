"""The life of a job: made, claimed, run in chunks, cancelled, finished, taken over."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import File
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from crm.core.enums import JobState, LogLevel
from crm.core.errors import DomainError, JobLostError, NotFoundError, WrongStateError
from crm.core.models import Job, JobLog
from crm.core.registry import registry
from crm.core.services.heartbeat import heartbeat

log = structlog.get_logger(__name__)

_REPORT_SECONDS = 1.0
_RETRY_WAIT = timedelta(seconds=5)
_SWEEP_LIMIT = 100


class JobRun:
    """A worker's hold on one job: the only way a handler reports progress.

    Every write checks the epoch; when another worker has taken the job over, it raises
    JobLostError and, inside the handler's transaction, takes the handler's rows back with it. A
    chunk calls ``save`` last in its transaction: until the commit the row is locked, and who asks
    the job to stop waits.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.epoch = job.epoch
        self._reported = 0.0

    @property
    def parameters(self) -> dict[str, Any]:
        """What the job was asked to do."""
        return dict(self.job.parameters)

    @property
    def cursor(self) -> dict[str, Any]:
        """Where the last committed chunk ended."""
        return dict(self.job.cursor)

    def save(self, **changes: Any) -> None:
        """Store progress: ``done``, ``total``, ``cursor``, ``step``, ``result``, ``error_file``.

        ``step`` is a phrase marked with ``gettext_noop``: readers see it in their own language.
        A job that gets ahead has its deaths forgiven: only those at one and the same place count.
        """
        if any(
            changes.get(name, getattr(self.job, name)) != getattr(self.job, name)
            for name in ("done", "cursor")
        ):
            changes["attempts"] = 0
        changes |= {"heartbeat_at": timezone.now(), "updated_at": timezone.now()}
        held = Job.objects.filter(pk=self.job.pk, epoch=self.epoch, state=JobState.RUNNING)
        if not held.update(**changes):
            raise JobLostError(_("The job was taken over or ended elsewhere."))
        for name, value in changes.items():
            setattr(self.job, name, value)

    def report(self, *, done: int, step: str = "") -> None:
        """Show progress inside a chunk, at most once a second; call it outside a transaction.

        It moves only what staff see; where the job resumes is said by ``save``.
        """
        moment = time.monotonic()
        if moment - self._reported < _REPORT_SECONDS:
            return
        self._reported = moment
        held = Job.objects.filter(pk=self.job.pk, epoch=self.epoch, state=JobState.RUNNING)
        if not held.update(done=done, step=step or self.job.step, heartbeat_at=timezone.now()):
            raise JobLostError(_("The job was taken over or ended elsewhere."))

    def say(self, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Add a line to the job's log."""
        JobLog.objects.create(job=self.job, level=level, message=message)

    def attach_errors(self, name: str, content: "File[Any]") -> None:
        """Store the error file staff may download; a former one goes."""
        former = self.job.error_file.name
        storage = self.job.error_file.storage
        self.job.error_file.save(name, content, save=False)
        self.save(error_file=self.job.error_file.name)
        if former:
            transaction.on_commit(lambda: storage.delete(former))

    def is_cancelled(self) -> bool:
        """Tell whether somebody asked to stop."""
        return Job.objects.filter(pk=self.job.pk, cancel_requested_at__isnull=False).exists()


def create_job(
    *,
    kind: str,
    title: str,
    parameters: Mapping[str, Any] | None = None,
    key: str | None = None,
    total: int | None = None,
    user_id: int | None = None,
    due_at: datetime | None = None,
) -> tuple[Job, bool]:
    """Create a queued job, or return the one that already has this (kind, key), and False."""
    if kind not in registry.job_handlers:
        raise NotFoundError(_("There is no work of the kind “%(kind)s”.") % {"kind": kind})
    values: dict[str, Any] = {
        "title": title[:200],
        "parameters": dict(parameters or {}),
        "total": total,
        "created_by_id": user_id,
        "language": get_language() or "",
    }
    if due_at is not None:
        values["due_at"] = due_at
    if key is None:
        job = Job.objects.create(kind=kind, **values)
        return Job.objects.get(pk=job.pk), True
    job, created = Job.objects.get_or_create(kind=kind, key=key, defaults=values)
    return Job.objects.get(pk=job.pk), created


def cancel_job(*, job_id: int, now: datetime) -> Job:
    """Ask a job to stop; a queued one stops at once. Raises WrongStateError when it has ended."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFoundError(_("There is no such job."))
        if job.is_final:
            raise WrongStateError(_("This job has already ended."))
        job.cancel_requested_at = job.cancel_requested_at or now
        job.save(update_fields=["cancel_requested_at", "updated_at"])
        if job.state == JobState.QUEUED:
            _end(job, state=JobState.CANCELLED, now=now)
    return job


def claim_job(*, job_id: int, worker: str, now: datetime) -> JobRun | None:
    """Take a queued job; return None when it is not due, held by a live worker, or ended."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True)
            .queued_and_due(now)
            .filter(pk=job_id)
            .first()
        )
        if job is None:
            return None
        job.state = JobState.RUNNING
        job.epoch += 1
        job.worker = worker
        job.started_at = job.started_at or now
        job.heartbeat_at = now
        job.save(
            update_fields=["state", "epoch", "worker", "started_at", "heartbeat_at", "updated_at"]
        )
    return JobRun(job)


def run_job(*, job_id: int, worker: str, now: datetime, seconds: float) -> bool:
    """Run chunks of a job for about ``seconds``; return True when it wants to go on later.

    A handler's DomainError fails the job with its message. A lost connection or a deadlock heals:
    the job goes back to the queue, a bounded number of times. Any other exception fails it with
    the exception's name only: its text may hold somebody's data, and goes to the server's log.
    """
    run = claim_job(job_id=job_id, worker=worker, now=now)
    if run is None:
        return False
    with _language_of(run.job):
        return _run_claimed(run, seconds=seconds)


def _run_claimed(run: JobRun, *, seconds: float) -> bool:
    """Run chunks of a claimed job, and end it by name or give it back when they fail."""
    try:
        return _run_chunks(run, seconds=seconds)
    except JobLostError:
        log.warning("job_lost", job=run.job.public_id, epoch=run.epoch)
        return False
    except (OperationalError, InterfaceError) as error:
        log.exception("job_interrupted", job=run.job.public_id, kind=run.job.kind)
        reason = _("The database interrupted the work (%(name)s).") % {"name": _name(error)}
        _if_held(lambda: give_back(run=run, now=timezone.now(), reason=reason))
    except DomainError as error:
        message = str(error.message)
        _if_held(
            lambda: finish_job(run=run, state=JobState.FAILED, now=timezone.now(), error=message)
        )
    except Exception as error:
        log.exception("job_failed", job=run.job.public_id, kind=run.job.kind)
        message = _(
            "It stopped because of an internal error (%(name)s). The server's log has the details."
        ) % {"name": _name(error)}
        _if_held(
            lambda: finish_job(run=run, state=JobState.FAILED, now=timezone.now(), error=message)
        )
    return False


def release_job(*, run: JobRun, now: datetime) -> bool:
    """Put a running job back in the queue between two chunks; return whether it was still ours."""
    return bool(
        Job.objects.filter(pk=run.job.pk, epoch=run.epoch, state=JobState.RUNNING).update(
            state=JobState.QUEUED, heartbeat_at=now, due_at=now, worker="", updated_at=now
        )
    )


def finish_job(*, run: JobRun, state: JobState, now: datetime, error: str = "") -> None:
    """End a job that is still ours, and tell its handler in the same transaction."""
    with transaction.atomic():
        _end(_held(run), state=state, now=now, error=error)


def give_back(*, run: JobRun, now: datetime, reason: str) -> None:
    """Queue a job of ours again after a failure that heals, or fail it after too many."""
    with transaction.atomic():
        _take_from_worker(_held(run), now=now, reason=reason, wait=_RETRY_WAIT)


def requeue_abandoned(*, now: datetime) -> tuple[list[int], list[int]]:
    """Give jobs of dead workers back to the queue; fail by name what died too often.

    Returns the ids queued again and the ids ended. A job that died ``max_attempts`` times at the
    same place is not tried again: something in it kills workers. Each job is a transaction of its
    own, so that one cannot keep the others waiting. A row that is locked belongs to the living.
    """
    stale_after = timedelta(seconds=settings.JOB_STALE_SECONDS)
    requeued: list[int] = []
    ended: list[int] = []
    abandoned = Job.objects.abandoned(now, stale_after)
    for job_id in list(abandoned.order_by("pk").values_list("pk", flat=True)[:_SWEEP_LIMIT]):
        with transaction.atomic():
            job = abandoned.select_for_update(skip_locked=True).filter(pk=job_id).first()
            if job is None:
                continue
            with _language_of(job):
                reason = _("Worker %(worker)s stopped answering.") % {"worker": job.worker}
                _take_from_worker(job, now=now, reason=reason)
        (ended if job.is_final else requeued).append(job_id)
    return requeued, ended


def take_hints(*, now: datetime, limit: int = _SWEEP_LIMIT) -> list[int]:
    """Return due jobs whose hint seems lost, and note that they are hinted at now.

    A job is hinted at when it is due for a few seconds and nobody hinted at it lately: the broker
    holds at most one hint a minute of a job that waits for a busy worker.
    """
    with transaction.atomic():
        silent = Job.objects.select_for_update(skip_locked=True).without_hint(
            now,
            after=timedelta(seconds=settings.JOB_HINT_AFTER_SECONDS),
            again=timedelta(seconds=settings.JOB_HINT_AGAIN_SECONDS),
        )
        ids = [job.pk for job in silent.order_by("due_at", "pk").only("pk")[:limit]]
        # While a job is queued, its heartbeat is the last time somebody was told about it.
        Job.objects.filter(pk__in=ids).update(heartbeat_at=now)
    return ids


def worker_name() -> str:
    """Name this process for staff: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _run_chunks(run: JobRun, *, seconds: float) -> bool:
    """Run chunks until the work, the time or somebody's patience is at an end."""
    if run.job.kind not in registry.job_handlers:
        raise NotFoundError(_("There is no work of the kind “%(kind)s”.") % {"kind": run.job.kind})
    handler = registry.job_handlers.get(run.job.kind)
    deadline = time.monotonic() + seconds
    with heartbeat(run.job.pk, run.epoch):
        while True:
            if run.is_cancelled():
                finish_job(run=run, state=JobState.CANCELLED, now=timezone.now())
                return False
            if handler.run_chunk(run):
                finish_job(run=run, state=JobState.SUCCEEDED, now=timezone.now())
                return False
            if time.monotonic() >= deadline:
                return release_job(run=run, now=timezone.now())


def _held(run: JobRun) -> Job:
    """Lock and return the run's job; raises JobLostError when it is no longer ours."""
    job = Job.objects.select_for_update().filter(pk=run.job.pk).first()
    if job is None or job.epoch != run.epoch or job.state != JobState.RUNNING:
        raise JobLostError(_("The job was taken over or ended elsewhere."))
    return job


def _if_held(act: Callable[[], None]) -> None:
    """Do something to a job of ours; somebody else's by now is left alone."""
    try:
        act()
    except JobLostError as error:
        log.warning("job_lost", reason=error.message)


def _take_from_worker(
    job: Job, *, now: datetime, reason: str, wait: timedelta = timedelta(0)
) -> None:
    """Queue a locked running job again, end it when that was asked, fail it after too many."""
    job.attempts += 1
    job.save(update_fields=["attempts", "updated_at"])
    limit = settings.JOB_MAX_ATTEMPTS
    if job.kind in registry.job_handlers:
        limit = registry.job_handlers.get(job.kind).max_attempts or limit
    if job.cancel_requested_at is not None:
        _end(job, state=JobState.CANCELLED, now=now)
        return
    if job.attempts >= limit:
        message = _(
            "%(reason)s That was attempt %(count)d of %(limit)d at the same place; "
            "the job is not tried again by itself."
        ) % {"reason": reason, "count": job.attempts, "limit": limit}
        _end(job, state=JobState.FAILED, now=now, error=message)
        return
    job.state = JobState.QUEUED
    job.worker = ""
    job.epoch += 1
    job.due_at = now + wait * job.attempts
    job.heartbeat_at = None
    job.save(update_fields=["state", "worker", "epoch", "due_at", "heartbeat_at", "updated_at"])
    line = _("%(said)s %(more)s") % {"said": reason, "more": _("The job goes on by itself.")}
    JobLog.objects.create(job=job, level=LogLevel.WARNING, message=line)


def _end(job: Job, *, state: JobState, now: datetime, error: str = "") -> None:
    """End a locked job and tell its handler, once, in the caller's transaction.

    When the handler cannot take the news, the job is failed by name instead and the handler is
    not asked again; a lost connection undoes the end as a whole, and the job is ended later.
    """
    job.state = state
    job.finished_at = now
    job.error = error
    job.epoch += 1
    fields = ["state", "finished_at", "error", "epoch", "updated_at"]
    job.save(update_fields=fields)
    handler = registry.job_handlers.get(job.kind) if job.kind in registry.job_handlers else None
    if handler is None or handler.on_end is None:
        return
    try:
        with transaction.atomic():
            handler.on_end(job)
    except (OperationalError, InterfaceError):
        raise
    except Exception as failure:
        log.exception("job_end_failed", job=job.public_id, kind=job.kind)
        job.state = JobState.FAILED
        job.error = _("Its last step failed (%(name)s). The server's log has the details.") % {
            "name": _name(failure)
        }
        job.save(update_fields=fields)


def _language_of(job: Job) -> override:
    """Let what is written about a job be read by who started it."""
    return override(job.language or settings.LANGUAGE_CODE)


def _name(error: BaseException) -> str:
    return type(error).__name__
