"""A sheet's rows as they stream by; reading can begin behind any row."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from customers.connectors.tables.layout import MOST_COLUMNS
from customers.connectors.tables.xlsx.cells import Reader
from customers.connectors.tables.xlsx.package import Package, damaged
from customers.connectors.tables.xlsx.xml import Parser

MOST_HEAD = 8 << 20
LAST_COLUMN = 16_384


@dataclass(frozen=True)
class Place:
    """A place in a sheet's part: ``head`` bytes stand before its rows, ``byte`` ends a row."""

    part: str
    head: int = 0
    byte: int = 0


def stream_rows(
    package: Package, place: Place, reader: Reader, columns: int = MOST_COLUMNS + 1
) -> Iterator[tuple[dict[int, str], Place]]:
    """Yield the cells of each filled row by column from 0, and the place behind it.

    Columns from ``columns`` on are not read.
    """
    rows = _Rows(place, reader, columns)
    parser = Parser(rows.on_start, rows.on_end)
    rows.parser = parser
    if place.byte:
        # Head, an opened row, and on from where the last row was about to close.
        head = b"".join(_limited(package, place))
        opened = head + b"<" + _prefix(head) + b"row>"
        rows.shift = place.byte - len(opened)
        rows.is_resumed = True
        pieces = chain([opened], package.pieces(place.part, skip=place.byte))
    else:
        pieces = chain(package.pieces(place.part))
    for _pause in parser.feed(pieces):
        while rows.done:
            yield rows.done.popleft()


def _limited(package: Package, place: Place) -> Iterator[bytes]:
    """Yield a sheet's bytes before its rows."""
    left = place.head
    if left > MOST_HEAD:
        raise damaged()
    for piece in package.pieces(place.part):
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _prefix(head: bytes) -> bytes:
    """Return the name space's prefix with its colon, as the tag of the rows' parent has it."""
    name = head[head.rfind(b"<") + 1 :].rstrip(b">").split()[0]
    space, colon, _name = name.rpartition(b":")
    return space + colon


class _Rows:
    """Gathers cells into rows while the parser runs."""

    parser: Parser

    def __init__(self, place: Place, reader: Reader, columns: int) -> None:
        self.part, self.head = place.part, place.head
        self.reader, self.columns = reader, columns
        self.done: deque[tuple[dict[int, str], Place]] = deque()
        self.shift = 0
        self.is_resumed = False
        self.is_inside = False
        self.cells: dict[int, str] = {}
        self.column = -1
        self.kind, self.style, self.value = "", 0, ""
        self.skipping = 0

    def on_start(self, name: str, given: dict[str, str]) -> None:
        if name == "sheetData":
            self.is_inside = True
        elif not self.is_inside:
            return
        elif name == "row":
            if not self.head:
                self.head = self.parser.expat.CurrentByteIndex
            self.cells, self.column = {}, -1
        elif name == "c":
            self.column = _column(given.get("r", ""), self.column)
            self.kind, self.value = given.get("t", "n"), ""
            style = given.get("s", "")
            self.style = int(style) if style.isdigit() and len(style) < 9 else 0
        elif name == "rPh":
            self.skipping += 1
        elif name in ("v", "t") and self.column < self.columns and not self.skipping:
            self.parser.gather()

    def on_end(self, name: str) -> None:
        if not self.is_inside:
            return
        if name in ("v", "t") and self.parser.is_text:
            self.value += self.parser.gathered()
        elif name == "rPh":
            self.skipping -= 1
        elif name == "c" and self.value and self.column < self.columns:
            if text := self.reader.text(self.kind, self.style, self.value):
                self.cells[self.column] = text
        elif name == "row":
            if self.cells and not self.is_resumed:
                byte = self.parser.expat.CurrentByteIndex + self.shift
                self.done.append((self.cells, Place(self.part, self.head, byte)))
            self.is_resumed = False
        elif name == "sheetData":
            self.is_inside = False


def _column(reference: str, before: int) -> int:
    """Return the column of “AB12” from 0; without a reference it is the next one."""
    column = 0
    for sign in islice(reference, 4):
        if not "A" <= sign <= "Z":
            break
        column = column * 26 + ord(sign) - 64
    column = column - 1 if column else before + 1
    if column >= LAST_COLUMN:
        raise damaged()
    return column
