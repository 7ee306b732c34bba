"""Parquet, one batch of rows at a time."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from customers.connectors.tables.layout import (
    LONGEST_FIELD,
    PARQUET,
    Layout,
    RawRow,
    long_cell,
    name_columns,
)
from customers.connectors.tables.numbers import number
from customers.errors import UnreadableFileError

MAGIC = b"PAR1"
ROWS = 5_000
MOST_IN_GROUP = 512 * 1024 * 1024
TEXTS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
)
BROKEN = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError)


def read_layout(path: Path) -> Layout:
    """Return the columns; raises UnreadableFileError for no Parquet, or one too large."""
    file = _open(path)
    names, doubled = name_columns(file.schema_arrow.names)
    for group in range(file.num_row_groups):
        if file.metadata.row_group(group).total_byte_size > MOST_IN_GROUP:
            raise UnreadableFileError(
                _("A row group of the file unpacks to more than 512 MB; write smaller ones.")
            )
    return Layout(names, kind=PARQUET, doubled=doubled)


def read_rows(path: Path, layout: Layout, after: int) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``."""
    file = _open(path)
    number, group = 0, 0
    while group < file.num_row_groups:
        rows = file.metadata.row_group(group).num_rows
        if number + rows > after:
            break
        number += rows
        group += 1
    groups = list(range(group, file.num_row_groups))
    try:
        for batch in file.iter_batches(batch_size=ROWS, row_groups=groups):
            if number + batch.num_rows <= after:
                number += batch.num_rows
                continue
            columns = [_values(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                number += 1
                if number > after:
                    yield RawRow(number, dict(zip(layout.names, map(_text, values), strict=False)))
    except BROKEN as error:
        raise _unreadable() from error


def _open(path: Path) -> "pq.ParquetFile":
    try:
        texts = [
            field.name
            for field in pq.read_schema(path)
            if any(is_text(field.type) for is_text in TEXTS)
        ]
        # Text stays as the dictionary it is written as: repeated, it could be of any size.
        return pq.ParquetFile(path, read_dictionary=texts)
    except BROKEN as error:
        raise _unreadable() from error


def _values(column: "pa.Array") -> list[Any]:
    """Return a batch's values; a text that repeats is held once, and none is longer than a cell."""
    if pa.types.is_dictionary(column.type):
        different = _values(column.dictionary)
        places = column.indices.to_pylist()
        return [None if place is None else different[place] for place in places]
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        length = pc.utf8_length if pa.types.is_string(column.type) else pc.binary_length
        if (pc.max(length(column)).as_py() or 0) > LONGEST_FIELD:
            raise long_cell()
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        # Days and times beyond what Python counts: each row says for itself that it has none.
        return list(column.cast(pa.string()).to_pylist())


def _unreadable() -> UnreadableFileError:
    return UnreadableFileError(_("This is no readable Parquet file; export it again."))


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - not a number is a missing number
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # A number without end is no missing one: its row says so.
        return (number(repr(value)) or repr(value)) if value else "0"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        # Old writers do not mark text as text.
        value = value.decode(errors="replace")
    return str(value)[:LONGEST_FIELD].replace("\0", "")
