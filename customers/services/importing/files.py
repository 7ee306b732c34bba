"""Uploaded files hold people's data: they go when they are no longer needed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from customers.enums import FileRefusal, ImportState
from customers.models import ImportBatch, ImportRow, SavedImportFile

ENDED = (
    ImportState.FINISHED,
    ImportState.FAILED,
    ImportState.CANCELLED,
    ImportState.UNDONE,
)
WAITING_DAYS = 2
"""A file that nobody brings in is kept this many days."""
FOLDER = "imports"
NEWBORN = timedelta(days=1)
"""An upload that is still going on has a file and no row yet."""
LOOKED_UP = 500


def prune_files(*, now: datetime, limit: int) -> int:
    """Remove files past their retention, and those that nobody brought in; return how many.

    The file goes first: killed in between, the row is still there to be found the next time.
    """
    kept = timedelta(days=settings.IMPORT_FILE_DAYS)
    old = Q(state__in=ENDED, updated_at__lt=now - kept)
    forgotten = Q(
        state__in=(ImportState.UPLOADED, ImportState.CHECKED),
        updated_at__lt=now - timedelta(days=WAITING_DAYS),
    )
    # A new header can be taken over as long as its saved import stands still for it.
    awaited = SavedImportFile.objects.filter(
        refusal=FileRefusal.HEADER, saved__is_active=False, batch=OuterRef("pk")
    )
    with transaction.atomic():
        batches = list(
            ImportBatch.objects.select_for_update(skip_locked=True)
            .filter(old | forgotten & ~Exists(awaited))
            .exclude(file="")
            .order_by("pk")[:limit]
        )
        for batch in batches:
            batch.file.delete(save=False)
            if batch.state not in ENDED:
                batch.state = ImportState.CANCELLED
                batch.error = _("Nobody brought it in, so the file was removed.")
            batch.save(update_fields=["file", "state", "error", "updated_at"])
            ImportRow.objects.filter(batch=batch).delete()
    return len(batches)


def prune_orphans(*, now: datetime, limit: int) -> int:
    """Remove files that belong to no import, as a web process that died leaves; return how many."""
    storage = ImportBatch._meta.get_field("file").storage
    old = _old_files(storage, FOLDER, now - NEWBORN)
    removed = 0
    while removed < limit and (names := list(islice(old, LOOKED_UP))):
        known = set(ImportBatch.objects.filter(file__in=names).values_list("file", flat=True))
        for name in [name for name in names if name not in known][: limit - removed]:
            storage.delete(name)
            removed += 1
    return removed


def _old_files(storage: Storage, folder: str, before: datetime) -> Iterator[str]:
    """Yield the files below a folder that nobody wrote to lately, by their stored names."""
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        path = f"{folder}/{name}"
        with suppress(FileNotFoundError):
            if storage.get_modified_time(path) < before:
                yield path
    for name in sorted(folders):
        yield from _old_files(storage, f"{folder}/{name}", before)
