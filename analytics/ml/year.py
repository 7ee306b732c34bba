"""Hold the value in 12 months against a year that is over, where a shop has had one."""

import numpy as np

from analytics.ml.arrays import JsonDict
from analytics.ml.backtest.origins import naive_spend
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import fit_base, forecasts
from analytics.ml.ladder import MIN_BUYERS, MIN_REPEATERS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import spend_metrics
from analytics.ml.summary import summarise, window_outcome

YEAR_DAYS = 365
MIN_PAST_DAYS = 120
"""So much must have been known a year ago, or the fit of then says nothing about that of now."""


def backtest_year(
    ledger: PurchaseLedger, *, as_of_day: int, engine: str = NEWTON
) -> tuple[JsonDict, JsonDict] | None:
    """Return how repeat buying foretold the last 365 days a year ago, and how the naive rate did.

    Undiscounted, over everybody who had bought by then. None where the history is too short, or
    had too few buyers a year ago: then the value in 12 months is extrapolated.
    """
    day = as_of_day - YEAR_DAYS
    occasions = ledger.occasions(known_before=day)
    summary = summarise(occasions, as_of_day=day)
    if summary.T.size < MIN_BUYERS or int((summary.frequency > 0).sum()) < MIN_REPEATERS:
        return None
    if day - int(occasions.day.min()) < MIN_PAST_DAYS:
        return None
    try:
        base = fit_base(occasions, summary, horizon_days=YEAR_DAYS, engine=engine)
    except DegenerateFitError:
        return None
    _, orders, worth = forecasts(summary, base)
    spent, _ = window_outcome(
        ledger.occasions(known_before=as_of_day),
        summary.customer_id,
        start_day=day,
        end_day=as_of_day,
    )
    predicted = orders * worth
    if not np.isfinite(predicted).all():
        return None
    naive = naive_spend(summary, horizon_days=YEAR_DAYS)
    return (
        spend_metrics(spent, predicted) | {"origin": day},
        {"name": "own_rate_times_horizon"} | spend_metrics(spent, naive),
    )
