"""What a cell's text is: numbers without “.0”, days in ISO, strings from where they are shared."""

import re
import tempfile
from array import array
from datetime import datetime, timedelta
from typing import Self

from customers.connectors.tables.numbers import number
from customers.connectors.tables.xlsx.package import Package, damaged, too_large
from customers.connectors.tables.xlsx.workbook import Workbook
from customers.connectors.tables.xlsx.xml import Parser

SHARED = "xl/sharedStrings.xml"
MOST_STRINGS = 8_000_000
SHORT = 200
MOST_CACHED = 20_000
LAST_DAY = 2_958_466
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Reader:
    """Turns what stands in a sheet into text; shared strings wait on disk, not in memory."""

    def __init__(self, package: Package, workbook: Workbook) -> None:
        self.date_styles, self.is_1904 = workbook.date_styles, workbook.is_1904
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self.ends = array("Q", [0])
        self.cached: dict[int, str] = {}
        if SHARED in package.parts:
            try:
                self._spool(package)
            except BaseException:
                self.file.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def text(self, kind: str, style: int, value: str) -> str:
        """Return a cell's text; ``kind`` and ``style`` are what the sheet says of it."""
        if kind == "s":
            return self._shared(value)
        if kind in ("str", "inlineStr", "e", "d"):
            return unescaped(value)
        if kind == "b":
            return {"1": "true", "0": "false"}.get(value.strip(), value)
        return self._number(value.strip(), style)

    def _number(self, value: str, style: int) -> str:
        if not value:
            return ""
        if style not in self.date_styles:
            return number(value)
        try:
            return self._moment(float(value))
        except (ValueError, OverflowError):
            return value

    def _moment(self, days: float) -> str:
        """Return a spreadsheet's day number as ISO: a day, a time of day, or both."""
        if not 0 <= days < LAST_DAY:
            return number(str(days))
        first = datetime(1904, 1, 1) if self.is_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - local
        whole, seconds = int(days), round(days % 1 * 86_400)
        moment = first + timedelta(days=whole, seconds=seconds)
        if not whole:
            return moment.time().isoformat()
        return moment.isoformat(sep=" ") if seconds else moment.date().isoformat()

    def _shared(self, value: str) -> str:
        place = int(value) if value.strip().isdigit() and len(value) < 12 else -1
        if not 0 <= place < len(self.ends) - 1:
            raise damaged()
        if (found := self.cached.get(place)) is not None:
            return found
        self.file.seek(self.ends[place])
        text = self.file.read(self.ends[place + 1] - self.ends[place]).decode()
        if len(text) <= SHORT:
            if len(self.cached) >= MOST_CACHED:
                self.cached.clear()
            self.cached[place] = text
        return text

    def _spool(self, package: Package) -> None:
        """Write the shared strings to a file; readings that guide pronunciation are left out."""
        skipping = 0

        def on_start(name: str, _given: dict[str, str]) -> None:
            nonlocal skipping
            if name == "rPh":
                skipping += 1
            elif name == "si":
                parser.gather()
            parser.is_text = name == "t" and not skipping

        def on_end(name: str) -> None:
            nonlocal skipping
            if name == "rPh":
                skipping -= 1
            parser.is_text = False
            if name == "si":
                written = self.file.write(unescaped(parser.gathered()).encode(errors="replace"))
                self.ends.append(self.ends[-1] + written)
                if len(self.ends) > MOST_STRINGS:
                    raise too_large()

        parser = Parser(on_start, on_end)
        parser.run(package.pieces(SHARED))
        self.file.flush()


def unescaped(text: str) -> str:
    """Return text with ``_x000D_`` and its like as the signs they stand for, and without NUL."""
    if "_x" in text:
        text = ESCAPE.sub(_sign, text)
    return text.replace("\0", "")


def _sign(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return "" if 0xD800 <= code <= 0xDFFF else chr(code)
