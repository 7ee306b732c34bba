"""Try an import out: do all of it in one transaction, look at what became of the rows, undo it."""

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.models import ImportBatch
from customers.services.importing import rejects
from customers.services.importing.counts import Counts
from customers.services.importing.format import Step

FIRST_REJECTS = 20


class _UndoneError(Exception):
    """Takes back what a rehearsal wrote."""


class _Onlooker(JobRun):
    """The job as the steps of a rehearsal see it: what they note of their progress is dropped."""

    def __init__(self, run: JobRun) -> None:
        super().__init__(run.job)

    def save(self, **noted: Any) -> None:
        """Note nothing: the row of the job stays free for its heartbeat."""

    def attach_errors(self, *file: Any) -> None:
        """Keep no file."""


def rehearse(steps: tuple[tuple[str, Step], ...]) -> Step:
    """Return the one step of a dry run, which does ``steps`` and takes them back.

    What it counts is what the import will count of these rows if nobody changes the record in
    between: it is the import. It stores the counts and the first rejected rows with the batch.
    """

    def rehearsal(run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> str | None:
        staged = counts.as_dict()
        found: dict[str, Any] = {}
        with suppress(_UndoneError), transaction.atomic():
            if _do(run, batch, steps, counts):
                found = _outcome(batch, counts)
            raise _UndoneError
        if not found:
            return "cancelled"
        ImportBatch.objects.filter(pk=batch.pk).update(trial={**found, "staged": staged})
        step = gettext_noop("Tried out; nothing was changed")
        run.save(step=step, done=counts.total, result=found["rows"])
        return None

    return rehearsal


def _do(
    run: JobRun, batch: ImportBatch, steps: tuple[tuple[str, Step], ...], counts: Counts
) -> bool:
    """Do all steps; return whether nobody cancelled meanwhile."""
    onlooker = _Onlooker(run)
    for _name, step in steps:
        after: Any = ""
        while after is not None:
            if run.is_cancelled():
                return False
            after = step(onlooker, batch, after, counts)
    return True


def _outcome(batch: ImportBatch, counts: Counts) -> dict[str, Any]:
    """Return what the page shows of a dry run."""
    written = ImportBatch.objects.get(pk=batch.pk)
    return {
        "rows": counts.as_columns(),
        "is_partial": bool(counts.left_at),
        "kinds": counts.kinds,
        "notes": counts.notes,
        "remarks": counts.remarks,
        "rejected": written.audit.get("rejected", {}),
        "first": [
            {"row": row.row_number, "reason": row.reason, "cells": row.told}
            for row in rejects.told_rejects(batch.pk)[:FIRST_REJECTS]
        ],
    }
