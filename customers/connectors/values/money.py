"""Amounts, counts and currencies."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_noop

from customers.connectors.huike import MOST_MONEY, CellError
from customers.connectors.values.rules import Rules
from customers.connectors.values.words import clean

NO_AMOUNT = gettext_noop("no amount; write it as 1234.50")
OUT_OF_RANGE = gettext_noop("the amount is out of range")
SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "₽": "RUB",
    "₹": "INR",
    "₩": "KRW",
    "₫": "VND",
    "฿": "THB",
    "₺": "TRY",
    "₱": "PHP",
    "₴": "UAH",
    "元": "CNY",
    "人民币": "CNY",
    "RMB": "CNY",
    "US$": "USD",
    "HK$": "HKD",
    "NT$": "TWD",
    "A$": "AUD",
    "C$": "CAD",
    "R$": "BRL",
    "zł": "PLN",
    "kr": "",
    "$": "",
    "¥": "",
    "¤": "",
}
SIGN = re.compile("|".join(map(re.escape, sorted(SYMBOLS, key=len, reverse=True))), re.I)
CODE = re.compile(r"^[A-Za-z]{3}(?=[\s\d+.,-])|(?<=[\s\d.,-])[A-Za-z]{3}$")
PLAIN = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{1,4})?")
BLANKS = re.compile(r"[\s'’\u00a0\u202f]")
GROUPS = {
    # 1,234,567.5 and 12,34,567.5; never 12,50, which only a reader of points would take for 1250
    ".": re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}|\d+)(?:\.\d*)?$|\.\d+$"),
    ",": re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d*)?$|,\d+$"),
}


def money(cell: str, rules: Rules) -> str:
    """Return a plain decimal; signs, codes, group marks and bookkeepers' brackets are read."""
    if rules.decimal_mark == "." and PLAIN.fullmatch(cell):
        return _written(Decimal(cell))
    text = _without_sign(cell)
    is_negative = text.startswith("(") and text.endswith(")")
    text = BLANKS.sub("", text.strip("()"))
    if text.endswith("-") and not text.startswith("-"):
        text = "-" + text[:-1]
    negative, digits = text.startswith("-"), text.lstrip("+-")
    if len(text) - len(digits) > 1 or len(digits) > 40:
        raise CellError(NO_AMOUNT)
    value = _decimal(digits, rules)
    return _written(-value if negative or is_negative else value)


def amount(cell: str, rules: Rules) -> str:
    """Return money without its sign: some exports write what is taken off with a minus."""
    return money(cell, rules).removeprefix("-")


def count(cell: str, rules: Rules) -> str:
    """Return a whole number; ``3.00`` is one, ``2.5`` is none."""
    value = Decimal(money(cell, rules))
    if value != value.to_integral_value():
        raise CellError(gettext_noop("no whole number"))
    return str(int(value))


def currency(cell: str, rules: Rules) -> str:
    """Return the code; an unambiguous sign counts as one."""
    text = unicodedata.normalize("NFKC", clean(cell))
    code = SYMBOLS.get(text, SYMBOLS.get(text.upper(), "")) or text.upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        if text and SIGN.fullmatch(text) and rules.currency:
            return rules.currency
        raise CellError(gettext_noop("no currency code such as EUR"))
    return code


def mark_of(cell: str) -> str:
    """Return the decimal mark when this amount allows only one, ``?`` for both, else nothing."""
    text = BLANKS.sub("", _without_sign(cell)).strip("()+-")
    point, comma = text.rfind("."), text.rfind(",")
    if point >= 0 and comma >= 0:
        return "." if point > comma else ","
    if point < 0 and comma < 0:
        return ""
    mark = "." if point >= 0 else ","
    parts = text.split(mark)
    if not all(part.isdigit() or not part for part in parts):
        return ""
    if len(parts) > 2:
        return "," if mark == "." else "."
    return "?" if len(parts[1]) == 3 and 1 <= len(parts[0]) <= 3 and parts[0] != "0" else mark


def code_of(cell: str) -> str:
    """Return the currency that an amount names beyond doubt, else nothing."""
    text = unicodedata.normalize("NFKC", clean(cell)).strip("() ")
    if found := CODE.search(text):
        code = found.group().upper()
        return SYMBOLS.get(code, code)
    found_sign = SIGN.search(text)
    return SYMBOLS.get(found_sign.group(), "") if found_sign else ""


def is_money(cell: str) -> bool:
    """Tell whether a cell looks like an amount in any locale."""
    text = BLANKS.sub("", _without_sign(cell)).strip("()").lstrip("+-")
    return any(pattern.match(text) for pattern in GROUPS.values()) if text else False


def _without_sign(cell: str) -> str:
    text = unicodedata.normalize("NFKC", clean(cell)).replace("−", "-").replace("–", "-")
    text = CODE.sub("", text.strip()).strip()
    return SIGN.sub("", text, count=1).strip()


def _decimal(digits: str, rules: Rules) -> Decimal:
    """Read digits with group marks; a mark that is no group is never taken for one."""
    if re.fullmatch(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}", digits):
        return Decimal(digits)
    if not digits.isascii() or not GROUPS[rules.decimal_mark].match(digits):
        raise CellError(NO_AMOUNT)
    groups = "," if rules.decimal_mark == "." else "."
    plain = digits.replace(groups, "").replace(rules.decimal_mark, ".")
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise CellError(NO_AMOUNT) from None


def _written(value: Decimal) -> str:
    if abs(value) >= MOST_MONEY:
        raise CellError(OUT_OF_RANGE)
    rounded = value.quantize(Decimal("0.0001"))
    text = f"{rounded:f}".rstrip("0")
    whole, _point, fraction = text.partition(".")
    written = f"{whole}.{fraction.ljust(2, '0')}"
    return written.removeprefix("-") if not rounded else written
