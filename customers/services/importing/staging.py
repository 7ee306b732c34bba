"""Bring a file's rows into the staging table by COPY."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.connectors import tables
from customers.models import ImportBatch
from customers.services.importing import formats
from customers.services.importing.counts import Counts

STEP = 25_000
MOST_FUTURE = timedelta(minutes=5)
COPY = """
    COPY customers_importrow (batch_id, row_number, kind, original, reason, order_number, sku,
        title, quantity, unit_price, placed_at, customer_key, country, is_cancellation, parsed)
    FROM STDIN
"""


def stage_rows(
    run: JobRun, batch: ImportBatch, after: dict[str, Any], counts: Counts, most: int | None = None
) -> dict[str, Any] | None:
    """Copy the next rows; return the place behind the last one, or None at the end of the file.

    With ``most``, no more rows of the file than that are read: the end may then come earlier, and
    the place where the rest begins is in ``counts.left_at``.
    """
    path = Path(batch.file.path)
    layout = tables.Layout(**after["layout"]) if after else tables.read_layout(path)
    row, byte = after.get("row", 0), after.get("byte", 0)
    latest = batch.created_at + MOST_FUTURE
    stager = formats.of(batch).stager(batch, layout.names, latest, after.get("state", {}))
    room = STEP if most is None else max(min(STEP, most - counts.total), 0)
    staged, place = 0, None
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for raw in tables.read_rows(path, layout, after=row, byte=byte):
            if staged == room:
                place = {
                    "layout": asdict(layout),
                    "row": row,
                    "byte": byte,
                    "state": stager.state,
                }
                break
            row, byte = raw.number, raw.end
            for columns in stager(raw):
                copy.write_row((batch.pk, raw.number, *columns))
                counts.records += 1
            staged += 1
    counts.total += staged
    counts.add_remarks(stager.remarks)
    run.job.total = counts.total
    run.save(step=gettext_noop("Reading the file"), total=counts.total)
    if place and most is not None and counts.total >= most:
        counts.left_at = place
        return None
    return place
