"""Hold the value in 12 months against a year that is over, where a shop has had one."""

from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.backtest.origins import naive_spend
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import fit_base, forecasts
from analytics.ml.ladder import MIN_BUYERS, MIN_REPEATERS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import spend_metrics
from analytics.ml.summary import Summary, summarise, window_outcome

YEAR_DAYS = 365
MIN_PAST_DAYS = 120
"""So much must have been known a year ago, or the fit of then says nothing about that of now."""


@dataclass(frozen=True)
class Year:
    """A year that is over: what was known before it, what was foretold, and what was spent."""

    day: int
    summary: Summary
    predicted: FloatArray
    spent: FloatArray


def foretell_year(ledger: PurchaseLedger, *, as_of_day: int, engine: str = NEWTON) -> Year | None:
    """Return what repeat buying would have said a year ago of the last 365 days, undiscounted.

    None where the history is too short, or had too few buyers a year ago.
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
    return Year(day, summary, predicted, spent) if np.isfinite(predicted).all() else None


def backtest_year(
    ledger: PurchaseLedger, *, as_of_day: int, engine: str = NEWTON
) -> tuple[JsonDict, JsonDict] | None:
    """Return how repeat buying foretold the last 365 days a year ago, and how the naive rate did.

    Over everybody who had bought by then. None where there is no such year: then the value in 12
    months is extrapolated.
    """
    year = foretell_year(ledger, as_of_day=as_of_day, engine=engine)
    if year is None:
        return None
    naive = naive_spend(year.summary, horizon_days=YEAR_DAYS)
    return (
        spend_metrics(year.spent, year.predicted) | {"origin": year.day},
        {"name": "own_rate_times_horizon"} | spend_metrics(year.spent, naive),
    )
