"""The fetch's job: look, copy each new file, hand it over to the usual import, or stop."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.enums import AlertSeverity, JobState
from crm.core.errors import NotFoundError
from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.alerts import raise_alert, resolve_alert
from customers.connectors.places import Fetched, Place, Seen
from customers.enums import FetchOutcome, FileRefusal
from customers.errors import PlaceError, SavedImportStateError
from customers.models import SavedImport, SavedImportFile
from customers.selectors.saved_imports import due_saved_imports
from customers.services.saved_imports.handing import hand_over
from customers.services.saved_imports.places import failed_key, missing_key, place_of
from customers.services.saved_imports.turns import begin_next

KIND = "customers.fetch_import"
_TOLD_SECONDS = 0.5
_FOLDER = "huike-fetch-"
_LEFT_SECONDS = 3600.0


class _CancelledError(Exception):
    """Somebody asked to stop in the middle of a file."""


def start_due(*, now: datetime) -> list[int]:
    """Create the jobs of the saved imports that are due; return the jobs' ids."""
    made = []
    for saved, key in due_saved_imports(kind=KIND, now=now):
        with transaction.atomic():
            held = SavedImport.objects.select_for_update().get(pk=saved.pk)
            if held.is_active and not _is_busy(held):
                made.append(_create(held, user_id=None, key=key).pk)
    return made


def start_fetch(*, saved_id: int, user_id: int | None) -> Job:
    """Create a job that fetches now, which the caller queues after commit.

    Raises SavedImportStateError while it is paused, stopped or being fetched already.
    """
    with transaction.atomic():
        saved = SavedImport.objects.select_for_update().get(pk=saved_id)
        if not saved.is_active:
            raise SavedImportStateError(_("It is paused or stopped; resume it first."))
        if _is_busy(saved):
            raise SavedImportStateError(_("A worker fetches its files already."))
        return _create(saved, user_id=user_id, key=None)


def run_chunk(run: jobs.JobRun, *, now: datetime) -> bool:
    """Fetch the oldest file that is new and hand it over; return True when none is left.

    A file is handed over and noted in one transaction: a fetch that was killed starts again, and
    no file comes in twice.
    """
    saved = SavedImport.objects.filter(pk=run.parameters["saved"]).first()
    if saved is None:
        raise NotFoundError(_("This saved import was removed."))
    if not saved.is_active:
        raise SavedImportStateError(_("It is paused or stopped; resume it first."))
    try:
        return _fetch_next(run, saved, now)
    except _CancelledError:
        return False
    except PlaceError as error:
        run.save(result={**run.job.result, "problem": _reason(error)})
        raise


def on_end(job: Job, *, now: datetime) -> None:
    """Note how the fetch ended; alert when it failed, or when no new file has come for long."""
    saved = SavedImport.objects.select_for_update().filter(pk=job.parameters["saved"]).first()
    if saved is None:
        return
    saved.last_run_at = now
    saved.problem = {}
    link = reverse("admin:customers_savedimport_change", args=[saved.pk])
    if job.state == JobState.CANCELLED:
        saved.last_outcome = FetchOutcome.CANCELLED
    elif job.state == JobState.SUCCEEDED:
        taken = job.result.get("taken", 0)
        saved.last_outcome = FetchOutcome.TAKEN if taken else FetchOutcome.NOTHING_NEW
        if unreadable := job.result.get("unreadable"):
            saved.last_outcome = FetchOutcome.FAILED
            saved.problem = {"code": "file_unreadable", "parameters": {"file": unreadable}}
        resolve_alert(key=failed_key(saved), now=now)
    elif saved.stopped_reason:
        saved.last_outcome = FetchOutcome.STOPPED
    else:
        other = {"code": "other", "parameters": {"error": job.error[:500]}}
        saved.last_outcome = FetchOutcome.FAILED
        saved.problem = job.result.get("problem") or other
        raise_alert(
            key=failed_key(saved),
            code="saved_import_failed",
            severity=AlertSeverity.ERROR,
            parameters={"name": saved.name, "reason": saved.problem},
            link=link,
            now=now,
        )
    saved.save(update_fields=["last_run_at", "last_outcome", "problem", "updated_at"])
    _watch_missing(saved, link, now)


def _watch_missing(saved: SavedImport, link: str, now: datetime) -> None:
    """Alert when the newest file is older than it may be; take that back when one came."""
    since = max(saved.last_file_at or saved.active_since, saved.active_since)
    days = saved.missing_days
    if not saved.is_active or not days or now - since <= timedelta(days=days):
        resolve_alert(key=missing_key(saved), now=now)
        return
    raise_alert(
        key=missing_key(saved),
        code="saved_import_missing",
        parameters={"name": saved.name, "days": days},
        link=link,
        now=now,
    )


