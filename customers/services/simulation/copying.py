"""Bring columns into a table by COPY."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from customers.services.simulation.world.arrays import NEVER, Bools, Ints

_PLAIN = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")


def instants(microseconds: Ints) -> Any:
    """Return a column of instants, empty where the time never comes."""
    never = microseconds == NEVER
    return pa.array(np.where(never, 0, microseconds), pa.timestamp("us", "UTC"), mask=never)


def days(epoch_days: Ints, missing: Bools | None = None) -> Any:
    """Return a column of dates."""
    return pa.array(epoch_days.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())


def money(coins: Ints, unit: float) -> Any:
    """Return a column of amounts from whole coins."""
    per = round(1.0 / unit)
    return pa.array(coins / per)


def keys(ids: Ints, missing: Bools | None = None) -> Any:
    """Return a column of keys, empty where there is none."""
    return pa.array(ids, pa.int64(), mask=missing)


def same(value: Any, size: int) -> Any:
    """Return a column that says the same in every row."""
    return pa.repeat(pa.scalar(value), size)


def copy_in(cursor: Any, table: str, columns: Mapping[str, Any]) -> int:
    """Copy columns into a table; return the rows."""
    data = pa.table({name: _column(value) for name, value in columns.items()})
    if not data.num_rows:
        return 0
    text = io.BytesIO()
    pyarrow.csv.write_csv(data, text, _PLAIN)
    names = ", ".join(columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getbuffer())
    return data.num_rows


def _column(value: Any) -> Any:
    return value if isinstance(value, (pa.Array, pa.ChunkedArray)) else pa.array(value)
