"""Keep a spreadsheet from running a cell of a CSV file as a formula, and take that back exactly."""

import re

SIGNS = "=+-@\t\r"
GUARDABLE = re.compile(rf"'*[{re.escape(SIGNS)}]")
GUARDED = re.compile(rf"'+[{re.escape(SIGNS)}]")


def guard(cell: str) -> str:
    """Return a text cell as a CSV file has it: with an apostrophe where it could be a formula.

    A text that begins like a guarded one gets one more, so that ``unguard`` is its inverse.
    """
    return f"'{cell}" if GUARDABLE.match(cell) else cell


def unguard(cell: str) -> str:
    """Return what ``guard`` was given; an apostrophe before anything else is part of the text."""
    return cell[1:] if GUARDED.match(cell) else cell
