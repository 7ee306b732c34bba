"""What a file's columns hold, and how a value reads as text."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

TEXT, AMOUNT, NUMBER, COUNT = "text", "amount", "number", "count"
FLAG, DAY, INSTANT = "flag", "day", "instant"
NUMBERS = (AMOUNT, NUMBER, COUNT)
CENT = Decimal("0.01")
Value = str | Decimal | int | bool | date | datetime | None
"""A cell: nothing, or what its field's type says; instants carry their offset."""


class UnwritableError(ValueError):
    """Rows that this kind of file cannot hold; the message says what to do instead."""


@dataclass(frozen=True)
class Field:
    """A column: its name and the type of its values."""

    name: str
    type: str = TEXT


@dataclass(frozen=True)
class Part:
    """A part that was written: where it lies, and how many rows it has."""

    path: Path
    rows: int


def as_text(value: Value) -> str:
    """Return a value as Huike's own files write it; an amount has at least two places."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        short = value.quantize(CENT) if value.adjusted() < 20 else value
        return f"{short if short == value else value.normalize():f}"
    return str(value)
