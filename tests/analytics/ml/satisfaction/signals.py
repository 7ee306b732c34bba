"""Signals written down as rows, and shops drawn from a known law."""

import numpy as np

from analytics.ml.satisfaction import Deliveries, Operations, Ratings, Signals, expected_stars

REVIEW, CSAT, NPS = 0, 1, 2


def ratings(*rows: tuple[int, int, float, int]) -> Ratings:
    customer, day, score, kind = zip(*rows, strict=True)
    return Ratings(
        np.array(customer, np.int64),
        np.array(day, np.int64),
        np.array(score, np.float64),
        np.array(kind, np.int8),
    )


def deliveries(*rows: tuple[int, int, float]) -> Deliveries:
    customer, day, delay = zip(*rows, strict=True)
    return Deliveries(
        np.array(customer, np.int64), np.array(day, np.int64), np.array(delay, np.float64)
    )


def operations(*rows: tuple[int, int, int, int, int]) -> Operations:
    """Return rows of customer, day, orders, returned orders and tickets."""
    return Operations(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def shuffled(signals: Signals, seed: int = 0) -> Signals:
    """Return the same rows in another order."""
    rng = np.random.default_rng(seed)
    return Signals(*(rows.take(rng.permutation(rows.day.size)) for rows in vars(signals).values()))


def together(*parts: Signals) -> Signals:
    """Return the rows of all parts, one part behind the other."""
    return Signals(*(map(joined, zip(*(vars(part).values() for part in parts), strict=True))))


def joined(rows):
    columns = zip(*(vars(part).values() for part in rows), strict=True)
    return type(rows[0])(*(np.concatenate(column) for column in columns))


def shop(
    size: int = 4000,
    *,
    base: float = 0.8,
    slope: float = 1.0,
    returned: float = -0.25,
    ticket: float = -0.2,
    taste: float = 0.1,
    mood: float = 0.2,
    stars: bool = False,
    seed: int = 1,
) -> Signals:
    """Draw people with a taste of their own who answer on day 10 to 900, half of them twice.

    Before every answer lie an order, its delivery, and in one of five cases a return or a ticket.
    """
    rng = np.random.default_rng(seed)
    twice = rng.random(size) < 0.5
    who = np.concatenate([np.arange(size), np.flatnonzero(twice)])
    day = rng.integers(10, 900, who.size)
    delay = rng.normal(0.0, 4.0, who.size)
    back, asked = rng.random((2, who.size)) < 0.2
    told = (expected_stars(delay) - 4.14) / 4
    liking = base + rng.normal(0, taste, size)[who] + slope * told
    answer = liking + returned * back + ticket * asked + rng.normal(0, mood, who.size)
    score = np.clip(np.rint(4 * answer) / 4, 0, 1) if stars else answer
    one = np.ones(who.size, np.int64)
    return Signals(
        Ratings(who, day, score, np.zeros(who.size, np.int8)),
        Deliveries(who, day - 2, delay),
        Operations(who, day - 5, one, back.astype(np.int64), asked.astype(np.int64)),
    )
