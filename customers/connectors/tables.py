"""Read CSV and Parquet files as batches of text rows, in bounded memory."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from customers.errors import UnreadableFileError

ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
SNIFFED_BYTES = 256 * 1024
MOST_COLUMNS = 300
LONGEST_FIELD = 100_000
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class RawRow:
    """A row as it stood in the file: number from 1, cells by header; ``reason`` when torn."""

    number: int
    cells: dict[str, str]
    reason: str = ""


def read_header(path: Path) -> list[str]:
    """Return the column names; raises UnreadableFileError when there are none."""
    if _is_parquet(path):
        return list(_parquet(path).schema_arrow.names)
    encoding, dialect = _sniff(path)
    with path.open(encoding=encoding, newline="") as text:
        header = next(_cells(text, dialect), [])
    names = [name.strip() for name in header]
    if not any(names):
        raise UnreadableFileError("The file has no header row: its first line must name columns.")
    if len(names) > MOST_COLUMNS:
        raise UnreadableFileError(f"The file has {len(names)} columns; {MOST_COLUMNS} is the most.")
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise UnreadableFileError(f"Columns appear twice: {', '.join(doubled)}. Rename one.")
    return names


def read_rows(path: Path, *, after: int = 0) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``; a torn row comes with a reason and what it holds."""
    rows = _parquet_rows(path, after) if _is_parquet(path) else _csv_rows(path, after)
    yield from rows


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET_MAGIC


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableFileError("This is no readable Parquet file; export it again.") from error


def _parquet_rows(path: Path, after: int) -> Iterator[RawRow]:
    number = 0
    for batch in _parquet(path).iter_batches(batch_size=20_000):
        if number + batch.num_rows <= after:
            number += batch.num_rows
            continue
        names = batch.schema.names
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            if number > after:
                yield RawRow(number, dict(zip(names, map(_text, values), strict=True)))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _csv_rows(path: Path, after: int) -> Iterator[RawRow]:
    names = read_header(path)
    encoding, dialect = _sniff(path)
    with path.open(encoding=encoding, newline="", errors="replace") as text:
        rows = _cells(text, dialect)
        next(rows)
        for number, cells in enumerate(rows, 1):
            if number <= after:
                continue
            named = dict(zip(names, cells, strict=False))
            if len(cells) == len(names):
                yield RawRow(number, named)
            else:
                surplus = {f"({place})": cell for place, cell in enumerate(cells[len(names) :], 1)}
                reason = f"{len(cells)} cells where the header has {len(names)}"
                yield RawRow(number, {**named, **surplus}, reason)


def _cells(text: Any, dialect: type[csv.Dialect]) -> Iterator[list[str]]:
    """Yield the cells of each line that is not empty, NUL characters taken out."""
    csv.field_size_limit(LONGEST_FIELD)
    lines = (line.replace("\0", "") for line in text)
    reader = csv.reader(lines, dialect)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFileError(
                f"Line {reader.line_num} cannot be read as CSV ({error})."
            ) from error
        if cells:
            yield cells


def _sniff(path: Path) -> tuple[str, type[csv.Dialect]]:
    """Guess encoding and delimiter from the beginning, and the end, of the file."""
    with path.open("rb") as file:
        start = file.read(SNIFFED_BYTES)
    if not start.strip():
        raise UnreadableFileError("The file is empty.")
    encoding = next(name for name in ENCODINGS if _decodes(path, name))
    text = start.decode(encoding, errors="ignore")
    try:
        dialect = csv.Sniffer().sniff(text.splitlines()[0], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    dialect.doublequote = True
    dialect.skipinitialspace = False
    return encoding, dialect


def _decodes(path: Path, encoding: str) -> bool:
    if encoding == ENCODINGS[-1]:
        return True
    try:
        with path.open(encoding=encoding, newline="") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True
