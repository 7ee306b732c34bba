"""When customers buy and when they leave: BG/NBD, and regular buyers beside it.

References
----------
.. [1] Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the
   Pareto/NBD Model", Marketing Science 24 (2), 275–284.
.. [2] Platzer & Reutterer (2016), "Ticking Away the Moments: Timing Regularity Helps to Better
   Predict Customer Activity", Marketing Science 35 (5), 779–799: Erlang gaps.
"""

from dataclasses import dataclass

import numpy as np

from customers.services.simulation.world.arrays import PURCHASES, Floats, Ints, Table
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.people import PROSPECT

GROWTH = 1.25
"""Above one, later days win more new customers than earlier ones."""


@dataclass(frozen=True)
class Purchases:
    """Purchases by customer and time, up to the end of the horizon; times are shop time.

    Attributes
    ----------
    customer, at : one row per purchase
    first, left : per customer; ``left`` is infinite for those who have not left by the horizon
    phase : per customer, the stages of the current gap behind them at the end of the record
    """

    customer: Ints
    at: Floats
    first: Floats
    left: Floats
    phase: Ints


def draw_purchases(laws: Laws, people: Table) -> Purchases:
    """Draw one cohort's purchases.

    The first comes at a time of its own; then gaps follow the customer's rate, and after each
    repeat purchase a coin says whether it was the last [1]_. A regular buyer's gap consists of
    ``gap_shape`` stages of equal mean [2]_; one stage is the exponential gap of the BG/NBD.
    """
    plan, seasons, rng = laws.plan, laws.seasons, laws.chance(PURCHASES)
    size = people["number"].size
    stages = plan.regular_shape if plan.regular_share > 0 else 1
    shape, rate = people["gap_shape"], people["weekly_rate"] / 7.0
    first = seasons.until * rng.random(size) ** (1.0 / GROWTH)
    first[people["kind"] == PROSPECT] = np.inf
    left, phase = np.full(size, np.inf), np.zeros(size, dtype=np.int64)
    active = np.flatnonzero(np.isfinite(first))
    now = first[active]
    who, when = [active], [now]
    while active.size:
        pace = (rate * shape)[active][:, None]
        ends = now[:, None] + np.cumsum(
            rng.standard_exponential((active.size, stages)) / pace, axis=1
        )
        then = ends[np.arange(active.size), shape[active] - 1]
        crosses = (now < seasons.until) & (then >= seasons.until)
        phase[active[crosses]] = (ends[crosses] < seasons.until).sum(axis=1)
        inside = then < seasons.horizon
        active, now = active[inside], then[inside]
        who.append(active)
        when.append(now)
        stays = rng.random(active.size) >= people["leave_probability"][active]
        left[active[~stays]] = now[~stays]
        active, now = active[stays], now[stays]
    customer, at = np.concatenate(who), np.concatenate(when)
    order = np.lexsort((at, customer))
    return Purchases(customer[order], at[order], first, left, phase)
