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
    run: JobRun, batch: ImportBatch, after: dict[str, Any], counts: Counts
) -> dict[str, Any] | None:
    """Copy the next rows; return the place behind the last one, or None at the end of the file."""
    path = Path(batch.file.path)
    layout = tables.Layout(**after["layout"]) if after else tables.read_layout(path)
    row, byte = after.get("row", 0), after.get("byte", 0)
    latest = batch.created_at + MOST_FUTURE
    stager = formats.of(batch).stager(batch, layout.names, latest, after.get("state", {}))
    staged = 0
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for raw in tables.read_rows(path, layout, after=row, byte=byte):
            for columns in stager(raw):
                copy.write_row((batch.pk, raw.number, *columns))
                counts.records += 1
            staged += 1
            if staged == STEP:
                break
    counts.total += staged
    counts.add_remarks(stager.remarks)
    run.job.total = counts.total
    run.save(step=gettext_noop("Reading the file"), total=counts.total)
    if staged < STEP:
        return None
    return {
        "layout": asdict(layout),
        "row": raw.number,
        "byte": raw.end,
        "state": stager.state,
    }
