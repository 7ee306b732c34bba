"""Numbers as text, where a file holds them in binary."""

import re
from decimal import Decimal

LONGEST_SURE = 15
INTEGER = re.compile(r"-?\d{1,15}")


def number(value: str) -> str:
    """Return a number as a spreadsheet shows it, to fifteen digits.

    A whole number of more digits was rounded when it was stored; it is written with an exponent,
    so that nobody takes it for an id.
    """
    if INTEGER.fullmatch(value):
        return value
    try:
        given = float(value)
    except ValueError:
        return value
    if given != given or given in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
        return ""
    if abs(given) >= 10**LONGEST_SURE:
        return f"{given:.14e}"
    text = f"{Decimal(f'{given:.15g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
