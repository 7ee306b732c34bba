"""Read the rows of Huike's own files; a cell that is empty leaves what is held as it is."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from customers.connectors.huike import cells
from customers.connectors.huike.cells import EMPTY, CellError, Read
from customers.connectors.huike.columns import EMAIL, INSTANT, PHONE, Column, Columns
from customers.connectors.tables import RawRow

SCOPED_KINDS = ("user_id", "marketplace", "messenger")
ATTRIBUTE_TYPES = ("text", "number", "boolean", "date", "choice")
ATTRIBUTE = "attribute:"
SCOPED = tuple(f"{kind}:" for kind in SCOPED_KINDS)
NO_VALUE = gettext_noop("empty")


@dataclass(frozen=True)
class Declared:
    """A declared custom attribute."""

    type: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Readers:
    """What reading a file needs from outside: the shop's zone, keys' rules, attributes."""

    zone: ZoneInfo
    email: Read
    phone: Read
    attributes: Mapping[str, Declared] = field(default_factory=dict)


@dataclass(frozen=True)
class Parsed:
    """A row by column; ``reason`` is “column: phrase” and says why it is rejected."""

    number: int
    cells: dict[str, str]
    reason: str
    values: dict[str, Any]


def split_header(header: Iterable[str], columns: Columns) -> tuple[list[str], list[str]]:
    """Return which required columns are missing and which of the file's nobody will read."""
    names = {name: _canonical(name) for name in header}
    missing = [name for name in columns.required if name not in names.values()]
    unread = [
        given
        for given, name in names.items()
        if name not in columns and not (columns.is_open and _is_open(name))
    ]
    return missing, unread


def attribute_keys(header: Iterable[str]) -> list[str]:
    """Return the keys of the custom attributes a customers file has columns for."""
    names = map(_canonical, header)
    return [name.removeprefix(ATTRIBUTE) for name in names if name.startswith(ATTRIBUTE)]


def parser(header: Iterable[str], columns: Columns, readers: Readers) -> Callable[[RawRow], Parsed]:
    """Return the function that reads the rows of a file with this header; it never raises."""
    reads: list[tuple[str, str, Read, bool]] = []
    for given in header:
        name = _canonical(given)
        if column := columns.get(name):
            must = column.is_required and not column.may_be_empty
            reads.append((given, name, _reader(column, readers), must))
        elif columns.is_open and _is_open(name):
            reads.append((given, name, _open_reader(name, readers), False))

    def parse(row: RawRow) -> Parsed:
        values: dict[str, Any] = {}
        reason = row.reason
        for given, name, read, is_required in reads:
            text = row.cells.get(given, "").strip()
            if not text or text.lower() in EMPTY:
                if is_required:
                    reason = reason or f"{name}: {NO_VALUE}"
                continue
            try:
                values[name] = read(text)
            except CellError as error:
                # The other cells are read all the same: what is missing later can be told then.
                reason = reason or f"{name}: {error}"
        return Parsed(row.number, row.cells, reason or columns.rule(values), values)

    return parse


def _canonical(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _is_open(name: str) -> bool:
    return name.startswith((ATTRIBUTE, *SCOPED))


def _reader(column: Column, readers: Readers) -> Read:
    if not isinstance(column.read, str):
        return column.read
    supplied: dict[str, Read] = {
        INSTANT: partial(cells.instant, readers.zone),
        EMAIL: readers.email,
        PHONE: readers.phone,
    }
    return supplied[column.read]


def _open_reader(name: str, readers: Readers) -> Read:
    if not name.startswith(ATTRIBUTE):
        return cells.key
    declared = readers.attributes[name.removeprefix(ATTRIBUTE)]
    by_type: dict[str, Read] = {
        "text": partial(cells.text_up_to, 1000),
        "number": lambda text: json.loads(cells.amount(text)),
        "boolean": cells.flag,
        "date": cells.day,
        "choice": partial(cells.choice, declared.choices),
    }
    return by_type[declared.type]


def scoped_identities(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the marketplace, messenger and user ids of a row as (issuer, kind, value)."""
    found = []
    for name, value in values.items():
        kind, separator, issuer = name.partition(":")
        if separator and f"{kind}:" in SCOPED and issuer:
            found.append((issuer[:64], kind, value))
    return found
