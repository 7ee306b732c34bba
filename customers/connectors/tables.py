"""Read CSV and Parquet files row by row as text, in bounded memory, from any place on."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.errors import UnreadableFileError

ENCODINGS = ("utf-8", "gb18030", "latin-1")
DELIMITERS = ",;\t|"
MOST_COLUMNS = 300
TORN = gettext_noop("more or fewer cells than the header has")
LONGEST_FIELD = 100_000
LONGEST_LINE = 10_000_000
PARQUET_MAGIC = b"PAR1"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Layout:
    """How a file is written; without an encoding it is Parquet."""

    names: list[str]
    encoding: str = ""
    delimiter: str = ""
    first_byte: int = 0


@dataclass(frozen=True)
class RawRow:
    """A row as it stood in the file: number from 1, cells by header; ``reason`` when torn.

    ``end`` is the byte behind it in a CSV file, from which reading can go on.
    """

    number: int
    cells: dict[str, str]
    reason: str = ""
    end: int = 0


def read_layout(path: Path) -> Layout:
    """Recognise encoding, delimiter and columns; raises UnreadableFileError when there are none.

    Looks at the whole file once: an encoding that fits the beginning may not fit the end.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if start == PARQUET_MAGIC:
            return Layout(_checked(list(_parquet(path).schema_arrow.names)))
        if start.startswith(UTF16_MARKS):
            raise UnreadableFileError(_("The file is UTF-16; save it as CSV in UTF-8."))
        file.seek(len(UTF8_MARK) if start.startswith(UTF8_MARK) else 0)
        encoding = next(name for name in ENCODINGS if _decodes(path, name))
        header = file.readline(LONGEST_LINE).decode(encoding, errors="replace")
        if not header.strip():
            raise UnreadableFileError(_("The file is empty, or its first line is."))
        if "\r" in header.rstrip("\r\n"):
            raise UnreadableFileError(
                _("The lines end as on old Macs; save the file with the line ends of Windows.")
            )
        delimiter = max(DELIMITERS, key=header.count)
        file.seek(len(UTF8_MARK) if start.startswith(UTF8_MARK) else 0)
        names = next(_cells(file, encoding, delimiter), [])
        names = _checked([name.strip() for name in names])
        return Layout(names, encoding, delimiter, file.tell())


def read_rows(path: Path, layout: Layout, *, after: int = 0, byte: int = 0) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``, which ends at ``byte``; a torn row has a reason."""
    if layout.encoding:
        return _csv_rows(path, layout, after, byte or layout.first_byte)
    return _parquet_rows(path, after)


def _checked(names: list[str]) -> list[str]:
    if not any(names):
        raise UnreadableFileError(
            _("The file has no header row: its first line must name columns.")
        )
    if len(names) > MOST_COLUMNS:
        raise UnreadableFileError(
            _("The file has %(count)d columns; %(most)d is the most.")
            % {"count": len(names), "most": MOST_COLUMNS}
        )
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise UnreadableFileError(
            _("Columns appear twice: %(names)s. Rename one.") % {"names": ", ".join(doubled)}
        )
    return names


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableFileError(
            _("This is no readable Parquet file; export it again.")
        ) from error


def _parquet_rows(path: Path, after: int) -> Iterator[RawRow]:
    file = _parquet(path)
    number, group = 0, 0
    while group < file.num_row_groups:
        rows = file.metadata.row_group(group).num_rows
        if number + rows > after:
            break
        number += rows
        group += 1
    groups = list(range(group, file.num_row_groups))
    for batch in file.iter_batches(batch_size=20_000, row_groups=groups):
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
    return str(value).replace("\0", "")


def _csv_rows(path: Path, layout: Layout, after: int, byte: int) -> Iterator[RawRow]:
    names = layout.names
    with path.open("rb") as file:
        file.seek(byte)
        rows = _cells(file, layout.encoding, layout.delimiter)
        for number, cells in enumerate(rows, after + 1):
            named = dict(zip(names, cells, strict=False))
            reason = ""
            if len(cells) != len(names):
                surplus = cells[len(names) :]
                named |= {f"({place})": cell for place, cell in enumerate(surplus, 1)}
                reason = TORN
            # The reader takes no line before it needs it: the file stands behind this row.
            yield RawRow(number, named, reason, file.tell())


def _cells(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each row that is not empty, NUL characters taken out."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(_lines(file, encoding), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFileError(
                _("Line %(line)d (counted from where this reading began) is no CSV: %(error)s.")
                % {"line": reader.line_num, "error": error}
            ) from error
        if cells:
            yield cells


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise UnreadableFileError(_("A line is longer than ten million bytes."))
        yield line.decode(encoding, errors="replace").replace("\0", "")


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
