"""Simulated shops as arrays, and as what the fitters take."""

from datetime import date

import numpy as np

from analytics.ml.satisfaction import Deliveries, Operations, Ratings, Signals
from analytics.ml.summary import PurchaseDays, Summary, summarise
from customers.services.simulation import Plan, World
from tests.analytics.ml.satisfaction.signals import together

UNTIL = date(2026, 3, 2)
EPOCH = date(1970, 1, 1)
MICROSECONDS_A_DAY = 86_400_000_000


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


def signals(world: World) -> Signals:
    """Return what all customers said and what happened to them, by calendar day (UTC)."""
    return together(*(_signals(world.cohort(index)) for index in range(world.cohorts)))


def _signals(cohort) -> Signals:
    orders, refunds, tickets = cohort.orders, cohort.refunds, cohort.tickets
    who = cohort.people["number"].astype(np.int64)[np.maximum(orders["customer"], 0)]
    stands = (orders["customer"] >= 0) & ~orders["is_cancelled"] & ~orders["is_test"]
    came = np.flatnonzero(stands & np.isfinite(orders["delivered_day"]))
    by_day = np.lexsort((refunds["day"], refunds["order"]))
    back, first = np.unique(refunds["order"][by_day], return_index=True)
    placed = np.flatnonzero(stands)
    happened = [
        (placed, orders["placed_day"][placed]),
        (back[stands[back]], refunds["day"][by_day][first][stands[back]]),
        (tickets["order"], _day(tickets["at"])),
    ]
    return Signals(
        _ratings(cohort, who),
        Deliveries(who[came], _day(orders["delivered_at"][came]), orders["late_days"][came]),
        Operations(
            np.concatenate([who[order] for order, _ in happened]),
            np.concatenate([day for _, day in happened]).astype(np.int64),
            *np.repeat(np.eye(3, dtype=np.int64), [order.size for order, _ in happened], axis=0).T,
        ),
    )


def _ratings(cohort, who) -> Ratings:
    reviews, answers = cohort.reviews, cohort.answers
    is_nps = answers["metric"] == "nps"
    answer = np.where(is_nps, answers["value"] / 10, (answers["value"] - 1) / 4)
    return Ratings(
        who[np.concatenate([reviews["order"], answers["order"]])],
        _day(np.concatenate([reviews["at"], answers["at"]])),
        np.concatenate([(reviews["rating"] - 1) / 4, answer]),
        np.concatenate([np.zeros(reviews["at"].size), np.where(is_nps, 2, 1)]).astype(np.int8),
    )


def _day(instant) -> np.ndarray:
    return (instant // MICROSECONDS_A_DAY).astype(np.int64)
