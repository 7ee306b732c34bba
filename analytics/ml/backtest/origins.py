"""Days in the past: what was known before each, and what came in the horizon after it."""

from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray
from analytics.ml.ladder import BACKTEST_SLACK_DAYS, MIN_BUYERS, MIN_REPEATERS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.next_order import first_orders
from analytics.ml.summary import (
    Histogram,
    PurchaseDays,
    Summary,
    compress,
    summarise,
    window_outcome,
)

MAX_ORIGINS = 3
ORIGIN_STEP_DAYS = 30


@dataclass(frozen=True)
class Origin:
    """One day in the past: what was known before it, and what came in the horizon after it."""

    day: int
    summary: Summary
    histogram: Histogram
    spend: FloatArray
    lapsed: BoolArray
    orders: FloatArray
    first_order: FloatArray


def make_origin(
    ledger: PurchaseLedger, outcome: PurchaseDays, *, day: int, horizon_days: int
) -> Origin | None:
    """Return the origin at ``day``, or None where too few had bought before it to fit anything.

    ``outcome`` holds the occasions that say what came in the window.
    """
    summary = summarise(ledger.occasions(known_before=day), as_of_day=day)
    if summary.T.size < MIN_BUYERS or int((summary.frequency > 0).sum()) < MIN_REPEATERS:
        return None
    buyers, end = summary.customer_id, day + horizon_days
    spend, orders = window_outcome(outcome, buyers, start_day=day, end_day=end)
    first = first_orders(outcome, buyers, start_day=day, end_day=end)
    histogram = compress(summary.frequency, summary.recency, summary.T)
    return Origin(day, summary, histogram, spend, orders == 0, orders.astype(np.float64), first)


def make_origins(ledger: PurchaseLedger, *, as_of_day: int, horizon_days: int) -> list[Origin]:
    """Return up to three origins, newest first, whose horizons all end by ``as_of_day``."""
    found = []
    outcome = ledger.occasions(known_before=as_of_day)
    first_day = int(outcome.day.min()) if outcome.day.size else as_of_day
    for step in range(MAX_ORIGINS):
        day = as_of_day - horizon_days - ORIGIN_STEP_DAYS * step
        if day - first_day < horizon_days + BACKTEST_SLACK_DAYS:
            break
        origin = make_origin(ledger, outcome, day=day, horizon_days=horizon_days)
        if origin is None:
            break
        found.append(origin)
    return found


def naive_spend(summary: Summary, *, horizon_days: int) -> FloatArray:
    """Return the naive forecast: each customer's own spending rate times the horizon.

    A customer younger than the horizon is taken to have spent over the whole of one, or else
    yesterday's newcomer would be forecast to buy every day.
    """
    age = np.maximum(summary.T + 1, horizon_days)
    return np.asarray(summary.total_spend / age * horizon_days)
