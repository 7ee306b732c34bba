"""Browsing sessions: before an order, and without one."""

import numpy as np

from customers.services.simulation.world.arrays import BROWSING, Table
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.purchases import Purchases

IDLE_PER_PURCHASE = 3.0
"""Sessions without an order, for each order a customer's rate lets one expect."""
MOST_IDLE_WEEKLY = 3.0


def draw_sessions(laws: Laws, people: Table, orders: Table, purchases: Purchases) -> Table:
    """Draw one cohort's sessions: each order has one that ends in it; the rest look around.

    Who has left looks around no more, so sessions tell of leaving before silence does.
    """
    seasons, rng = laws.seasons, laws.chance(BROWSING)
    bought = np.flatnonzero((orders["customer"] >= 0) & ~orders["is_cancelled"])
    until = np.minimum(purchases.left, seasons.until)
    span = np.where(np.isfinite(purchases.first), np.maximum(until - purchases.first, 0.0), 0.0)
    weekly = np.minimum(people["weekly_rate"] * IDLE_PER_PURCHASE, MOST_IDLE_WEEKLY)
    idle = rng.poisson(weekly * span / 7.0)
    looker = np.repeat(np.arange(idle.size), idle)
    at = purchases.first[looker] + rng.random(looker.size) * span[looker]
    ahead = rng.uniform(3.0, 40.0, bought.size) / 1440.0
    start = np.concatenate([orders["day"][bought] - ahead, seasons.day(at)])
    size = start.size
    order = np.concatenate([bought, np.full(looker.size, -1)])
    customer = np.concatenate([orders["customer"][bought], looker])
    elsewhere = rng.integers(0, 8, size)
    table: Table = {
        "customer": customer,
        "order": order,
        "at": seasons.instant(np.maximum(start, 0.0)),
        "seconds": np.maximum(rng.gamma(1.5, 160.0, size), 5.0).astype(np.int64),
        "pages": 1 + rng.poisson(np.where(order >= 0, 8.0, 3.0)),
        "category": np.where(rng.random(size) < 0.6, people["category"][customer], elsewhere),
        "has_cart": (order >= 0) | (rng.random(size) < 0.12),
    }
    place = np.lexsort((table["customer"], table["at"]))
    return {name: column[place] for name, column in table.items()}
