"""Guess a file's rules from sample cells, and say which rule was taken and why."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.connectors.huike import CellError
from customers.connectors.values import dates, money
from customers.connectors.values.rules import Rules
from customers.connectors.values.words import clean, is_empty, status

CHINESE_MOBILE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d{9}")
OFFSET = re.compile(r"(?:z|[+-]\d{2}:?\d{2})$", re.I)
MOST_SAMPLES = 1000
# A column is of a kind when nine cells in ten are.
SHARE = 0.9


@dataclass(frozen=True)
class Explanation:
    """Why a rule was taken: ``rule`` is a field of Rules; ``asks``: a person must settle it."""

    rule: str
    phrase: str
    column: str = ""
    sample: str = ""
    value: str = ""
    asks: bool = False

    def worded(self) -> str:
        """Return the sentence in the reader's language."""
        return _(self.phrase) % {
            "column": self.column,
            "sample": self.sample,
            "value": self.value,
        }


def guess_rules(
    samples: Mapping[str, Sequence[str]], base: Rules | None = None
) -> tuple[Rules, tuple[Explanation, ...]]:
    """Return the rules that sample cells by column allow; what they leave open is ``base``'s."""
    rules = base or Rules()
    filled = {
        column: [clean(cell) for cell in cells[:MOST_SAMPLES] if not is_empty(cell, rules)]
        for column, cells in samples.items()
    }
    told: list[Explanation] = []
    for guess in (_date_order, _zone, _decimal_mark, _currency, _region):
        rules = guess(filled, rules, told)
    return rules, tuple(told)


def unknown_statuses(cells: Sequence[str], rules: Rules) -> list[str]:
    """Return the words among these that no rule maps to one of the record's statuses."""
    unknown = []
    for cell in dict.fromkeys(clean(cell) for cell in cells if not is_empty(cell, rules)):
        try:
            status(cell, rules)
        except CellError:
            unknown.append(cell)
    return unknown


def _most(cells: Sequence[str], fits: Sequence[bool]) -> bool:
    return bool(cells) and sum(fits) >= SHARE * len(cells)


def _date_columns(filled: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {
        column: cells
        for column, cells in filled.items()
        if _most(cells, [dates.is_date(cell) for cell in cells])
    }


def _date_order(filled: Mapping[str, list[str]], rules: Rules, told: list[Explanation]) -> Rules:
    found: dict[str, tuple[str, str]] = {}
    for column, cells in _date_columns(filled).items():
        for cell in cells:
            found.setdefault(dates.order_of(cell), (column, cell))
    if "dmy" in found and "mdy" in found:
        column, sample = found["mdy"]
        phrase = gettext_noop(
            "Some dates can only be day first, “%(sample)s” in “%(column)s” only month first: "
            "say which, or correct the file."
        )
        told.append(Explanation("date_order", phrase, column, sample, asks=True))
        return rules
    for order, phrase in (
        ("dmy", gettext_noop("“%(sample)s” in “%(column)s” can only be day first.")),
        ("mdy", gettext_noop("“%(sample)s” in “%(column)s” can only be month first.")),
    ):
        if order in found:
            told.append(Explanation("date_order", phrase, *found[order], order))
            return replace(rules, date_order=order)
    if "?" in found and not rules.date_order:
        phrase = gettext_noop(
            "“%(sample)s” in “%(column)s” may be day first or month first: which?"
        )
        told.append(Explanation("date_order", phrase, *found["?"], asks=True))
    return rules


def _zone(filled: Mapping[str, list[str]], rules: Rules, told: list[Explanation]) -> Rules:
    for column, cells in _date_columns(filled).items():
        local = [cell for cell in cells if ":" in cell and not OFFSET.search(cell)]
        if local:
            phrase = gettext_noop(
                "“%(sample)s” in “%(column)s” names no offset: time of %(value)s."
            )
            told.append(Explanation("zone", phrase, column, local[0], rules.zone))
            break
    return rules


def _amount_columns(filled: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {
        column: cells
        for column, cells in filled.items()
        if _most(cells, [money.is_money(cell) and not dates.is_date(cell) for cell in cells])
    }


def _decimal_mark(filled: Mapping[str, list[str]], rules: Rules, told: list[Explanation]) -> Rules:
    found: dict[str, tuple[str, str]] = {}
    for column, cells in _amount_columns(filled).items():
        for cell in cells:
            found.setdefault(money.mark_of(cell), (column, cell))
    if "." in found and "," in found:
        phrase = gettext_noop(
            "Amounts are written both ways, “%(sample)s” in “%(column)s” with a comma: say which."
        )
        told.append(Explanation("decimal_mark", phrase, *found[","], asks=True))
        return rules
    if "," in found:
        phrase = gettext_noop("“%(sample)s” in “%(column)s” has a decimal comma.")
        told.append(Explanation("decimal_mark", phrase, *found[","], ","))
        return replace(rules, decimal_mark=",")
    if "." in found:
        phrase = gettext_noop("“%(sample)s” in “%(column)s” has a decimal point.")
        told.append(Explanation("decimal_mark", phrase, *found["."], "."))
        return replace(rules, decimal_mark=".")
    if "?" in found:
        phrase = gettext_noop(
            "“%(sample)s” in “%(column)s”: does the mark part thousands, or the decimals?"
        )
        told.append(Explanation("decimal_mark", phrase, *found["?"], asks=True))
    return rules


def _currency(filled: Mapping[str, list[str]], rules: Rules, told: list[Explanation]) -> Rules:
    named: Counter[str] = Counter()
    where: dict[str, tuple[str, str]] = {}
    for column, cells in _amount_columns(filled).items():
        for cell in cells:
            if code := money.code_of(cell):
                named[code] += 1
                where.setdefault(code, (column, cell))
    if len(named) == 1:
        (code,) = named
        phrase = gettext_noop("“%(sample)s” in “%(column)s” names the currency %(value)s.")
        told.append(Explanation("currency", phrase, *where[code], code))
        return replace(rules, currency=code)
    if named:
        code = named.most_common()[-1][0]
        phrase = gettext_noop(
            "Amounts name several currencies, such as %(value)s in “%(column)s”: map a column to "
            "the currency."
        )
        told.append(Explanation("currency", phrase, *where[code], code, asks=True))
    return rules


def _region(filled: Mapping[str, list[str]], rules: Rules, told: list[Explanation]) -> Rules:
    if rules.region:
        return rules
    for column, cells in filled.items():
        mobiles = [bool(CHINESE_MOBILE.fullmatch(cell)) for cell in cells]
        whole = [cell for cell, is_one in zip(cells, mobiles, strict=True) if is_one]
        masked = sum("*" in cell for cell in cells)
        if whole and len(whole) + masked >= SHARE * len(cells):
            phrase = gettext_noop("“%(sample)s” in “%(column)s” is a Chinese mobile number.")
            told.append(Explanation("region", phrase, column, whole[0], "CN"))
            return replace(rules, region="CN")
    return rules
