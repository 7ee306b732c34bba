"""Days and instants, however a shop's export writes them."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from customers.connectors.huike import EARLIEST_YEAR, CellError
from customers.connectors.values.rules import Rules
from customers.connectors.values.words import clean

NO_TIME = gettext_noop("no time; write it as 2026-03-31 18:05")
AMBIGUOUS = gettext_noop("day or month first? Say it in the rules for dates")
EARLY = gettext_noop("the time lies before 1990")
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
CLOCK = (
    r"(?:[T ]+(?:(?P<ampm0>am|pm) )?(?P<hour>\d{1,2})[:.](?P<minute>\d{1,2})"
    r"(?:[:.](?P<second>\d{1,2})(?:[.,]\d{1,9})?)?\s*(?P<ampm>[ap]\.?m\.?)?"
    r"\s*(?P<offset>z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2})?(?:\s*\(.*\))?)?$"
)
YMD = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + CLOCK, re.I)
COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})" + CLOCK, re.I)
NUMBERS = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<year>\d{4}|\d{2}),?" + CLOCK, re.I
)
NAME = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
WORDS = (
    re.compile(NAME + r"\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4}),?" + CLOCK, re.I),
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s.-]*" + NAME + r"[\s,-]*(?P<year>\d{4}),?" + CLOCK,
        re.I,
    ),
)
SERIAL = re.compile(r"\d{5}(?:\.\d+)?$")
FIRST_SERIAL = datetime(1899, 12, 30)  # noqa: DTZ001 - shop-local by definition
HANZI = (("年", "-"), ("月", "-"), ("日", " "), ("时", ":"), ("点", ":"), ("分", ":"), ("秒", ""))


def instant(cell: str, rules: Rules) -> str:
    """Return an ISO instant with an offset; a cell without one is local time by the rules."""
    moment = _read(cell, rules)
    zoned = moment if moment.tzinfo else _local(moment, rules.zone_info())
    return zoned.isoformat(sep=" ", timespec="seconds")


def day(cell: str, rules: Rules) -> str:
    """Return an ISO day: the day written in the cell, whatever its clock and offset say."""
    return _read(cell, rules, is_day=True).date().isoformat()


def moment(text: str) -> datetime:
    """Return an instant that ``instant`` wrote, to compare it."""
    return datetime.fromisoformat(text)


def order_of(cell: str) -> str:
    """Return ``dmy`` or ``mdy`` when this cell allows only one, ``?`` for both, else nothing."""
    found = NUMBERS.match(_plain(cell))
    if not found:
        return ""
    one, two = int(found["one"]), int(found["two"])
    if one > 12 >= two:
        return "dmy"
    if two > 12 >= one:
        return "mdy"
    return "?" if one <= 12 and two <= 12 else ""


def is_date(cell: str) -> bool:
    """Tell whether a cell looks like a day or an instant; a bare number does not."""
    text = _plain(cell)
    patterns = (YMD, NUMBERS, *WORDS)
    return any(pattern.match(text) for pattern in patterns)


def _read(cell: str, rules: Rules, *, is_day: bool = False) -> datetime:
    text = _plain(cell)
    if len(text) > 64:
        raise CellError(NO_TIME)
    try:
        moment = _parsed(text, rules)
    except (ValueError, OverflowError) as error:
        if isinstance(error, CellError):
            raise
        raise CellError(NO_TIME) from None
    if not is_day and moment.year < EARLIEST_YEAR:
        raise CellError(EARLY)
    return moment


def _plain(cell: str) -> str:
    text = unicodedata.normalize("NFKC", clean(cell))
    if "年" in text:
        for theirs, ours in HANZI:
            text = text.replace(theirs, ours)
        text = text.strip().rstrip(":-")
    text = text.replace("上午", " am ").replace("下午", " pm ")
    return re.sub(r"\s+", " ", text).strip()


def _parsed(text: str, rules: Rules) -> datetime:
    if SERIAL.match(text):
        return _serial(float(text))
    for pattern in (YMD, COMPACT):
        if found := pattern.match(text):
            return _moment(found, int(found["year"]), int(found["month"]), int(found["day"]))
    for pattern in WORDS:
        if found := pattern.match(text):
            month = MONTHS.index(found["name"].lower()) + 1
            return _moment(found, int(found["year"]), month, int(found["day"]))
    if found := NUMBERS.match(text):
        return _by_order(found, rules)
    raise CellError(NO_TIME)


def _by_order(found: re.Match[str], rules: Rules) -> datetime:
    """Settle 03/04/2026: by the rules, else by the numbers themselves, else not at all."""
    one, two = int(found["one"]), int(found["two"])
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    order = rules.date_order
    if not order:
        # 31.03.2026 is day first wherever points are written; equal numbers are one day.
        order = "dmy" if found["mark"] == "." or one > 12 or one == two else ""
        order = order or ("mdy" if two > 12 else "")
    if not order:
        raise CellError(AMBIGUOUS)
    day_number, month = (one, two) if order == "dmy" else (two, one)
    return _moment(found, year, month, day_number)


def _moment(found: re.Match[str], year: int, month: int, day_number: int) -> datetime:
    if found["hour"] is None:
        return datetime(year, month, day_number)  # noqa: DTZ001 - the offset follows by the rules
    hour, half = int(found["hour"]), (found["ampm"] or found["ampm0"] or "").lower()[:1]
    if half and not 1 <= hour <= 12:
        raise CellError(NO_TIME)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return datetime(
        year,
        month,
        day_number,
        hour,
        int(found["minute"]),
        int(found["second"] or 0),
        tzinfo=_offset(found["offset"]),
    )


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away)


def _serial(days: float) -> datetime:
    """Return the moment of a spreadsheet's day number (days since 1899-12-30)."""
    return FIRST_SERIAL + timedelta(seconds=round(days * 86_400))


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Place a local time; an hour that the clock skipped is read an hour on, as clocks do."""
    placed = moment.replace(tzinfo=zone)
    return placed.astimezone(UTC).astimezone(zone)
