"""CSV: encoding, dialect, lines and rows, in bounded memory, from any byte on."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.connectors.tables.encodings import Encoding, detect
from customers.connectors.tables.harmless import unguard
from customers.connectors.tables.layout import (
    LONGEST_FIELD,
    Layout,
    RawRow,
    name_cells,
    name_columns,
)
from customers.connectors.tables.quotes import (
    MOST_LINES,
    UNCLOSED,
    Verdict,
    first_cells,
    judge,
)
from customers.errors import UnreadableFileError

DELIMITERS = ",;\t|"
LONGEST_LINE = 2_000_000
LONGEST_ROW = 10_000_000
PIECE = 1 << 16
LONGEST_SAMPLE = 1 << 18
SAMPLE_LINES = 60
MOST_REWINDS = 100
SHOWN = 1_000
LONG_CELL = gettext_noop("a cell is longer than a hundred thousand characters")
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
        rows = _Rows(Lines(file, encoding.codec, start), delimiter)
        cells, reason, first_byte = next(iter(rows), ([], "", 0))
        if reason:
            raise _unclosed(0)
        names, doubled = name_columns(cells)
    return Layout(names, encoding.codec, delimiter, first_byte, doubled=doubled)


def read_rows(path: Path, layout: Layout, after: int, byte: int) -> Iterator[RawRow]:
    """Yield the rows behind row ``after``, which ends at ``byte``."""
    with path.open("rb") as file:
        lines = Lines(file, layout.encoding, byte or layout.first_byte)
        lines.row = after
        rows = _Rows(lines, layout.delimiter, layout.names)
        try:
            for number, (cells, reason, end) in enumerate(rows, after + 1):
                named, torn = name_cells(layout.names, cells)
                yield RawRow(number, named, reason or torn, end)
        finally:
            lines.forget()


class Lines:
    r"""The lines of a file with their ends, be they ``\n``, ``\r\n`` or ``\r``.

    ``position`` is the byte behind the line last given: nothing is given ahead of need. ``row``
    counts the rows so far; ``kept`` are the first lines of the row that is being read.
    """

    def __init__(self, file: BinaryIO, codec: str, position: int) -> None:
        self.file, self.codec, self.position = file, codec, position
        self.row = 0
        self.is_spent = False
        self._source: Iterator[tuple[str, int]] | None = None
        self._again: deque[tuple[str, int]] = deque()
        self.begin_row()

    def forget(self) -> None:
        """Let go of what was read ahead, at once: it refers to these lines, and they to it."""
        self._source = None
        self._again.clear()

    def begin_row(self) -> None:
        """Note that the next line is the first of a row."""
        self._row_began = self.position
        self._given = 0
        self._kept: list[tuple[str, int]] = []

    @property
    def has_several(self) -> bool:
        """Tell whether the row has more than one line so far."""
        return self._given > 1

    @property
    def kept(self) -> list[str]:
        """Return the first lines of the row."""
        return [line for line, _size in self._kept]

    def rewind(self) -> None:
        """Go back behind the first line of the row."""
        if self._given == len(self._kept):
            self._again.extendleft(reversed(self._kept[1:]))
        else:
            self._again.clear()
            self._source = None
        self.position = self._row_began + self._kept[0][1]

    def __iter__(self) -> Iterator[str]:
        self.is_spent = False
        if self._source is None:
            self.file.seek(self.position)
            self._source = self._wide() if self.codec.startswith("utf-16") else self._narrow()
        while True:
            found = self._again.popleft() if self._again else next(self._source, None)
            if found is None:
                self.is_spent = True
                return
            line, size = found
            self.position += size
            self._given += 1
            self._refuse_long(size)
            if self.position - self._row_began > LONGEST_ROW:
                raise _RowTooLongError
            line = line.replace("\0", "")
            if self._given <= MOST_LINES:
                self._kept.append((line, size))
            yield line

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
            self._refuse_long(len(rest))
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
            self._refuse_long(2 * len(rest))
        for line in LINE.findall(rest):
            yield line, len(line.encode(self.codec, "surrogatepass"))

    def _refuse_long(self, size: int) -> None:
        if size <= LONGEST_LINE:
            return
        if self.row:
            told = _(
                "Behind row %(row)d a line is longer than two million bytes. Save the file as CSV "
                "with one row on each line."
            ) % {"row": self.row}
        else:
            told = _(
                "A line is longer than two million bytes. Save the file as CSV with one row on "
                "each line."
            )
        raise UnreadableFileError(told)


class _RowTooLongError(Exception):
    """A row of more bytes than anybody would write."""


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
        if len(sample) == SAMPLE_LINES or lines.position - start > LONGEST_SAMPLE:
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


class _Rows:
    """The rows that are not empty: cells, why the row is wrong if it is, and the byte behind it.

    The apostrophe that keeps a spreadsheet from running a cell is no part of its text.
    """

    def __init__(self, lines: Lines, delimiter: str, names: list[str] | None = None) -> None:
        self.lines, self.delimiter, self.names = lines, delimiter, names or []
        self.rewinds = 0

    def __iter__(self) -> Iterator[tuple[list[str], str, int]]:
        csv.field_size_limit(LONGEST_FIELD)
        lines, reader = self.lines, csv.reader(self.lines, delimiter=self.delimiter)
        while True:
            lines.begin_row()
            cells: list[str] = []
            is_long = False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _RowTooLongError):
                is_long = True
            reason = ""
            if is_long or lines.is_spent or lines.has_several:
                cells, reason = self._look_at(cells, is_long=is_long)
                # Whatever went before, reading goes on where the row ends.
                reader = csv.reader(lines, delimiter=self.delimiter)
            if reason or any(cells):
                lines.row += 1
                plain = [unguard(cell) if cell[:1] == "'" else cell for cell in cells]
                yield plain, reason, lines.position

    def _look_at(self, cells: list[str], *, is_long: bool) -> tuple[list[str], str]:
        """Return a row of several lines, or too long a one, as it is to be read, and why it is bad.

        Where it swallows rows, its first line alone is bad, and reading goes on behind that.
        """
        kept, is_cut = self.lines.kept, self.lines.is_spent
        if is_long and not self.lines.has_several:
            return first_cells(kept[0][:SHOWN], self.names, self.delimiter), LONG_CELL
        verdict = judge(kept, cells, self.names, self.delimiter, is_cut=is_long or is_cut)
        if verdict is Verdict.SWALLOWS and self.rewinds < MOST_REWINDS:
            self.rewinds += is_long or is_cut
            self.lines.rewind()
            return first_cells(kept[0], self.names, self.delimiter), UNCLOSED
        if is_long:
            raise _unclosed(self.lines.row)
        if verdict is Verdict.RIGHT:
            return cells, ""
        is_alone = not self.lines.has_several
        return first_cells(kept[0], self.names, self.delimiter) if is_alone else cells, UNCLOSED


def _unclosed(row: int) -> UnreadableFileError:
    """Return the refusal of a file in which a quotation mark swallows what follows."""
    if not row:
        return UnreadableFileError(
            _(
                "A quotation mark in the first line may not be closed. Close it, or write it "
                "twice where it belongs to the text."
            )
        )
    return UnreadableFileError(
        _(
            "Behind row %(row)d a row goes on and on: a quotation mark in it may not be closed. "
            "Close it, or write it twice where it belongs to the text."
        )
        % {"row": row}
    )