def _is_busy(saved: SavedImport) -> bool:
    return saved.job_id is not None and not Job.objects.get(pk=saved.job_id).is_final


def _create(saved: SavedImport, *, user_id: int | None, key: str | None) -> Job:
    job, _created = jobs.create_job(
        kind=KIND,
        title=f"Fetch files for “{saved.name}”",
        parameters={"saved": saved.pk, "name": saved.name},
        key=key,
        user_id=user_id,
    )
    saved.job = job
    saved.save(update_fields=["job", "updated_at"])
    return job


def _fetch_next(run: jobs.JobRun, saved: SavedImport, now: datetime) -> bool:
    _clear_leftovers(Path(tempfile.gettempdir()))
    place = place_of(saved)
    seen = _first_new(saved, place.look(), set(run.cursor.get("seen", ())))
    if seen is None:
        begin_next(saved_id=saved.pk, now=now)
        return True
    run.save(step=gettext_noop("Fetching"), done=0, total=seen.size)
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder:
        path = Path(folder) / "file"
        fetched, sha256 = _copy(run, place, seen, path)
        file = SavedImportFile(
            saved=saved,
            name=seen.name,
            size=fetched.size,
            version=fetched.version,
            sha256=sha256,
            taken_at=now,
        )
        try:
            with transaction.atomic():
                stopped = _take(run, file, path, mark=_mark(seen), is_new=fetched.is_new)
        except BaseException:
            if file.batch is not None:
                file.batch.file.delete(save=False)
            raise
    if stopped is not None:
        raise stopped
    return False


def _take(
    run: jobs.JobRun, file: SavedImportFile, path: Path, *, mark: str, is_new: bool
) -> Exception | None:
    """Note a file as seen and hand it over if it is a new one; return what stops the rest."""
    now = file.taken_at
    saved = SavedImport.objects.select_for_update().get(pk=file.saved_id)
    if not saved.is_active:
        raise SavedImportStateError(_("It is paused or stopped; resume it first."))
    stopped, is_taken = None, False
    if is_new:
        former = SavedImportFile.objects.filter(saved=saved, name=file.name).order_by("-pk").first()
        if former is None or former.sha256 != file.sha256:
            stopped = hand_over(saved, file, path, now=now)
            is_taken = file.refusal != FileRefusal.UNREADABLE
        file.save()
    if is_taken:
        SavedImport.objects.filter(pk=saved.pk).update(last_file_at=now)
    if is_taken and stopped is None:
        begin_next(saved_id=saved.pk, now=now)
    result = {**run.job.result, "taken": run.job.result.get("taken", 0) + is_taken}
    if file.refusal == FileRefusal.UNREADABLE:
        result["unreadable"] = file.name
    cursor = {"seen": [*run.cursor.get("seen", ()), mark]}
    run.save(step=_step(file, is_taken=is_taken), cursor=cursor, result=result, done=file.size)
    return stopped


def _step(file: SavedImportFile, *, is_taken: bool) -> str:
    if file.refusal:
        return gettext_noop("Not brought in")
    return gettext_noop("Handed over") if is_taken else gettext_noop("Unchanged")


def _clear_leftovers(folder: Path) -> None:
    """Remove what fetches left behind whose worker was killed."""
    for left in folder.glob(f"{_FOLDER}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                shutil.rmtree(left)


def _copy(run: jobs.JobRun, place: Place, seen: Seen, path: Path) -> tuple[Fetched, str]:
    """Copy a file here, showing how far it is; raises _CancelledError when asked to stop."""
    with path.open("wb") as target:
        fetched = place.fetch(seen, target, _teller(run))
    with path.open("rb") as source:
        return fetched, hashlib.file_digest(source, "sha256").hexdigest()


def _teller(run: jobs.JobRun) -> Callable[[int], None]:
    asked = time.monotonic()

    def told(size: int) -> None:
        nonlocal asked
        if time.monotonic() - asked < _TOLD_SECONDS:
            return
        asked = time.monotonic()
        run.report(done=size)
        if run.is_cancelled():
            raise _CancelledError

    return told


def _first_new(saved: SavedImport, files: list[Seen], in_this_job: set[str]) -> Seen | None:
    """Return the oldest file that was not read as it is now."""
    known = set(
        SavedImportFile.objects.filter(saved=saved, name__in=[one.name for one in files])
        .exclude(version="")
        .values_list("name", "size", "version")
    )
    for one in files:
        if _mark(one) in in_this_job:
            continue
        if not one.version or (one.name, one.size, one.version) not in known:
            return one
    return None


def _mark(seen: Seen) -> str:
    # Where nobody tells a version, a file is read once a job.
    return f"{seen.name}:{seen.size}:{seen.version}" if seen.version else seen.name


def _reason(error: PlaceError) -> dict[str, Any]:
    return {"code": error.reason, "parameters": error.parameters}
