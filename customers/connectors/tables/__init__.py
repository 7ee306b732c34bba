"""Read CSV, XLSX and Parquet files row by row as text, in bounded memory, from any place on."""

from collections.abc import Iterator
from pathlib import Path

from customers.connectors.tables import kinds, parquet, text, xlsx
from customers.connectors.tables.layout import (
    CSV,
    LONGEST_FIELD,
    MOST_COLUMNS,
    PARQUET,
    TORN,
    XLSX,
    Layout,
    RawRow,
)

READERS = {CSV: text.read_layout, PARQUET: parquet.read_layout, XLSX: xlsx.read_layout}


def read_layout(path: Path) -> Layout:
    """Recognise kind, encoding, dialect and columns; raises UnreadableFileError with what to do."""
    return READERS[kinds.recognise(path)](path)


def read_rows(path: Path, layout: Layout, *, after: int = 0, byte: int = 0) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``, which ends at ``byte``; a torn row has a reason.

    Raises UnreadableFileError where the file cannot be read on.
    """
    if layout.kind == PARQUET:
        return parquet.read_rows(path, layout, after)
    if layout.kind == XLSX:
        return xlsx.read_rows(path, layout, after, byte)
    return text.read_rows(path, layout, after, byte)


__all__ = [
    "CSV",
    "LONGEST_FIELD",
    "MOST_COLUMNS",
    "PARQUET",
    "TORN",
    "XLSX",
    "Layout",
    "RawRow",
    "read_layout",
    "read_rows",
]
