"""Bring a file's rows into the staging table by COPY."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _

from crm.core.services.jobs import JobRun
from customers.connectors import online_retail, tables
from customers.models import ImportBatch
from customers.selectors.shop import shop_settings
from customers.services.importing.counts import Counts

STEP = 25_000
MOST_FUTURE = timedelta(minutes=5)
COPY = """
    COPY customers_importrow (batch_id, row_number, original, reason, order_number, sku, title,
        quantity, unit_price, placed_at, customer_key, country, is_cancellation)
    FROM STDIN
"""


def stage_rows(
    run: JobRun, batch: ImportBatch, after: dict[str, Any], counts: Counts
) -> dict[str, Any] | None:
    """Copy the next rows; return the place behind the last one, or None at the end of the file."""
    zone = ZoneInfo(shop_settings().zone)
    latest = batch.created_at + MOST_FUTURE
    path = Path(batch.file.path)
    layout = tables.Layout(**after["layout"]) if after else tables.read_layout(path)
    row, byte = after.get("row", 0), after.get("byte", 0)
    columns, _missing = online_retail.match_columns(layout.names)
    staged = 0
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for raw in tables.read_rows(path, layout, after=row, byte=byte):
            line = online_retail.parse(raw, columns)
            copy.write_row(_values(batch.pk, line, zone, latest))
            staged += 1
            if staged == STEP:
                break
    counts.total += staged
    run.job.total = counts.total
    run.save(step=_("Reading the file"), total=counts.total)
    if staged < STEP:
        return None
    return {"layout": asdict(layout), "row": raw.number, "byte": raw.end}


def _values(
    batch_id: int, line: online_retail.ParsedLine, zone: ZoneInfo, latest: datetime
) -> tuple[Any, ...]:
    placed_at = line.placed.replace(tzinfo=zone) if line.placed else None
    reason = line.reason
    if not reason and placed_at is not None and placed_at > latest:
        reason = "the date lies in the future"
    return (
        batch_id,
        line.number,
        json.dumps(line.cells, ensure_ascii=False),
        reason[:200],
        line.invoice,
        line.sku,
        line.title,
        line.quantity,
        line.price,
        placed_at,
        line.customer,
        line.country,
        line.is_cancellation and not reason,
    )
