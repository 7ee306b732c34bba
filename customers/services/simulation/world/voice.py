"""What customers say: experience first, and from it reviews, answers and tickets.

``experience`` is the true opinion of an order on the scale of the stars, 1 to 5, and everybody has
one. Who speaks is another matter: the content answer surveys more often than the annoyed, and
reviews are written at both ends. So the mean of the answers is not the mean of the customers, and
the truth file knows both.
"""

import numpy as np

from customers.services.simulation.world import words
from customers.services.simulation.world.arrays import NEVER, VOICE, Floats, Ints, Table
from customers.services.simulation.world.catalogue import PREMIUM
from customers.services.simulation.world.laws import Laws

CONTENT = 4.25
DELAY_COST, QUALITY_WORTH, PRICE_COST = 0.35, 0.6, 0.5


def judge_orders(laws: Laws, orders: Table, lines: Table) -> None:
    """Add each order's true experience and its parts to the orders."""
    catalogue, rng = laws.catalogue, laws.chance(VOICE)
    size = orders["day"].size
    goods = lines["is_charge"] == 0
    order, product = lines["order"][goods], lines["product"][goods]
    weight = lines["amount"][goods].astype(np.float64)
    whole = np.maximum(np.bincount(order, weight, size), 1.0)
    quality = np.bincount(order, weight * catalogue.quality[product], size) / whole
    premium = np.array(PREMIUM)[catalogue.brand[product]]
    price = np.bincount(order, weight * premium, size) / whole
    late = np.clip(orders["late_days"], -0.5, 5.0)
    parts = np.stack([-DELAY_COST * late, QUALITY_WORTH * quality, -PRICE_COST * price])
    service = rng.normal(0.0, 0.25, size)
    orders["aspects"] = np.vstack([parts, service]).T
    noise = rng.normal(0.0, 0.35, size)
    felt = CONTENT + orders["mood"] + orders["aspects"].sum(axis=1) + noise
    orders["experience"] = np.clip(felt, 1.0, 5.0)


def draw_reviews(laws: Laws, orders: Table, lines: Table) -> Table:
    """Draw the reviews: of the order's first product, soon after the delivery."""
    seasons, rng = laws.seasons, laws.chance(VOICE, 1)
    felt = orders["experience"]
    chance = 0.07 + 0.10 * np.minimum(np.abs(felt - 3.7), 2.0)
    order, at = _speakers(laws, orders, chance, rng.uniform(0.3, 12.0, felt.size), rng)
    rating = np.clip(np.rint(felt[order]), 1, 5).astype(np.int64)
    aspects = orders["aspects"][order]
    aspect = np.where(rating >= 4, aspects.argmax(axis=1), aspects.argmin(axis=1))
    band = np.select([rating >= 4, rating == 3], [0, 1], 2)
    texts = np.array([words.PRAISE, words.MILD, words.BLAME])
    said = texts[band, aspect, rng.integers(0, 2, order.size), orders["chinese"][order].astype(int)]
    first = np.searchsorted(lines["order"], order)
    return {
        "order": order,
        "product": lines["product"][first],
        "rating": rating,
        "aspect": aspect,
        "text": np.where(rng.random(order.size) < 0.8, said, ""),
        "at": seasons.instant(at),
    }


def draw_answers(laws: Laws, orders: Table) -> Table:
    """Draw survey answers; the happier, the likelier one answers."""
    seasons, rng = laws.seasons, laws.chance(VOICE, 2)
    felt = orders["experience"]
    chance = 1.0 / (1.0 + np.exp(2.6 - 0.9 * (felt - 3.5)))
    order, at = _speakers(laws, orders, chance, rng.uniform(1.0, 9.0, felt.size), rng)
    is_nps = rng.random(order.size) < 0.4
    stars = np.clip(np.rint(felt[order] + rng.normal(0, 0.2, order.size)), 1, 5)
    tens = np.clip(np.rint(2.5 * (felt[order] - 1) + rng.normal(0, 0.6, order.size)), 0, 10)
    return {
        "order": order,
        "metric": np.where(is_nps, "nps", "csat"),
        "value": np.where(is_nps, tens, stars).astype(np.int64),
        "at": seasons.instant(at),
    }


def draw_tickets(laws: Laws, orders: Table) -> Table:
    """Draw tickets: lateness and poor things bring them; young ones are still open."""
    seasons, rng = laws.seasons, laws.chance(VOICE, 3)
    is_late = orders["late_days"] > 1.5
    is_poor = orders["aspects"][:, 1] < -0.4
    chance = 0.006 + 0.20 * is_late + 0.10 * is_poor
    order, at = _speakers(laws, orders, chance, rng.uniform(0.1, 4.0, is_late.size), rng)
    topic = np.select([is_late[order], is_poor[order]], [0, 1], rng.integers(2, 4, order.size))
    closed = at + rng.exponential(2.0, order.size) + 0.05
    is_closed = closed < laws.plan.days
    texts = np.array(words.TICKETS)
    return {
        "order": order,
        "subject": texts[topic, orders["chinese"][order].astype(int)],
        "state": np.where(is_closed, "closed", "open"),
        "at": seasons.instant(at),
        "closed_at": np.where(is_closed, seasons.instant(closed), NEVER),
    }


def _speakers(
    laws: Laws, orders: Table, chance: Floats, wait: Floats, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """Return the orders of customers who speak, and the day; guests and tests stay silent."""
    at = orders["delivered_day"] + wait
    speaks = (rng.random(chance.size) < chance) & (at < laws.plan.days)
    order = np.flatnonzero(speaks & (orders["customer"] >= 0) & ~orders["is_test"])
    return order, at[order]
