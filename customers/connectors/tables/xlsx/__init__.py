"""XLSX workbooks, streamed: no part is held whole, nothing in them is ever run.

Written on expat because the libraries hold what a hostile or merely large file grows: shared
strings, styles or the whole sheet. Formulas give the value that was last computed.
"""

from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from customers.connectors.tables.layout import XLSX, Layout, RawRow, name_columns
from customers.connectors.tables.xlsx.cells import Reader
from customers.connectors.tables.xlsx.package import Package
from customers.connectors.tables.xlsx.sheet import Place, stream_rows
from customers.connectors.tables.xlsx.workbook import Workbook, read_workbook
from customers.errors import UnreadableFileError

MOST_SHEETS = 20
HEADER_WITHIN = 20


def read_layout(path: Path) -> Layout:
    """Return the columns of the first sheet that has a header; raises UnreadableFileError."""
    with Package(path) as package:
        workbook = read_workbook(package)
        with Reader(package, workbook) as reader:
            for part in workbook.sheets[:MOST_SHEETS]:
                if layout := _header(package, workbook, reader, part):
                    return layout
    raise UnreadableFileError(_("No sheet of the workbook has a header row."))


def read_rows(path: Path, layout: Layout, after: int, byte: int) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``, which ends at ``byte`` of the sheet's part."""
    with Package(path) as package:
        workbook = read_workbook(package)
        with Reader(package, workbook) as reader:
            place = Place(layout.sheet, layout.head, byte or layout.first_byte)
            number = after
            for cells, end in stream_rows(package, place, reader, len(layout.names)):
                texts = [cells.get(column, "") for column in range(len(layout.names))]
                if any(texts):
                    number += 1
                    yield RawRow(number, dict(zip(layout.names, texts, strict=True)), end=end.byte)


def _header(package: Package, workbook: Workbook, reader: Reader, part: str) -> Layout | None:
    """Return the layout of a sheet: its header is the first row with two cells, else with one."""
    first: tuple[list[str], Place] | None = None
    for seen, (cells, place) in enumerate(stream_rows(package, Place(part), reader)):
        row = [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]
        filled = sum(bool(cell.strip()) for cell in row)
        if filled >= 2:
            first = (row, place)
            break
        if filled and first is None:
            first = (row, place)
        if seen + 1 >= HEADER_WITHIN:
            break
    if first is None:
        return None
    names, doubled = name_columns(first[0])
    place = first[1]
    return Layout(
        names, kind=XLSX, doubled=doubled, sheet=part, first_byte=place.byte, head=place.head
    )
