"""What is true of the time after the record: expected, realised, and if a campaign came."""

from typing import Any

import numpy as np

from customers.services.simulation.world.arrays import EFFECTS, NEVER, Floats, Ints, Table
from customers.services.simulation.world.catalogue import BRANDS, CATEGORIES
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.people import CHANNELS, KINDS
from customers.services.simulation.world.purchases import Purchases
from customers.services.simulation.world.seasons import Seasons

EFFECTS_BY_GROUP = ("sure", "lost", "persuadable", "sleeping_dog")
EFFECT_SHARES = (0.50, 0.20, 0.20, 0.10)
PERSUADED = 0.35
"""Mean of the additional orders of a treated persuadable who is still a customer."""
ANNOYED = 0.30
"""Share of their coming orders that treated sleeping dogs do not place."""


def silence(weekly_rate: Floats, shape: Ints, phase: Ints, weeks: float) -> Floats:
    """Return P(no purchase in ``weeks``) of somebody who has not left, given the stage reached."""
    mean = weekly_rate * shape * weeks
    total, term = np.zeros(mean.size), np.exp(-mean)
    for count in range(int((shape - phase).max(initial=1))):
        total += np.where(count < shape - phase, term, 0.0)
        term = term * mean / (count + 1)
    return np.minimum(total, 1.0)


def expected_orders(
    weekly_rate: Floats, leave: Floats, shape: Ints, phase: Ints, weeks: float
) -> Floats:
    """Return the expected purchases in ``weeks`` of somebody who has not left.

    With n gaps ending, leaving with probability p at each, that is ``E[(1 − (1 − p)^n) / p]``; for
    exponential gaps ``(1 − exp(−λpt)) / p``, for stages a sum over their Poisson number.
    """
    p = np.maximum(leave, 1e-12)
    answer = -np.expm1(-weekly_rate * weeks * p) / p
    staged = np.flatnonzero(shape > 1)
    if staged.size:
        p, k, j = p[staged], shape[staged], phase[staged]
        mean = weekly_rate[staged] * k * weeks
        log_term, total = -mean, np.zeros(staged.size)
        for count in range(int(mean.max() + 12.0 * np.sqrt(mean.max()) + 30)):
            total += np.exp(log_term) * -np.expm1((count + j) // k * np.log1p(-np.minimum(p, 1.0)))
            log_term = log_term + np.log(np.maximum(mean, 1e-300)) - np.log(count + 1)
        answer[staged] = total / p
    return np.asarray(answer)


def tell_truth(laws: Laws, people: Table, purchases: Purchases, value: Floats) -> Table:
    """Return the truth about one cohort, a row per customer; ``value`` is in shop currency."""
    seasons = laws.seasons
    size = people["number"].size
    is_past = purchases.at < seasons.until
    buys = np.isfinite(purchases.first)
    is_alive = buys & (purchases.left >= seasons.until)
    rate, shape, phase = people["weekly_rate"], people["gap_shape"], purchases.phase
    weeks = (seasons.horizon - seasons.until) / 7.0
    awaited = expected_orders(rate, people["leave_probability"], shape, phase, weeks)
    awaited = np.where(is_alive, awaited, 0.0)
    truth = {
        "external_id": people["external_id"],
        "kind": np.array(KINDS)[people["kind"]],
        "channel": np.array(CHANNELS)[people["channel"]],
        **{name: people[name] for name in ("weekly_rate", "leave_probability", "gap_shape")},
        "mean_order_value": people["mean_order_value"],
        "favourite_category": np.array([key for key, *_names in CATEGORIES])[people["category"]],
        "favourite_brand": np.array(BRANDS)[people["brand"]],
        "first_at": _instant(seasons, purchases.first),
        "left_at": _instant(seasons, purchases.left),
        "is_alive": is_alive,
        "gap_phase": phase,
        "orders": _count(purchases, is_past, size),
        "spend": np.bincount(purchases.customer[is_past], value[is_past], size),
        "expected_orders": awaited,
        "expected_spend": awaited * people["mean_order_value"],
        "churn_probability": np.where(is_alive, silence(rate, shape, phase, weeks), 1.0),
        "future_orders": _count(purchases, ~is_past, size),
        "future_spend": np.bincount(purchases.customer[~is_past], value[~is_past], size),
    }
    return truth | _effects(laws, people, truth)


def _effects(laws: Laws, people: Table, truth: Table) -> Table:
    """Draw what a campaign on the first day after the record would do to each customer."""
    rng = laws.chance(EFFECTS)
    size = people["number"].size
    group = rng.choice(len(EFFECT_SHARES), size=size, p=EFFECT_SHARES)
    pull = PERSUADED * rng.uniform(0.5, 1.5, size) * np.where(truth["is_alive"], 1.0, 0.3)
    pull = np.where(truth["orders"] > 0, pull, 0.0)
    extra = np.select(
        [group == 2, group == 3], [pull, -ANNOYED * truth["expected_orders"]], np.zeros(size)
    )
    more = rng.poisson(np.where(group == 2, pull, 0.0))
    fewer = rng.binomial(truth["future_orders"], np.where(group == 3, ANNOYED, 0.0))
    return {
        "effect_group": np.array(EFFECTS_BY_GROUP)[group],
        "extra_orders": extra,
        "extra_spend": extra * people["mean_order_value"],
        "treated_orders": truth["future_orders"] + more - fewer,
    }


def _count(purchases: Purchases, chosen: Any, size: int) -> Ints:
    return np.bincount(purchases.customer[chosen], minlength=size).astype(np.int64)


def _instant(seasons: Seasons, shop_time: Floats) -> Ints:
    """Return instants, or never where the time is not finite or lies beyond the horizon."""
    known = np.isfinite(shop_time)
    day = seasons.day(np.where(known, shop_time, 0.0))
    return np.where(known, seasons.instant(day), NEVER)
