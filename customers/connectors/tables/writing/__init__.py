"""Write CSV, XLSX and Parquet files in parts, each wholly there or not at all.

A part holds some rows; whoever dies between two parts loses none. ``join`` makes the file of them.
"""

from customers.connectors.tables.layout import CSV, PARQUET, XLSX
from customers.connectors.tables.writing import delimited, parquet, workbook
from customers.connectors.tables.writing.fields import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Field,
    Part,
    UnwritableError,
    Value,
)

WRITERS = {CSV: delimited, PARQUET: parquet, XLSX: workbook}
"""By kind of file a module with ``write_part(path, fields, rows, after)`` and ``join``."""
MOST_ROWS = {XLSX: workbook.MOST_ROWS}
"""Where a kind of file holds only so many rows, besides its header."""

__all__ = [
    "AMOUNT",
    "COUNT",
    "DAY",
    "FLAG",
    "INSTANT",
    "MOST_ROWS",
    "NUMBER",
    "TEXT",
    "WRITERS",
    "Field",
    "Part",
    "UnwritableError",
    "Value",
]
