"""CSV: encoding, dialect, lines and rows, in bounded memory, from any byte on."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from customers.connectors.tables.encodings import Encoding, detect
from customers.connectors.tables.harmless import unguard
from customers.connectors.tables.layout import (
    LONGEST_FIELD,
    Layout,
    RawRow,
    name_cells,
    name_columns,
)
from customers.errors import UnreadableFileError

DELIMITERS = ",;\t|"
LONGEST_LINE = 2_000_000
LONGEST_ROW = 10_000_000
PIECE = 1 << 18
SAMPLE_LINES = 60
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
HINT = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)


def read_layout(path: Path) -> Layout:
    """Recognise encoding, delimiter and columns; raises UnreadableFileError when there are none.

    Looks at the whole file once: an encoding that fits the beginning may not fit the end.
    """
    encoding = detect(path)
    with path.open("rb") as file:
        lines = Lines(file, encoding.codec, encoding.mark)
        sample, start, hinted = _sample(lines, encoding)
        if not any(line.strip() for line in sample):
            raise UnreadableFileError(_("The file is empty, or its first line is."))
        delimiter = hinted or _delimiter(sample)
        rows = _rows(Lines(file, encoding.codec, start), delimiter)
        cells, first_byte = next(rows, ([], 0))
        names, doubled = name_columns(cells)
    return Layout(names, encoding.codec, delimiter, first_byte, doubled=doubled)


def read_rows(path: Path, layout: Layout, after: int, byte: int) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``, which ends at ``byte``."""
    with path.open("rb") as file:
        lines = Lines(file, layout.encoding, byte or layout.first_byte)
        for number, (cells, end) in enumerate(_rows(lines, layout.delimiter), after + 1):
            named, reason = name_cells(layout.names, cells)
            yield RawRow(number, named, reason, end)


class Lines:
    r"""The lines of a file with their ends, be they ``\n``, ``\r\n`` or ``\r``.

    ``position`` is the byte behind the line last given: nothing is given ahead of need.
    """

    def __init__(self, file: BinaryIO, codec: str, position: int) -> None:
        self.file, self.codec, self.position = file, codec, position
        self.row_began = position

    def __iter__(self) -> Iterator[str]:
        self.file.seek(self.position)
        for line, size in self._wide() if self.codec.startswith("utf-16") else self._narrow():
            self.position += size
            if size > LONGEST_LINE:
                raise UnreadableFileError(_("A line is longer than two million bytes."))
            if self.position - self.row_began > LONGEST_ROW:
                raise UnreadableFileError(
                    _("A row is longer than ten million bytes: a quotation mark may not be closed.")
                )
            yield line.replace("\0", "")

    def _narrow(self) -> Iterator[tuple[str, int]]:
        """Give lines of encodings in which an end of line is one byte."""
        rest = b""
        while piece := self.file.read(PIECE):
            rest += piece
            # A last carriage return may have its line feed in the next piece.
            end = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
            for line in rest[:end].splitlines(keepends=True):
                yield line.decode(self.codec, errors="replace"), len(line)
            rest = rest[end:]
            _refuse_long(len(rest))
        for line in rest.splitlines(keepends=True):
            yield line.decode(self.codec, errors="replace"), len(line)

    def _wide(self) -> Iterator[tuple[str, int]]:
        """Give lines of UTF-16."""
        decoder = codecs.getincrementaldecoder(self.codec)(errors="replace")
        rest = ""
        while piece := self.file.read(PIECE):
            rest += decoder.decode(piece)
            end = max(rest.rfind("\n"), rest.rfind("\r", 0, len(rest) - 1)) + 1
            for line in LINE.findall(rest[:end]):
                yield line, len(line.encode(self.codec, "surrogatepass"))
            rest = rest[end:]
            _refuse_long(2 * len(rest))
        for line in LINE.findall(rest):
            yield line, len(line.encode(self.codec, "surrogatepass"))


def _refuse_long(size: int) -> None:
    if size > LONGEST_LINE:
        raise UnreadableFileError(_("A line is longer than two million bytes."))


def _sample(lines: Lines, encoding: Encoding) -> tuple[list[str], int, str]:
    """Return the first lines, the byte where the header begins, and a delimiter that is told."""
    sample: list[str] = []
    start, hinted = encoding.mark, ""
    for line in lines:
        if not sample and not hinted and (hint := HINT.match(line)):
            hinted = hint.group(1)
        elif sample or line.strip():
            sample.append(line)
        if not sample:
            start = lines.position
        if len(sample) == SAMPLE_LINES or lines.position - start > PIECE:
            break
    return sample, start, hinted


def _delimiter(sample: Iterable[str]) -> str:
    """Return the sign that parts the sample into rows of as many cells as the header has.

    Signs within quotes do not count; where rows disagree, the sign with more columns wins.
    """
    lines = list(sample)
    best, best_score = DELIMITERS[0], (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        # A row that the sample cuts off says nothing.
        widths = widths[:-1] if len(widths) > 2 else widths
        if not widths or widths[0] < 2:
            continue
        share = sum(width == widths[0] for width in widths) / len(widths)
        if (score := (round(share, 1), widths[0])) > best_score:
            best, best_score = delimiter, score
    return best


def _rows(lines: Lines, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of each row that is not empty, and the byte behind it.

    The apostrophe that keeps a spreadsheet from running a cell is no part of its text.
    """
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.row_began = lines.position
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFileError(
                _(
                    "Line %(line)d (counted from where this reading began) is no CSV: %(error)s. "
                    "A quotation mark may not be closed."
                )
                % {"line": reader.line_num, "error": error}
            ) from error
        if any(cells):
            yield [unguard(cell) if cell[:1] == "'" else cell for cell in cells], lines.position
