"""What happens to an order: promised, delivered, cancelled, sent back."""

import numpy as np

from customers.services.simulation.world.arrays import DELIVERY, NEVER, Bools, Floats, Table
from customers.services.simulation.world.catalogue import RETURN_RATE
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.seasons import Seasons

PROMISE_DAYS = (2, 3, 3, 4, 2, 4, 5, 5)
"""By region."""
COURIER = (0.66, 0.72, 0.70, 0.74, 0.66, 0.80, 0.90, 0.84)
"""Mean time on the way as a share of the promise, by region."""
PEAK_DELAY = 1.4
"""Everything takes that much longer from 10 to 20 November and 16 to 24 June."""
REFUND_ONLY = 0.25


def draw_delivery(laws: Laws, orders: Table) -> None:
    """Add to the orders when they were promised, delivered, cancelled, and how late they were.

    Nothing that lies behind the record's end has happened: such an order is on its way.
    """
    plan, seasons, rng = laws.plan, laws.seasons, laws.chance(DELIVERY)
    size = orders["day"].size
    region, day = orders["region"], orders["day"]
    promise = np.array(PROMISE_DAYS)[region].astype(np.float64)
    busy = np.where(_is_rush(seasons, day), PEAK_DELAY, 1.0)
    on_the_way = promise * np.array(COURIER)[region] * busy * rng.gamma(12.0, 1 / 12.0, size)
    delivered = day + np.maximum(on_the_way, 0.4)
    promised = np.floor(day) + promise + 20.0 / 24.0
    stands = ~orders["is_cancelled"]
    arrived = stands & (delivered < plan.days)
    orders["delivered_day"] = np.where(arrived, delivered, np.inf)
    orders["late_days"] = np.where(arrived, delivered - promised, 0.0)
    orders["placed_at"] = seasons.instant(day)
    orders["placed_day"] = seasons.epoch_day(day)
    orders["promised_at"] = np.where(stands, seasons.instant(promised), NEVER)
    orders["delivered_at"] = np.where(arrived, seasons.instant(delivered), NEVER)
    soon = np.minimum(day + 1.0 / 1440.0, plan.days - 1e-6)
    orders["paid_at"] = np.where(stands, seasons.instant(soon), NEVER)
    orders["cancelled_at"] = np.where(stands, NEVER, seasons.instant(soon))
    is_sent = day < plan.days - 1.0
    orders["status"] = np.select(
        [~stands, arrived, is_sent], ["cancelled", "completed", "shipped"], "paid"
    )


def _is_rush(seasons: Seasons, day: Floats) -> Bools:
    dates = seasons.epoch_day(day).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12 + 1
    of_month = (dates - months).astype(np.int64) + 1
    double11 = (month == 11) & (of_month >= 10) & (of_month <= 20)
    return np.asarray(double11 | ((month == 6) & (of_month >= 16) & (of_month <= 24)))


def draw_refunds(laws: Laws, orders: Table, lines: Table) -> Table:
    """Draw what comes back, and note it in lines and orders; return the refunds.

    Poor things come back more often. A refund lies 1 to 14 days behind the delivery.
    """
    plan, seasons, catalogue = laws.plan, laws.seasons, laws.catalogue
    rng = laws.chance(DELIVERY, 1)
    order, product = lines["order"], lines["product"]
    rate = np.array(RETURN_RATE)[catalogue.category[product]]
    rate = rate * np.exp(-0.8 * catalogue.quality[product]) * plan.returns
    back = orders["delivered_day"][order] + rng.uniform(1.0, 14.0, order.size)
    is_back = (rng.random(order.size) < rate) & ~lines["is_charge"] & (back < plan.days)
    pieces = rng.integers(1, np.maximum(lines["quantity"], 1) + 1)
    quantity = np.where(is_back, pieces, 0)
    amount = quantity * lines["unit_price"]
    lines["refunded_quantity"], lines["refunded_amount"] = quantity, amount
    count = orders["day"].size
    orders["refunded"] = np.bincount(order, amount, count).astype(np.int64)
    line = np.flatnonzero(is_back)
    only = rng.random(order.size)[line] < REFUND_ONLY
    return {
        "line": line,
        "order": order[line],
        "kind": np.where(only, "refund_only", "return"),
        "at": seasons.instant(back[line]),
        "day": seasons.epoch_day(back[line]),
        "quantity": quantity[line],
        "amount": amount[line],
    }
