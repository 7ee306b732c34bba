"""Write numbers, days and rows of sentences as the reader writes them."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

EPOCH = date(1970, 1, 1)


def number(value: Decimal | float, places: int = 0) -> str:
    """Write a number with thousands grouped, rounded to ``places``.

    It is rounded here: Django's number_format cuts off what does not fit.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return number_format(round(exact, places), places, force_grouping=True)


def figure(value: float | None) -> str:
    """Write a quality figure with three decimals."""
    return "—" if value is None else number(value, 3)


def day(number_of_day: int) -> str:
    """Write a day given as days since 1970-01-01."""
    return date_format(EPOCH + timedelta(days=number_of_day), "DATE_FORMAT")


def day_range(first: date, last: date, *, year: int) -> str:
    """Write the days from ``first`` to ``last``; their years only where it is not all ``year``."""
    is_this_year = first.year == last.year == year
    day = "LONG_MONTH_DAY_FORMAT" if is_this_year else "LONG_DATE_FORMAT"
    if first == last:
        return date_format(first, day)
    if (first.year, first.month) != (last.year, last.month):
        return f"{date_format(first, day)} – {date_format(last, day)}"
    year_or_none = "" if is_this_year else "WITH_YEAR_"
    begin, end = (f"SPAN_{place}_{year_or_none}FORMAT" for place in ("FROM", "UNTIL"))
    return f"{date_format(first, begin)}–{date_format(last, end)}"


def percent(value: float | None) -> str:
    """Write a share as a percentage; nothing where it is unknown."""
    return "" if value is None else _("%(share)s %%") % {"share": number(100 * value)}


def amount(value: Decimal | float | None) -> str:
    """Write an amount without its currency; nothing where it is unknown."""
    return "" if value is None else number(value, 2)


def sentences(parts: Sequence[str]) -> str:
    """Put sentences one behind the other; not every script has a blank between them."""
    return reduce(lambda said, more: _("%(said)s %(more)s") % {"said": said, "more": more}, parts)


def money_range(low: Decimal | None, high: Decimal | None) -> str:
    """Write a range of amounts whose ends may be open."""
    if low is None:
        return _("below %(high)s") % {"high": _edge(high)}
    if high is None:
        return _("%(low)s and more") % {"low": _edge(low)}
    return f"{_edge(low)}–{_edge(high)}"


def _edge(value: Decimal | None) -> str:
    whole = value is not None and value == value.to_integral_value()
    return number_format(value or 0, 0 if whole else 2, force_grouping=True)
