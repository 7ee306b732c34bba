"""Buyers by the stories of the models: BG/NBD for when, Gamma–Gamma for how much.

The order of the draws is part of the contract: figures in the documents rest on their seeds.
"""

from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Purchases:
    """Who bought when, in the order drawn, and when everybody's next purchase would have come.

    Attributes
    ----------
    customer, at : a purchase each: the customer's place, and the day with its fraction
    following : the purchase after the last one seen; infinite for who had left
    """

    customer: IntArray
    at: FloatArray
    following: FloatArray


def draw_people(
    rng: np.random.Generator, size: int, *, r: float, alpha: float, a: float, b: float
) -> tuple[FloatArray, FloatArray]:
    """Draw everyone's orders a day (``alpha`` is in weeks) and chance to leave after an order."""
    rate = rng.gamma(r, 1.0 / alpha, size) / 7.0
    return rate, rng.beta(a, b, size)


def draw_purchases(
    rng: np.random.Generator,
    rate: FloatArray,
    leaves: FloatArray,
    first: FloatArray,
    *,
    until: float,
) -> Purchases:
    """Draw orders at each one's rate until the coin after a repeat order says it was the last."""
    alive, now = np.arange(first.size), first
    ids, bought, following = [alive], [now], np.full(first.size, np.inf)
    while alive.size:
        now = now + rng.exponential(1.0 / rate[alive])
        inside: BoolArray = now < until
        following[alive[~inside]] = now[~inside]
        alive, now = alive[inside], now[inside]
        ids.append(alive)
        bought.append(now)
        stays = rng.random(alive.size) >= leaves[alive]
        alive, now = alive[stays], now[stays]
    return Purchases(np.concatenate(ids), np.concatenate(bought), following)


def draw_scales(rng: np.random.Generator, size: int) -> FloatArray:
    """Draw everyone's own scale of spending (q = 4, v = 15)."""
    return 1.0 / rng.gamma(4.0, 1.0 / 15.0, size)


def draw_spend(rng: np.random.Generator, scale: FloatArray) -> FloatArray:
    """Draw what each order comes to around its customer's scale (p = 6), never nothing."""
    return np.round(rng.gamma(6.0, scale) + 0.01, 2)
