"""Simulated shops as arrays, and as what the fitters take."""

from datetime import date

import numpy as np

from analytics.ml.summary import PurchaseDays, Summary, summarise
from customers.services.simulation import Plan, World

UNTIL = date(2026, 3, 2)


def plan(customers=1000, seed=5, **given):
    return Plan(**{"customers": customers, "seed": seed, "until": UNTIL, **given})


def joined(world: World, name: str) -> dict[str, np.ndarray]:
    """Return a table of the whole shop."""
    tables = [getattr(world.cohort(index), name) for index in range(world.cohorts)]
    return {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}


def purchases(world: World, *, per_day: float = 1.0, in_shop_time=False, future=False):
    """Return the purchases of plain customers, a row each; ``per_day`` units to a day.

    Without ``future`` those of the record, else also those of the horizon behind it.
    """
    parts = []
    for index in range(world.cohorts):
        cohort = world.cohort(index)
        bought = cohort.purchases
        keep = cohort.people["kind"][bought.customer] == 0
        if not future:
            keep &= bought.at < world.seasons.until
        at = bought.at[keep] if in_shop_time else world.seasons.day(bought.at[keep])
        number = cohort.people["number"][bought.customer[keep]]
        parts.append((number, np.floor(at * per_day), cohort.value[keep] * world.plan.unit))
    number, unit, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    return PurchaseDays(number.astype(np.int64), unit.astype(np.int64), value)


def summary(world: World, *, per_day: float = 1.0, in_shop_time=False) -> Summary:
    """Return one row per buyer as of the end of the record."""
    bought = purchases(world, per_day=per_day, in_shop_time=in_shop_time)
    end = int(world.plan.days * per_day)
    return summarise(bought.occasions(), as_of_day=end)
