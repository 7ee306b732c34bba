"""From order values to orders and lines: what was bought, at which price, at which cost."""

import numpy as np

from customers.services.simulation.world.arrays import (
    BASKETS,
    GUESTS,
    VALUES,
    Ints,
    Table,
    pick,
)
from customers.services.simulation.world.catalogue import (
    BRANDS,
    COMPLEMENT,
    POPULARITY,
)
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.people import MARKETPLACE, STAFF, WHOLESALE
from customers.services.simulation.world.plan import BASE_ORDER
from customers.services.simulation.world.purchases import Purchases

GUEST = -1
CANCELLED = 0.02
MOST_LINES = 8
PLATFORM_FEE = 0.05
TASTE = (0.55, 0.25, 0.20)
"""Where a line comes from: the favourite shelf, what goes with the first line, anywhere."""
LOYALTY = 0.5
"""How often it is the favourite brand."""


def draw_values(laws: Laws, people: Table, purchases: Purchases) -> Ints:
    """Draw what each purchase costs, in coins: gamma–gamma around the customer's own scale."""
    plan, rng = laws.plan, laws.chance(VALUES)
    drawn = rng.gamma(plan.p, people["value_scale"][purchases.customer])
    return np.maximum(np.rint(drawn / plan.unit), 1.0).astype(np.int64)


def draw_orders(laws: Laws, people: Table, purchases: Purchases, value: Ints) -> Table:
    """Gather the record's orders: purchases, carts thought better of, and guests' orders.

    A cancelled order lies minutes before the one that was meant, so that the orders that stand are
    the purchases and nothing else. Orders are in order of their time.
    """
    plan, seasons, rng = laws.plan, laws.seasons, laws.chance(GUESTS)
    past = np.flatnonzero(purchases.at < seasons.until)
    customer, day = purchases.customer[past], seasons.day(purchases.at[past])
    size = people["number"].size
    twins = np.flatnonzero(rng.random(past.size) < CANCELLED)
    guests = rng.poisson(plan.guest_share * past.size)
    guest_at = seasons.day(seasons.until * rng.random(guests) ** (1.0 / 1.25))
    scale = plan.v / rng.gamma(plan.q, 1.0, guests)
    guest_value = np.maximum(np.rint(rng.gamma(plan.p, scale) / plan.unit), 1.0).astype(np.int64)
    earlier = day[twins] - rng.uniform(2.0, 55.0, twins.size) / 1440.0
    table: Table = {
        "customer": np.concatenate([customer, customer[twins], np.full(guests, GUEST)]),
        # Whose place in the shop decides whether the row belongs to it, guests' rows included.
        "host": np.concatenate([customer, customer[twins], rng.integers(0, size, guests)]),
        "day": np.concatenate([day, np.maximum(earlier, np.floor(day[twins])), guest_at]),
        "value": np.concatenate([value[past], value[past][twins], guest_value]),
        "is_cancelled": np.repeat([False, True, False], [past.size, twins.size, guests]),
    }
    order = np.lexsort((table["customer"], table["day"]))
    table = {name: column[order] for name, column in table.items()}
    return table | _about_buyers(people, table["customer"], rng)


def _about_buyers(people: Table, customer: Ints, rng: np.random.Generator) -> Table:
    """Return what an order knows of its buyer; a guest's is drawn."""
    is_guest = customer == GUEST
    size = customer.size
    kind = np.where(is_guest, 0, people["kind"][customer])
    return {
        "chinese": np.where(is_guest, rng.random(size) < 0.5, people["chinese"][customer]),
        "region": np.where(is_guest, rng.integers(0, 8, size), people["region"][customer]),
        "mood": np.where(is_guest, 0.0, people["mood"][customer]),
        "is_test": kind == STAFF,
        "is_wholesale": kind == WHOLESALE,
        "on_marketplace": ~is_guest & (people["channel"][customer] == MARKETPLACE),
    }


