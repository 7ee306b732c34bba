"""The life of a job: made, claimed, run in chunks, cancelled, finished, taken over."""

import os
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.core.enums import JobState, LogLevel
from crm.core.errors import DomainError, JobLostError, NotFoundError, WrongStateError
from crm.core.models import Job, JobLog
from crm.core.registry import registry

log = structlog.get_logger(__name__)


class JobRun:
    """A worker's hold on one job: the only way a handler reports progress.

    Every write checks the epoch; when another worker has taken the job over, it raises
    JobLostError and, inside the handler's transaction, takes the handler's rows back with it.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.epoch = job.epoch

    @property
    def parameters(self) -> dict[str, Any]:
        """What the job was asked to do."""
        return dict(self.job.parameters)

    @property
    def cursor(self) -> dict[str, Any]:
        """Where the last committed chunk ended."""
        return dict(self.job.cursor)

    def save(self, **changes: Any) -> None:
        """Store progress: ``done``, ``total``, ``cursor``, ``step``, ``result``, ``error_file``."""
        changes |= {"heartbeat_at": timezone.now(), "updated_at": timezone.now()}
        held = Job.objects.filter(pk=self.job.pk, epoch=self.epoch, state=JobState.RUNNING)
        if not held.update(**changes):
            raise JobLostError(_("The job was taken over or ended elsewhere."))
        for name, value in changes.items():
            setattr(self.job, name, value)

    def say(self, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Add a line to the job's log."""
        JobLog.objects.create(job=self.job, level=level, message=message)

    def attach_errors(self, name: str, content: "File[Any]") -> None:
        """Store the error file staff may download."""
        self.job.error_file.save(name, content, save=False)
        self.save(error_file=self.job.error_file.name)

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
        job = Job.objects.select_for_update().get(pk=job_id)
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
        job.save()
    return JobRun(job)


def run_job(*, job_id: int, worker: str, now: datetime, seconds: float) -> bool:
    """Run chunks of a job for about ``seconds``; return True when it wants to go on later.

    A handler's DomainError fails the job with its message; any other exception fails it with the
    exception's name, and the traceback goes to the log only.
    """
    run = claim_job(job_id=job_id, worker=worker, now=now)
    if run is None:
        return False
    handler = registry.job_handlers.get(run.job.kind)
    deadline = time.monotonic() + seconds
    try:
        with heartbeat(run):
            while True:
                if run.is_cancelled():
                    finish_job(run=run, state=JobState.CANCELLED, now=timezone.now())
                    return False
                if handler.run_chunk(run):
                    finish_job(run=run, state=JobState.SUCCEEDED, now=timezone.now())
                    return False
                if time.monotonic() >= deadline:
                    return release_job(run=run, now=timezone.now())
    except JobLostError:
        log.warning("job_lost", job=run.job.public_id, epoch=run.epoch)
        return False
    except DomainError as error:
        finish_job(run=run, state=JobState.FAILED, now=timezone.now(), error=error.message)
    except Exception as error:
        log.exception("job_failed", job=run.job.public_id, kind=run.job.kind)
        message = _("It stopped because of an internal error (%(name)s: %(text)s).") % {
            "name": type(error).__name__,
            "text": traceback.format_exception_only(error)[-1].strip()[:500],
        }
        finish_job(run=run, state=JobState.FAILED, now=timezone.now(), error=message)
    return False


def release_job(*, run: JobRun, now: datetime) -> bool:
    """Put a running job back in the queue between two chunks; return whether it was still ours."""
    return bool(
        Job.objects.filter(pk=run.job.pk, epoch=run.epoch, state=JobState.RUNNING).update(
            state=JobState.QUEUED, heartbeat_at=now, due_at=now, worker=""
        )
    )


def finish_job(*, run: JobRun, state: JobState, now: datetime, error: str = "") -> None:
    """End a job that is still ours."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=run.job.pk)
        if job.epoch != run.epoch or job.state != JobState.RUNNING:
            raise JobLostError(_("The job was taken over or ended elsewhere."))
        _end(job, state=state, now=now, error=error)


def requeue_abandoned(*, now: datetime) -> tuple[list[int], list[int]]:
    """Give jobs of dead workers back to the queue; fail by name what died too often.

    Returns the ids queued again and the ids failed. A job that died ``max_attempts`` times is not
    tried again: something in it kills workers.
    """
    stale_after = timedelta(seconds=settings.JOB_STALE_SECONDS)
    requeued: list[int] = []
    failed: list[int] = []
    with transaction.atomic():
        lost = Job.objects.select_for_update(skip_locked=True).abandoned(now, stale_after)
        for job in lost.order_by("pk")[:100]:
            worker = job.worker
            job.attempts += 1
            job.epoch += 1
            limit = settings.JOB_MAX_ATTEMPTS
            if job.kind in registry.job_handlers:
                limit = registry.job_handlers.get(job.kind).max_attempts or limit
            if job.attempts >= limit:
                message = _(
                    "Worker %(worker)s stopped answering, for the %(count)d. time. "
                    "The job is not tried again by itself."
                ) % {"worker": worker, "count": job.attempts}
                _end(job, state=JobState.FAILED, now=now, error=message)
                failed.append(job.pk)
                continue
            job.state = JobState.QUEUED
            job.worker = ""
            job.due_at = now
            job.save()
            JobLog.objects.create(
                job=job,
                level=LogLevel.WARNING,
                message=_("Worker %(worker)s stopped answering; the job goes on elsewhere.")
                % {"worker": worker},
            )
            requeued.append(job.pk)
    return requeued, failed


def due_job_ids(*, now: datetime, limit: int = 100) -> list[int]:
    """Return queued jobs that should be running by now, oldest first."""
    due = Job.objects.queued_and_due(now).order_by("due_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def worker_name() -> str:
    """Name this process for staff: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def heartbeat(run: JobRun) -> Iterator[None]:
    """Refresh the job's heartbeat from a thread of its own, however long a statement takes."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                Job.objects.filter(pk=run.job.pk, epoch=run.epoch).update(
                    heartbeat_at=timezone.now()
                )
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{run.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _end(job: Job, *, state: JobState, now: datetime, error: str = "") -> None:
    job.state = state
    job.finished_at = now
    job.error = error
    job.epoch = F("epoch") + 1
    job.save()
    job.refresh_from_db()
    handler = registry.job_handlers.get(job.kind) if job.kind in registry.job_handlers else None
    if handler is not None and handler.on_end is not None:
        handler.on_end(job)
