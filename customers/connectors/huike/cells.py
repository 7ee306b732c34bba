"""Read one cell: text in, a value that JSON can carry out, or the phrase that says why not."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext_noop

Read = Callable[[str], Any]

MOST_INTEGER = 2**31 - 1
MOST_MONEY = Decimal(10) ** 11
MOST_PRICE = Decimal(10) ** 10
EARLIEST_YEAR = 1990
LATEST_YEAR = 9998
MOST_OFFSET = timedelta(hours=16)
YES = frozenset({"1", "true", "yes", "y", "是"})
NO = frozenset({"0", "false", "no", "n", "否"})
EMPTY = frozenset({"null", "none", "n/a", "#n/a", "nan", "—", "——"})
SPREADSHEET_ERROR = re.compile(
    r"#(?:DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!|SPILL!|CALC!|#{2,})", re.IGNORECASE
)
"""What a spreadsheet writes for a formula that failed, or a column too narrow for its number."""
ROUNDED = re.compile(r"\d(?:[.,]\d+)?e\+\d{1,3}", re.IGNORECASE)
CUT = gettext_noop("a spreadsheet cut this number short; export it again and keep it as text")
UNSEEN = ("Cc", "Cf", "Zl", "Zp")
"""Categories of signs such as line ends, marks of direction and blanks without width."""


class CellError(ValueError):
    """A cell that cannot be read; the message is the phrase that says why."""


def refuse_spreadsheet_error(text: str) -> None:
    """Raise CellError for a spreadsheet's error: as a key it would make many people one."""
    if text[:1] == "#" and SPREADSHEET_ERROR.fullmatch(text):
        raise CellError(gettext_noop("a spreadsheet's error; mend the cell and save again"))


def text_up_to(most: int, text: str) -> str:
    """Return the text, unless it is longer than ``most`` characters."""
    if len(text) > most:
        raise CellError(gettext_noop("the text is too long"))
    return text


def amount(text: str, most: Decimal = MOST_MONEY) -> str:
    """Return an amount with four digits behind the point, as text: JSON has no decimals."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise CellError(gettext_noop("no amount; write it as 1234.50")) from None
    if not value.is_finite() or abs(value) >= most:
        raise CellError(gettext_noop("the amount is out of range"))
    return str(value.quantize(Decimal("0.0001")))


def amount_from_zero(text: str, most: Decimal = MOST_MONEY) -> str:
    """Return an amount that may not be negative."""
    value = amount(text, most)
    if value.startswith("-"):
        raise CellError(gettext_noop("the amount is negative"))
    return value


def price(text: str) -> str:
    """Return the price of one piece, which a product can hold."""
    return amount(text, MOST_PRICE)


def price_from_zero(text: str) -> str:
    """Return the price or the cost of one piece that may not be negative."""
    return amount_from_zero(text, MOST_PRICE)


def count(least: int, text: str, most: int = MOST_INTEGER) -> int:
    """Return a whole number from ``least`` to ``most``."""
    try:
        value = int(text.removesuffix(".0"))
    except ValueError:
        raise CellError(gettext_noop("no whole number")) from None
    if not least <= value <= most:
        raise CellError(gettext_noop("the number is out of range"))
    return value


def flag(text: str) -> bool:
    """Return yes or no."""
    word = text.lower()
    if word not in YES | NO:
        raise CellError(gettext_noop("neither yes nor no; write true or false"))
    return word in YES


def day(text: str) -> str:
    """Return a date; a time behind it is not looked at."""
    try:
        return date.fromisoformat(
            text[:10] if len(text) > 10 and text[10] in " T" else text
        ).isoformat()
    except ValueError:
        raise CellError(gettext_noop("no date; write it as 2026-03-31")) from None


def one_of(values: Iterable[str], text: str) -> str:
    """Return one of the record's own words, whatever its case."""
    word = text.lower()
    if word not in values:
        raise CellError(gettext_noop("none of the values this column may have"))
    return word


def choice(choices: tuple[str, ...], text: str) -> str:
    """Return one of the choices of a custom attribute, letter by letter."""
    if text not in choices:
        raise CellError(gettext_noop("none of the values this column may have"))
    return text


def currency(text: str) -> str:
    """Return a currency's code."""
    code = text.upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise CellError(gettext_noop("no currency code such as EUR"))
    return code


@cache
def _zones() -> set[str]:
    return available_timezones()


def time_zone(text: str) -> str:
    """Return a time zone's name."""
    if text not in _zones():
        raise CellError(gettext_noop("no time zone such as Asia/Shanghai"))
    return text


def key(text: str) -> str:
    """Return an id without signs that nobody sees; a masked or a rounded one is none."""
    if not text.isascii() or not text.isprintable():
        text = "".join(sign for sign in text if unicodedata.category(sign) not in UNSEEN).strip()
        if not text:
            raise CellError(gettext_noop("no id: it has only signs that nobody sees"))
    if "*" in text:
        raise CellError(gettext_noop("masked: many people share it, so it is no key"))
    if ROUNDED.fullmatch(text):
        raise CellError(CUT)
    return text_up_to(120, text)


def instant(zone: ZoneInfo, text: str) -> str:
    """Return an instant; without an offset it is local time of the shop."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CellError(gettext_noop("no time; write it as 2026-03-31 18:05")) from None
    if moment.year < EARLIEST_YEAR:
        raise CellError(gettext_noop("the time lies before 1990"))
    # Beyond this some zone's clock has a year of five digits, which nothing here can show.
    if moment.year > LATEST_YEAR:
        raise CellError(gettext_noop("the time lies after the year 9998"))
    if abs(moment.utcoffset() or timedelta()) >= MOST_OFFSET:
        raise CellError(gettext_noop("no time zone is so far from Greenwich"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