def draw_lines(laws: Laws, people: Table, orders: Table) -> Table:
    """Split each order's value into lines, and say in the orders what they add up to.

    Small orders carry a charge for postage. A line's amount is its unit price times its quantity;
    the order's total is the sum of its lines.
    """
    plan, catalogue, rng = laws.plan, laws.catalogue, laws.chance(BASKETS)
    postage = int(4.0 * plan.mean_order / BASE_ORDER / plan.unit)
    pays = (orders["value"] < 0.5 * plan.mean_order / plan.unit) & (orders["value"] > 3 * postage)
    orders["charges"] = np.where(pays, postage, 0)
    parts = _split(orders, rng)
    order, share = parts["order"], parts["share"]
    category, brand = _shelves(people, orders, parts, rng)
    amount_of = rng.choice([1, 2, 3], size=order.size, p=[0.8, 0.15, 0.05])
    amount_of = np.where(orders["is_wholesale"][order], rng.integers(6, 25, order.size), amount_of)
    quantity = np.maximum(amount_of, np.ceil(share / catalogue.dearest).astype(np.int64))
    quantity = np.minimum(quantity, share)
    unit_price = share // quantity
    product = catalogue.choose(category, brand, unit_price)
    lines: Table = {
        "order": order,
        "product": product,
        "quantity": quantity,
        "unit_price": unit_price,
        "amount": unit_price * quantity,
        "unit_cost": catalogue.cost[product],
        "is_charge": np.zeros(order.size, dtype=bool),
    }
    lines = _with_postage(lines, orders, np.flatnonzero(pays), postage)
    count = orders["value"].size
    total = np.bincount(lines["order"], lines["amount"], count).astype(np.int64)
    orders["total"] = total
    fee = np.where(orders["on_marketplace"], PLATFORM_FEE, 0.0)
    orders["platform_fee"] = np.floor(total * fee).astype(np.int64)
    orders["shipping_cost"] = np.full(count, int(0.75 * postage))
    return lines


def _split(orders: Table, rng: np.random.Generator) -> Table:
    """Cut the value of the goods at random; return each line's order, share and whether first."""
    goods = orders["value"] - orders["charges"]
    wanted = 1 + rng.poisson(np.where(orders["is_wholesale"], 4.0, 0.9))
    count = np.minimum(np.minimum(wanted, MOST_LINES), np.maximum(goods // 10, 1))
    order = np.repeat(np.arange(goods.size), count)
    piece = rng.exponential(1.0, order.size) + 0.3
    starts = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
    whole = np.bincount(order, piece, goods.size)
    share = np.maximum(goods[order] * piece / whole[order], 1.0).astype(np.int64)
    is_first = np.zeros(order.size, dtype=bool)
    is_first[starts[: goods.size]] = True
    rest = goods - np.bincount(order, share, goods.size).astype(np.int64)
    share[is_first] = np.maximum(share[is_first] + rest, 1)
    return {"order": order, "share": share, "is_first": is_first}


def _shelves(
    people: Table, orders: Table, parts: Table, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose shelf and brand by taste, by what goes with the basket's first line, or by chance."""
    is_first, size = parts["is_first"], parts["order"].size
    buyer = orders["customer"][parts["order"]]
    anywhere = pick(rng, np.tile(POPULARITY, (size, 1)))
    favourite = np.where(buyer == GUEST, anywhere, people["category"][buyer])
    way = pick(rng, np.tile(TASTE, (size, 1)))
    category = np.where(way == 0, favourite, anywhere)
    first = category[np.maximum.accumulate(np.where(is_first, np.arange(size), 0))]
    goes_with = np.array(COMPLEMENT)[first]
    category = np.where((way == 1) & ~is_first, goes_with, category)
    brand = rng.integers(0, len(BRANDS), size)
    is_loyal = (buyer != GUEST) & (rng.random(size) < LOYALTY)
    return category, np.where(is_loyal, people["brand"][buyer], brand)


def _with_postage(lines: Table, orders: Table, paying: Ints, postage: int) -> Table:
    """Append the charges; they have no product and cost nothing of their own."""
    size = paying.size
    charges: Table = {
        "order": paying,
        "product": np.full(size, -1),
        "quantity": np.ones(size, dtype=np.int64),
        "unit_price": np.full(size, postage),
        "amount": np.full(size, postage),
        "unit_cost": np.zeros(size, dtype=np.int64),
        "is_charge": np.ones(size, dtype=bool),
    }
    joined = {name: np.concatenate([lines[name], charges[name]]) for name in lines}
    place = np.lexsort((joined["is_charge"], joined["order"]))
    return {name: column[place] for name, column in joined.items()}
