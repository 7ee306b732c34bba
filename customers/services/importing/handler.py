"""The import's job: stage the rows, then do the steps of the file's format, or try them out."""

import time
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.services.jobs import JobRun
from customers.enums import ImportState
from customers.models import ImportBatch, ImportRow
from customers.services.importing import formats
from customers.services.importing.changes import recorded
from customers.services.importing.counts import Counts
from customers.services.importing.format import Step
from customers.services.importing.rehearsal import rehearse
from customers.services.importing.staging import stage_rows
from customers.services.rates import check_rates


def run_chunk(run: JobRun) -> bool:
    """Do steps of the current phase for some seconds; return True when the import has ended.

    Each step is one transaction: its rows, its counts and the resume point appear together.
    """
    batch = ImportBatch.objects.select_related("source").get(pk=run.parameters["batch"])
    if batch.state != ImportState.RUNNING:
        ImportBatch.objects.filter(pk=batch.pk).update(state=ImportState.RUNNING)
    steps = _steps(run, batch)
    names = [name for name, _step in steps]
    deadline = time.monotonic() + settings.JOB_CHUNK_SECONDS / 2
    while True:
        cursor = run.cursor or _start(batch, names)
        place = names.index(cursor["phase"])
        counts = Counts(**cursor["counts"])
        with transaction.atomic(), recorded(batch.pk):
            after = steps[place][1](run, batch, cursor["after"], counts)
            if after is None and place == len(steps) - 1:
                return True
            goes_on = {"phase": cursor["phase"], "after": after}
            if after is None:
                goes_on = {"phase": names[place + 1], "after": ""}
            run.save(cursor={**goes_on, "counts": counts.as_dict()}, done=counts.done)
        if run.is_cancelled() or time.monotonic() > deadline:
            return False


def _steps(run: JobRun, batch: ImportBatch) -> list[tuple[str, Step]]:
    steps = formats.of(batch).steps
    if run.parameters.get("dry_run"):
        staging = partial(stage_rows, most=settings.DRY_RUN_ROWS)
        return [("stage", staging), ("rehearse", rehearse(steps))]
    return [("stage", stage_rows), *steps]


def _start(batch: ImportBatch, names: list[str]) -> dict[str, Any]:
    """Return where a job begins: behind what a dry run has staged, when its rows are still there.

    Where the dry run did not read the whole file, staging goes on behind its last row.
    """
    rows = ImportRow.objects.filter(batch=batch)
    staged = batch.trial.get("staged")
    if staged and rows.count() == staged["records"]:
        if staged.get("left_at"):
            goes_on = {"phase": names[0], "after": staged["left_at"]}
            return {**goes_on, "counts": {**staged, "left_at": {}}}
        return {"phase": names[1], "after": "", "counts": staged}
    rows.delete()
    return {"phase": "stage", "after": {}, "counts": {}}


def on_end(job: Job) -> None:
    """Bring the import's own row into the state its job ended in, and clear the staging rows.

    A dry run leaves them: the import that follows need not read the file again. Orders that came
    in and cannot be counted are told at once.
    """
    states = {
        JobState.SUCCEEDED: ImportState.FINISHED,
        JobState.FAILED: ImportState.FAILED,
        JobState.CANCELLED: ImportState.CANCELLED,
    }
    batch = ImportBatch.objects.filter(pk=job.parameters["batch"])
    if job.parameters.get("dry_run") and job.state == JobState.SUCCEEDED:
        batch.update(state=ImportState.CHECKED, error="")
        return
    batch.update(state=states[JobState(job.state)], error=job.error)
    if job.state != JobState.SUCCEEDED and not job.parameters.get("dry_run"):
        counts = Counts(**(job.cursor or {}).get("counts", {}))
        batch.update(**counts.as_columns())
    ImportRow.objects.filter(batch_id=job.parameters["batch"]).delete()
    if not job.parameters.get("dry_run"):
        check_rates(now=job.finished_at or job.updated_at)
