"""Quotation marks that open and are not closed, which swallow the rows behind them."""

import csv
import re
from collections.abc import Sequence
from enum import Enum

from django.utils.translation import gettext_noop

from customers.connectors.tables.layout import name_cells

UNCLOSED = gettext_noop("a quotation mark that opens in this row is not closed")
MOST_LINES = 1_000
LEAST_COLUMNS = 3
MANY_COLUMNS = 5
MANY_LINES = 10
BLANKS = re.compile(r'" +([^\w ]|$)')
WORD = re.compile(r"[^\W\d_]+")
NUMBER = re.compile(r"\d+")


class Verdict(Enum):
    """What a row of several lines is: right, wrong as a whole, or wrong in its first line alone."""

    RIGHT = 1
    OPEN = 2
    SWALLOWS = 3


def judge(
    lines: Sequence[str], cells: list[str], names: list[str], delimiter: str, *, is_cut: bool
) -> Verdict:
    """Tell whether a row of several lines is one, by its first lines; ``is_cut`` when it is not.

    A cell may have lines, and those may have delimiters. It swallows rows when a line of it is a
    row by itself: of as many cells as the header, and beginning with such an id as its row does.
    Where the marks are in order and the row fits, all lines of a wide table must be such rows: a
    note of “10, red” and “20, blue” is none. Of more than ``MOST_LINES`` lines the
    first are given, and the marks are taken to be in order.
    """
    is_closed = not is_cut and _is_in_order(lines, delimiter)
    is_whole = is_closed and not name_cells(names, cells)[1]
    rest, marks = lines[1:], len(names) - 1
    if len(names) >= LEAST_COLUMNS and any(line.count(delimiter) >= marks for line in rest):
        first = first_cells(lines[0], names, delimiter)
        kind = _kind_of_id(first[0]) if first else ""
        rows = [_row(line, names, delimiter) for line in rest]
        alike = [bool(row and kind and _kind_of_id(row[0]) == kind) for row in rows]
        if is_whole:
            enough = len(names) >= MANY_COLUMNS and not name_cells(names, first)[1]
            swallows = enough and all(alike)
        else:
            swallows = any(alike)
        if swallows or (len(rows) >= MANY_LINES and all(rows)):
            return Verdict.SWALLOWS
    return Verdict.RIGHT if is_closed else Verdict.OPEN


def first_cells(line: str, names: list[str], delimiter: str) -> list[str]:
    """Return the cells of a line whose mark is not closed, as if the mark were text."""
    cells = _read(line, delimiter, csv.QUOTE_NONE)
    return _read(line, delimiter, csv.QUOTE_MINIMAL) if name_cells(names, cells)[1] else cells


def _is_in_order(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether each mark that closes stands at the end of a cell, but for blanks behind it."""
    if len(lines) >= MOST_LINES:
        return True
    plain = [BLANKS.sub(r'"\1', line) if '" ' in line else line for line in lines]
    try:
        return len(list(csv.reader(plain, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _row(line: str, names: list[str], delimiter: str) -> list[str]:
    """Return a line's cells when it is a row by itself, else none."""
    if line.count(delimiter) < len(names) - 1:
        return []
    cells = first_cells(line, names, delimiter)
    return [] if name_cells(names, cells)[1] else cells


def _read(line: str, delimiter: str, quoting: int) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, quoting=quoting), [])  # type: ignore[arg-type]
    except csv.Error:
        return []


def _kind_of_id(cell: str) -> str:
    """Return what ids look like (“#1001” is “#9”), and nothing for words: those begin any line."""
    shape = NUMBER.sub("9", WORD.sub("a", cell.strip()[:60]))
    return shape if "9" in shape or "@" in shape else ""
