"""From a row of the file to a row of the staging table."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from customers.connectors import online_retail
from customers.connectors.tables import RawRow
from customers.models import ImportBatch
from customers.selectors.shop import shop_settings
from customers.services.importing.format import OneByOne

FUTURE = gettext_noop("the date lies in the future")


def missing(header: list[str]) -> tuple[list[str], int]:
    """Return the columns a header lacks, and how many must be there."""
    return online_retail.match_columns(header)[1], len(online_retail.COLUMNS)


def stager(
    batch: ImportBatch, header: list[str], latest: datetime, _state: dict[str, Any]
) -> OneByOne:
    """Return what turns a row into the staging table's columns."""
    zone = ZoneInfo(shop_settings().zone)
    columns, _missing = online_retail.match_columns(header)

    def to_columns(row: RawRow) -> tuple[Any, ...]:
        line = online_retail.parse(row, columns)
        placed_at = line.placed.replace(tzinfo=zone) if line.placed else None
        reason = line.reason
        if not reason and placed_at is not None and placed_at > latest:
            reason = FUTURE
        return (
            "",
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
            "{}",
        )

    return OneByOne(to_columns)
