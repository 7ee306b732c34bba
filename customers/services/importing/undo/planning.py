"""What an undo would do, and whether it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.core.errors import WrongStateError
from customers.enums import ImportState
from customers.errors import UndoRefusedError, UndoTooLateError
from customers.models import ImportBatch, ImportChange
from customers.services.importing.changes import kept_until
from customers.services.importing.undo import checking, naming, workset
from customers.services.importing.undo.naming import Refusal

NAMED = 20
CHECKED_AT_ONCE = 50_000
"""With more changes than this, comparing takes longer than a page may: the job does it."""
STATES = (ImportState.FINISHED, ImportState.FAILED, ImportState.CANCELLED)


@dataclass(frozen=True)
class Effect:
    """How many rows of a table are removed, restored to what they were, and brought back."""

    label: str
    removed: int
    restored: int
    returned: int


@dataclass(frozen=True)
class Plan:
    """What an undo would do. ``refusals`` are the first of ``refused`` that stand in its way.

    ``is_checked`` is False when there is so much that only the job compares it.
    """

    effects: Sequence[Effect]
    refusals: Sequence[Refusal] = ()
    refused: int = 0
    is_checked: bool = True

    @property
    def others(self) -> int:
        """Return how many stand in the way besides those that are named."""
        return self.refused - len(self.refusals)


def plan_undo(batch: ImportBatch) -> Plan:
    """Return what undoing an import would do now; nothing is changed."""
    is_small = not ImportChange.objects.filter(batch=batch)[CHECKED_AT_ONCE:].exists()
    with transaction.atomic(), connection.cursor() as cursor:
        if not is_small:
            return Plan(effects(workset.count(cursor, batch.pk)), is_checked=False)
        fates = workset.make(cursor, batch.pk)
        refusals, refused = find_refusals(cursor, batch.pk, fates)
        workset.drop(cursor)
    return Plan(effects(fates), refusals, refused)


def check_undo(batch: ImportBatch, *, now: datetime) -> None:
    """Refuse an import that is not of the state to be undone, by any job.

    Raises WrongStateError, and UndoTooLateError when what it changed is no longer kept.
    """
    if batch.state == ImportState.UNDONE:
        raise WrongStateError(_("This import was undone already."))
    if batch.state not in STATES:
        raise WrongStateError(_("This import has not ended. Wait for its end, or cancel its job."))
    until = kept_until(batch)
    if not batch.keeps_changes or until <= now:
        raise UndoTooLateError(
            _("It is too late: what this import changed was kept until %(day)s.")
            % {"day": date_format(timezone.localtime(min(until, now)), "DATE_FORMAT")}
        )


def find_refusals(cursor: Any, batch_id: int, fates: workset.Fates) -> tuple[list[Refusal], int]:
    """Return the first refusals by name, and how many rows stand in the way."""
    hits, refused = checking.find(cursor, batch_id, fates, most=NAMED)
    return naming.refusals(hits), refused


def refusal(refusals: Sequence[Refusal], refused: int) -> UndoRefusedError:
    """Return the error that says so; its message, which is kept, names nobody."""
    sentences = naming.words(refusals)
    message = ngettext(
        "Nothing was undone: %(count)d row was changed since, or is needed.",
        "Nothing was undone: %(count)d rows were changed since, or are needed.",
        refused,
    )
    return UndoRefusedError(
        message % {"count": refused},
        refusals=[
            {**one.as_dict(), "says": says} for one, says in zip(refusals, sentences, strict=True)
        ],
        others=refused - len(refusals),
    )


def effects(fates: workset.Fates) -> list[Effect]:
    """Return the counts by table, in words."""
    return [
        Effect(
            capfirst(str(model._meta.verbose_name_plural)),
            *(counts.get(fate, 0) for fate in ("remove", "restore", "return")),
        )
        for model, counts in fates.items()
    ]
