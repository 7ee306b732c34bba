"""Huike's own files: customers, orders and order lines, one row each.

The columns are listed here and told to users in ``docs/importing.md``; a test holds both together.
A cell that is empty leaves what is held as it is.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext_noop

from customers.connectors.tables import RawRow

MOST_INTEGER = 2**31 - 1
MOST_MONEY = Decimal(10) ** 11
EARLIEST_YEAR = 1990
# The record's own words; a test holds them to its enums.
STATUSES = frozenset({"pending", "paid", "shipped", "completed", "cancelled"})
LINE_KINDS = frozenset({"product", "charge", "discount"})
ACTIONS = frozenset({"given", "withdrawn"})
SCOPED_KINDS = ("user_id", "marketplace", "messenger")
ATTRIBUTE_TYPES = ("text", "number", "boolean", "date", "choice")
YES = frozenset({"1", "true", "yes", "y", "是"})
NO = frozenset({"0", "false", "no", "n", "否"})
EMPTY = frozenset({"null", "none", "n/a", "nan", "—", "——"})
NO_VALUE = gettext_noop("empty")
ATTRIBUTE = "attribute:"
SCOPED = tuple(f"{kind}:" for kind in SCOPED_KINDS)


class CellError(ValueError):
    """A cell that cannot be read; the message is the phrase that says why."""


def _text(most: int, text: str) -> str:
    if len(text) > most:
        raise CellError(gettext_noop("the text is too long"))
    return text


def _amount(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise CellError(gettext_noop("no amount; write it as 1234.50")) from None
    if not value.is_finite() or abs(value) >= MOST_MONEY:
        raise CellError(gettext_noop("the amount is out of range"))
    return str(value.quantize(Decimal("0.0001")))


def _amount_from_zero(text: str) -> str:
    value = _amount(text)
    if value.startswith("-"):
        raise CellError(gettext_noop("the amount is negative"))
    return value


def _count(least: int, text: str) -> int:
    try:
        value = int(text.removesuffix(".0"))
    except ValueError:
        raise CellError(gettext_noop("no whole number")) from None
    if not least <= value <= MOST_INTEGER:
        raise CellError(gettext_noop("the number is out of range"))
    return value


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in YES | NO:
        raise CellError(gettext_noop("neither yes nor no; write true or false"))
    return word in YES


def _day(text: str) -> str:
    try:
        return date.fromisoformat(
            text[:10] if len(text) > 10 and text[10] in " T" else text
        ).isoformat()
    except ValueError:
        raise CellError(gettext_noop("no date; write it as 2026-03-31")) from None


def _one_of(values: Iterable[str], text: str) -> str:
    word = text.lower()
    if word not in values:
        raise CellError(gettext_noop("none of the values this column may have"))
    return word


def _currency(text: str) -> str:
    code = text.upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise CellError(gettext_noop("no currency code such as EUR"))
    return code


@cache
def _zones() -> set[str]:
    return available_timezones()


def _zone(text: str) -> str:
    if text not in _zones():
        raise CellError(gettext_noop("no time zone such as Asia/Shanghai"))
    return text


def _key(text: str) -> str:
    if "*" in text:
        raise CellError(gettext_noop("masked: many people share it, so it is no key"))
    return _text(120, text)


def _instant(zone: ZoneInfo, text: str) -> str:
    """Return an instant; without an offset it is local time of the shop."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CellError(gettext_noop("no time; write it as 2026-03-31 18:05")) from None
    if moment.year < EARLIEST_YEAR:
        raise CellError(gettext_noop("the time lies before 1990"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


Read = Callable[[str], Any]
INSTANT = "instant"
EMAIL = "email"
PHONE = "phone"


@dataclass(frozen=True)
class Column:
    """A column: how its cells are read; ``read`` may name a reader that the caller supplies."""

    name: str
    read: Read | str
    is_required: bool = False


def _columns(*given: tuple[str, Read | str], required: tuple[str, ...]) -> dict[str, Column]:
    return {name: Column(name, read, name in required) for name, read in given}


_ACTION = partial(_one_of, ACTIONS)
CUSTOMERS = _columns(
    ("customer_id", _key),
    ("name", partial(_text, 200)),
    ("email", EMAIL),
    ("phone", PHONE),
    ("country", partial(_text, 64)),
    ("city", partial(_text, 120)),
    ("language", partial(_text, 16)),
    ("time_zone", _zone),
    ("birthday", _day),
    ("is_test", _flag),
    ("is_wholesale", _flag),
    ("consent_email", _ACTION),
    ("consent_sms", _ACTION),
    ("consent_at", INSTANT),
    ("consent_evidence", partial(_text, 1000)),
    ("updated_at", INSTANT),
    required=("customer_id",),
)
ORDERS = _columns(
    ("order_id", _key),
    ("customer_id", _key),
    ("email", EMAIL),
    ("phone", PHONE),
    ("placed_at", INSTANT),
    ("status", partial(_one_of, STATUSES)),
    ("currency", _currency),
    ("total", _amount_from_zero),
    ("charges", _amount_from_zero),
    ("shop_discount", _amount_from_zero),
    ("platform_discount", _amount_from_zero),
    ("tax", _amount_from_zero),
    ("platform_fee", _amount_from_zero),
    ("shipping_cost", _amount_from_zero),
    ("deposit", _amount_from_zero),
    ("deposit_paid_at", INSTANT),
    ("paid_at", INSTANT),
    ("promised_at", INSTANT),
    ("delivered_at", INSTANT),
    ("cancelled_at", INSTANT),
    ("refunded_amount", _amount_from_zero),
    ("refunded_at", INSTANT),
    ("country", partial(_text, 64)),
    ("is_test", _flag),
    ("updated_at", INSTANT),
    required=("order_id", "placed_at", "total"),
)
LINES = _columns(
    ("order_id", _key),
    ("line_id", _key),
    ("kind", partial(_one_of, LINE_KINDS)),
    ("sku", _key),
    ("title", partial(_text, 400)),
    ("category", partial(_text, 120)),
    ("quantity", partial(_count, 1)),
    ("unit_price", _amount),
    ("amount", _amount),
    ("unit_cost", _amount_from_zero),
    ("refunded_quantity", partial(_count, 0)),
    ("refunded_amount", _amount_from_zero),
    ("refunded_at", INSTANT),
    required=("order_id", "line_id", "sku", "quantity", "unit_price"),
)


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


def split_header(
    header: Iterable[str], columns: Mapping[str, Column]
) -> tuple[list[str], list[str]]:
    """Return which required columns are missing and which of the file's nobody will read."""
    names = {name: _canonical(name) for name in header}
    missing = [c.name for c in columns.values() if c.is_required and c.name not in names.values()]
    unread = [
        given
        for given, name in names.items()
        if name not in columns and not (columns is CUSTOMERS and _is_open(name))
    ]
    return missing, unread


def attribute_keys(header: Iterable[str]) -> list[str]:
    """Return the keys of the custom attributes a customers file has columns for."""
    names = map(_canonical, header)
    return [name.removeprefix(ATTRIBUTE) for name in names if name.startswith(ATTRIBUTE)]


def parser(
    header: Iterable[str], columns: Mapping[str, Column], readers: Readers
) -> Callable[[RawRow], Parsed]:
    """Return the function that reads the rows of a file with this header; it never raises."""
    reads: list[tuple[str, str, Read, bool]] = []
    for given in header:
        name = _canonical(given)
        if column := columns.get(name):
            reads.append((given, name, _reader(column, readers), column.is_required))
        elif columns is CUSTOMERS and _is_open(name):
            reads.append((given, name, _open_reader(name, readers), False))

    def parse(row: RawRow) -> Parsed:
        values: dict[str, Any] = {}
        for given, name, read, is_required in reads:
            text = row.cells.get(given, "").strip()
            if text.lower() in EMPTY:
                text = ""
            if not text:
                if is_required and not row.reason:
                    return Parsed(row.number, row.cells, f"{name}: {NO_VALUE}", values)
                continue
            try:
                values[name] = read(text)
            except CellError as error:
                reason = row.reason or f"{name}: {error}"
                return Parsed(row.number, row.cells, reason, values)
        return Parsed(row.number, row.cells, row.reason or _contradiction(columns, values), values)

    return parse


def _canonical(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _is_open(name: str) -> bool:
    return name.startswith((ATTRIBUTE, *SCOPED))


def _reader(column: Column, readers: Readers) -> Read:
    if not isinstance(column.read, str):
        return column.read
    supplied: dict[str, Read] = {
        INSTANT: partial(_instant, readers.zone),
        EMAIL: readers.email,
        PHONE: readers.phone,
    }
    return supplied[column.read]


def _open_reader(name: str, readers: Readers) -> Read:
    if not name.startswith(ATTRIBUTE):
        return _key
    declared = readers.attributes[name.removeprefix(ATTRIBUTE)]
    by_type: dict[str, Read] = {
        "text": partial(_text, 1000),
        "number": lambda text: json.loads(_amount(text)),
        "boolean": _flag,
        "date": _day,
        "choice": partial(_choice, declared.choices),
    }
    return by_type[declared.type]


def _choice(choices: tuple[str, ...], text: str) -> str:
    if text not in choices:
        raise CellError(gettext_noop("none of the values this column may have"))
    return text


def _contradiction(columns: Mapping[str, Column], values: Mapping[str, Any]) -> str:
    """Return what cells of a row say against each other, or nothing."""
    if columns is CUSTOMERS:
        return _of_customer(values)
    if columns is ORDERS:
        return _of_order(values)
    return _of_line(values)


def _of_customer(values: Mapping[str, Any]) -> str:
    says = "consent_email" in values or "consent_sms" in values
    if says and "consent_evidence" not in values:
        return "consent_evidence: " + gettext_noop("without evidence there is no consent")
    if says and "consent_at" not in values:
        return "consent_at: " + gettext_noop("say when it was given or withdrawn")
    return ""


def _of_order(values: Mapping[str, Any]) -> str:
    refunded = Decimal(values.get("refunded_amount", 0))
    if values.get("status") == "cancelled" and "cancelled_at" not in values:
        return "cancelled_at: " + gettext_noop("a cancelled order needs the time")
    if refunded and "refunded_at" not in values:
        return "refunded_at: " + gettext_noop("a refund needs its time")
    if refunded > Decimal(values["total"]):
        return "refunded_amount: " + gettext_noop("more than was paid")
    return ""


def _of_line(values: Mapping[str, Any]) -> str:
    quantity, price = values["quantity"], Decimal(values["unit_price"])
    amount = Decimal(values.get("amount", quantity * price))
    is_discount = values.get("kind") == "discount"
    back = values.get("refunded_quantity", 0)
    refunded = Decimal(values.get("refunded_amount", 0))
    if (price < 0 or amount < 0) and not is_discount:
        return "unit_price: " + gettext_noop("only a discount may be negative")
    if back > quantity:
        return "refunded_quantity: " + gettext_noop("more than was bought")
    if refunded > max(amount, Decimal(0)):
        return "refunded_amount: " + gettext_noop("more than was paid")
    if (back or refunded) and "refunded_at" not in values:
        return "refunded_at: " + gettext_noop("a refund needs its time")
    return ""


def scoped_identities(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the marketplace, messenger and user ids of a row as (issuer, kind, value)."""
    found = []
    for name, value in values.items():
        kind, separator, issuer = name.partition(":")
        if separator and f"{kind}:" in SCOPED and issuer:
            found.append((issuer[:64], kind, value))
    return found
