"""The export's job: write the list in parts by keyset, then make one file of the parts."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.selectors.reach import limit_of
from crm.core.services.jobs import JobRun
from customers.connectors.tables.writing import WRITERS, Field, Part, UnwritableError
from customers.enums import ExportKind, ExportState
from customers.errors import ExportRefusedError
from customers.models import Export
from customers.selectors.exporting import (
    KINDS,
    exportable,
    fields_for,
    permissions_to_take,
    read_rows,
    without_people,
)
from customers.selectors.reach import is_of
from customers.selectors.shop import shop_settings
from customers.services.exporting import folders
from customers.services.exporting.starting import refusal

Select = Callable[[Export], QuerySet[Any]]
"""Makes the list again that was asked for, as who asked may see it."""


def run_chunk(run: JobRun, *, select: Select, now: datetime) -> bool:
    """Write parts for some seconds, or make the file of them; return True when it is there.

    A part counts from the commit that names it; what a killed worker left behind is written anew
    under another name.
    """
    export = Export.objects.select_related("source", "created_by").get(pk=run.parameters["export"])
    if export.state == ExportState.READY:
        return True
    _refuse_strangers(export)
    rows = exportable(KINDS[ExportKind(export.kind)], select(export), export.source)
    deadline = time.monotonic() + settings.JOB_CHUNK_SECONDS / 2
    if not run.cursor:
        _start(run, export, rows)
    try:
        while _write_part(run, export, rows):
            if run.is_cancelled() or time.monotonic() > deadline:
                return False
        _finish(run, export, now)
    except UnwritableError as error:
        raise refusal(error) from error
    return True


def on_end(job: Job) -> None:
    """Bring the export's row into the state its job ended in; without a file nothing is left."""
    if job.state == JobState.SUCCEEDED:
        return
    export = Export.objects.select_for_update(of=("self",)).get(pk=job.parameters["export"])
    is_cancelled = job.state == JobState.CANCELLED
    export.state = ExportState.CANCELLED if is_cancelled else ExportState.FAILED
    export.error, export.file = job.error, ""
    export.filters = without_people(export.filters)
    export.save(update_fields=["state", "error", "file", "filters", "updated_at"])
    public_id = export.public_id
    transaction.on_commit(lambda: folders.remove_folder(public_id))


def _refuse_strangers(export: Export) -> None:
    """Refuse for people who left or lost a permission since they asked."""
    user = export.created_by
    needed = permissions_to_take(export)
    if (
        user is None
        or not user.is_active
        or not user.has_perms(needed)
        or not is_of(export.source_id, user)
    ):
        raise ExportRefusedError(_("Who asked for this export may not take these rows out."))


def _start(run: JobRun, export: Export, rows: QuerySet[Any]) -> None:
    """Fix columns and the last row: what comes in later belongs to the next export."""
    fields = fields_for(KINDS[ExportKind(export.kind)], export.created_by)
    last = rows.order_by().aggregate(last=Max("pk"))["last"] or 0
    run.save(
        step=gettext_noop("Writing rows"),
        total=rows.order_by().values("pk").count(),
        cursor={
            "fields": [[field.name, field.type] for field in fields],
            "after": 0,
            "until": last,
            "rows": 0,
            "parts": [],
        },
    )


def _write_part(run: JobRun, export: Export, rows: QuerySet[Any]) -> bool:
    """Write the next rows to a part of their own; return False when there are none."""
    kind = KINDS[ExportKind(export.kind)]
    cursor = run.cursor
    with transaction.atomic():
        page = rows.filter(pk__gt=cursor["after"], pk__lte=cursor["until"]).order_by("pk")
        ids = list(page.values_list("pk", flat=True)[: kind.rows])
        if not ids:
            return False
        fields = _fields(cursor)
        name = f"{len(cursor['parts']) + 1:06d}-{run.epoch}.part"
        written = WRITERS[export.format].write_part(
            folders.make_folder(export.public_id) / name,
            fields,
            read_rows(
                kind,
                ids,
                fields,
                export.source,
                shop_settings(),
                shows_contacts=export.shows_contacts,
                sources=limit_of(export.created_by),
            ),
            cursor["rows"],
        )
        done = cursor["rows"] + written
        parts = [*cursor["parts"], [name, written]]
        run.save(done=done, cursor={**cursor, "after": ids[-1], "rows": done, "parts": parts})
    return True


def _finish(run: JobRun, export: Export, now: datetime) -> None:
    """Make the file, then let it be seen; the parts go."""
    cursor = run.cursor
    folder = folders.make_folder(export.public_id)
    parts = [Part(folder / name, rows) for name, rows in cursor["parts"]]
    run.save(step=gettext_noop("Packing the file"))
    unnamed = folder / f"{run.epoch}.new"
    WRITERS[export.format].join(unnamed, _fields(cursor), parts)
    size = unnamed.stat().st_size
    name = f"{run.epoch}.{export.format}"
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(
            state=ExportState.READY,
            file=folders.publish(unnamed, name),
            rows=cursor["rows"],
            size=size,
            expires_at=now + timedelta(days=settings.EXPORT_RETENTION_DAYS),
            updated_at=now,
        )
        run.save(
            step=gettext_noop("Finished"),
            done=cursor["rows"],
            total=cursor["rows"],
            result={"rows": cursor["rows"], "size": size, "export": export.public_id},
        )
        transaction.on_commit(lambda: folders.keep_only(folder, name))


def _fields(cursor: dict[str, Any]) -> list[Field]:
    return [Field(name, type) for name, type in cursor["fields"]]
