"""What the shop sells: categories, brands, prices, costs, and how good things are."""

from dataclasses import dataclass

import numpy as np

from customers.services.simulation.world.arrays import (
    CATALOGUE,
    Floats,
    Ints,
    Table,
    Texts,
    stream,
)
from customers.services.simulation.world.plan import BASE_ORDER, Plan

CATEGORIES = (
    ("kitchen", "Kitchen", "厨房"), ("tea", "Tea", "茶叶"), ("skin", "Skin care", "护肤"),
    ("apparel", "Clothing", "服饰"), ("shoes", "Shoes", "鞋靴"), ("baby", "Baby", "母婴"),
    ("garden", "Garden", "园艺"), ("audio", "Audio", "影音"),
)  # fmt: skip
"""Key, English and Chinese name."""
BRANDS = ("Luming", "Hazel & Rye", "Qinghe", "Nordlys", "Plain")
POPULARITY = (0.18, 0.13, 0.16, 0.20, 0.11, 0.09, 0.06, 0.07)
COMPLEMENT = (1, 0, 3, 4, 3, 3, 0, 5)
"""What goes into a basket beside each category, more often than chance has it."""
COST_SHARE = (0.52, 0.45, 0.42, 0.48, 0.55, 0.58, 0.50, 0.66)
RETURN_RATE = (0.03, 0.01, 0.02, 0.12, 0.14, 0.03, 0.02, 0.05)
PREMIUM = (0.15, 0.35, 0.05, 0.25, -0.30)
"""How dear a brand is felt to be; people forgive a cheap thing more."""
RUNGS, STEP = 30, 1.2
LOWEST = 3.0


@dataclass(frozen=True)
class Catalogue:
    """Products by category, brand and rung of the price ladder, in that order.

    ``price`` and ``cost`` are whole coins.
    """

    category: Ints
    brand: Ints
    rung: Ints
    price: Ints
    cost: Ints
    quality: Floats
    sku: Texts
    title: Texts
    lowest: float

    def choose(self, category: Ints, brand: Ints, paid: Ints) -> Ints:
        """Return the product of that shelf whose list price lies just above what is paid."""
        steps = np.log(np.maximum(paid, 1) / self.lowest) / np.log(STEP)
        rung = np.clip(np.ceil(steps), 0, RUNGS - 1).astype(np.int64)
        return (category * len(BRANDS) + brand) * RUNGS + rung

    @property
    def dearest(self) -> float:
        """Return the list price nothing exceeds by much; more money buys more pieces."""
        return self.lowest * STEP ** (RUNGS - 1)

    def table(self) -> Table:
        """Return the columns."""
        return {name: value for name, value in vars(self).items() if name != "lowest"}


def draw_catalogue(plan: Plan) -> Catalogue:
    """Draw the plan's products."""
    rng = stream(plan.seed, CATALOGUE)
    shape = (len(CATEGORIES), len(BRANDS), RUNGS)
    category, brand, rung = (part.ravel().astype(np.int64) for part in np.indices(shape))
    size = category.size
    lowest = LOWEST * plan.mean_order / BASE_ORDER / plan.unit
    price = np.ceil(lowest * STEP**rung * rng.uniform(1.0, 1.05, size)).astype(np.int64)
    share = np.array(COST_SHARE)[category] * rng.uniform(0.92, 1.0, size)
    names = np.array([f"{english} {chinese}" for _key, english, chinese in CATEGORIES])
    keys = np.array([key.upper() for key, _english, _chinese in CATEGORIES])
    number = np.strings.zfill((brand * RUNGS + rung + 1).astype(str), 3)
    brands = np.array(BRANDS)[brand]
    return Catalogue(
        category=category,
        brand=brand,
        rung=rung,
        price=price,
        cost=np.floor(price * share).astype(np.int64),
        quality=rng.normal(0.0, 0.5, size),
        sku=keys[category] + "-" + number,
        title=brands + " " + names[category] + " No. " + number,
        lowest=lowest,
    )
