"""Guess which column is which, by names in English and Chinese and by what the cells look like."""

import re
from collections.abc import Mapping as Samples
from collections.abc import Sequence
from dataclasses import dataclass

from customers.connectors import values
from customers.connectors.huike import CellError
from customers.connectors.presets.base import ORDERS, folded
from customers.connectors.presets.kinds import KINDS, Target, required
from customers.connectors.presets.mapping import Mapping
from customers.connectors.values import Explanation, Rules

LEAST = 0.45
MOST_SAMPLES = 50
ASIDE = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
"""What a name says beside: “Total (CNY)” is a total."""


@dataclass(frozen=True)
class Suggestion:
    """A mapping to start from: its score by canonical column (0…1), and why each rule was taken."""

    mapping: Mapping
    scores: dict[str, float]
    explanations: tuple[Explanation, ...]


def suggest(
    header: Sequence[str],
    samples: Samples[str, Sequence[str]],
    *,
    kind: str = "",
    base: Rules | None = None,
) -> Suggestion:
    """Return the likeliest mapping, of one kind or of the one that fits best; maybe incomplete.

    ``samples`` holds cells by the file's own column. A mapping is never used unseen: a person
    confirms it, and ``Mapping.problems`` says what is still missing.
    """
    rules, explanations = values.guess_rules(samples, base)
    found = {name: _columns(name, header, samples, rules) for name in ([kind] if kind else KINDS)}
    best = max(found, key=lambda name: _fit(name, found[name]))
    if ORDERS in found and not _fit(best, found[best])[0]:
        # Nothing that is needed was recognised: most files are of orders.
        best = ORDERS
    columns = {ours: theirs for ours, (theirs, _score) in found[best].items()}
    scores = {ours: score for ours, (_theirs, score) in found[best].items()}
    return Suggestion(Mapping(best, columns, rules), scores, explanations)


def _fit(kind: str, found: dict[str, tuple[str, float]]) -> tuple[float, float]:
    """Rank a kind: first by the share of its needed columns that were found, then by all."""
    needed = list(required(kind))
    total = sum(score for _theirs, score in found.values())
    share = sum(found[name][1] for name in needed if name in found) / len(needed)
    return round(share, 1), total


def _columns(
    kind: str, header: Sequence[str], samples: Samples[str, Sequence[str]], rules: Rules
) -> dict[str, tuple[str, float]]:
    """Give each canonical column its best column of the file, the surest pairs first."""
    pairs = [
        (_score(target, theirs, samples.get(theirs, ()), rules), -place, target.name, theirs)
        for target in KINDS[kind].values()
        for place, theirs in enumerate(header)
        if theirs
    ]
    chosen: dict[str, tuple[str, float]] = {}
    taken: set[str] = set()
    for score, _place, ours, theirs in sorted(pairs, reverse=True):
        if score >= LEAST and ours not in chosen and theirs not in taken:
            chosen[ours] = (theirs, round(score, 3))
            taken.add(theirs)
    return chosen


def _score(target: Target, theirs: str, cells: Sequence[str], rules: Rules) -> float:
    named = max(_by_name(target, folded(theirs)), 0.98 * _by_name(target, _plain(theirs)))
    if not named and target.name != "email":
        return 0.0
    filled = [cell for cell in cells[:MOST_SAMPLES] if not values.is_empty(cell, rules)]
    if not filled:
        return named * 0.8
    readable = sum(_reads(target, cell, rules) for cell in filled) / len(filled)
    if not named:
        # Nothing but addresses is a column of them whatever its name.
        named = 0.6 if readable >= 0.9 else 0.0
    return named * (0.4 + 0.6 * readable) if readable >= 0.5 else 0.0


def _plain(theirs: str) -> str:
    return folded(ASIDE.sub("", theirs))


def _by_name(target: Target, theirs: str) -> float:
    if theirs == folded(target.name):
        return 1.0
    best = 0.0
    for place, name in enumerate(target.names):
        known = folded(name)
        if theirs == known:
            best = max(best, 0.95 - place / 1000)
        elif len(known) >= _least(known, target) and known in theirs:
            best = max(best, 0.4 + 0.4 * len(known) / len(theirs))
    return best


def _least(known: str, target: Target) -> int:
    """Return how long a name must be to count in a longer one: two signs of Chinese say much.

    Of a key more is asked: “Name” is an order's number alone, and no part of “Bill-to Name”.
    """
    if not known.isascii():
        return 2
    return 5 if target.is_key else 4


def _reads(target: Target, cell: str, rules: Rules) -> bool:
    try:
        return bool(target.read(cell, rules))
    except values.MaskedError:
        return "*" in cell
    except CellError as error:
        # An ambiguous date is a date.
        return "day or month" in str(error)
