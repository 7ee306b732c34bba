"""Parquet: typed columns, a row group at a time."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from customers.connectors.tables.writing.fields import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    Field,
    Part,
    Value,
)

GROUP_ROWS = 50_000
GROUP_BYTES = 64 << 20
TYPES = {
    AMOUNT: pa.decimal128(20, 4),
    NUMBER: pa.float64(),
    COUNT: pa.int64(),
    FLAG: pa.bool_(),
    DAY: pa.date32(),
    INSTANT: pa.timestamp("us", tz="UTC"),
}


def write_part(
    path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Value]], after: int
) -> int:
    """Write rows to a part and return how many."""
    columns: list[list[Value]] = [[] for _field in fields]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    arrays = [
        pa.array(_floats(column) if field.type == NUMBER else column, _type(field))
        for field, column in zip(fields, columns, strict=True)
    ]
    pq.write_table(pa.Table.from_arrays(arrays, schema=_schema(fields)), path)
    return len(columns[0])


def join(path: Path, fields: Sequence[Field], parts: Sequence[Part]) -> None:
    """Write the file: all parts, gathered into row groups of a good size."""
    with pq.ParquetWriter(path, _schema(fields)) as writer:
        for tables in _groups(parts):
            writer.write_table(pa.concat_tables(tables).combine_chunks())


def _groups(parts: Sequence[Part]) -> Iterator[list["pa.Table"]]:
    gathered: list[pa.Table] = []
    rows = size = 0
    for part in parts:
        table = pq.read_table(part.path, memory_map=False)
        gathered.append(table)
        rows += table.num_rows
        size += table.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield gathered
            gathered, rows, size = [], 0, 0
    if gathered:
        yield gathered


def _type(field: Field) -> "pa.DataType":
    return TYPES.get(field.type, pa.string())


def _floats(column: Iterable[Any]) -> list[float | None]:
    return [None if value is None else float(value) for value in column]


def _schema(fields: Sequence[Field]) -> "pa.Schema":
    return pa.schema([(field.name, _type(field)) for field in fields])
