"""Put intervals around expected orders, and judge both on periods that are over."""

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.intervals import SpendIntervals, coverage_elsewhere
from analytics.ml.metrics import average, error_metrics
from analytics.ml.summary import Summary


class OrderIntervals(SpendIntervals):
    """Conformal intervals of the number of purchase days, within bins of the expected number.

    Learned as those of spend are. The limits are whole: rounding them moves them past no count that
    lay inside, so it can only raise the coverage; so do the ties of small counts. Where eight of
    ten of those alike bought nothing, zero is all there is inside.
    """

    def predict(self, predicted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return whole (low, high), with at least one whole number next to ``predicted`` inside."""
        where = np.searchsorted(self.edges_, predicted, side="left")
        low = np.rint(predicted * self.low_ratio_[where])
        high = np.rint(predicted * self.high_ratio_[where])
        return np.minimum(low, np.ceil(predicted)), np.maximum(high, np.floor(predicted))


def naive_orders(summary: Summary, *, horizon_days: int) -> FloatArray:
    """Return the naive forecast: each customer's own purchase days so far times the horizon.

    A customer younger than the horizon is taken to have been one for the whole of it.
    """
    age = np.maximum(summary.T + 1, horizon_days)
    return np.asarray(summary.order_count / age * horizon_days)


def backtest_orders(
    predicted: list[FloatArray],
    actual: list[FloatArray],
    summaries: list[Summary],
    *,
    horizon_days: int,
) -> tuple[OrderIntervals, JsonDict, JsonDict]:
    """Return intervals learned on all origins, the model's figures and the naive forecast's.

    Each list holds one entry per origin: expected orders, orders that came, and what was known.
    """
    rows = [error_metrics(came, said) for came, said in zip(actual, predicted, strict=True)]
    naive = [
        error_metrics(came, naive_orders(summary, horizon_days=horizon_days))
        for came, summary in zip(actual, summaries, strict=True)
    ]
    covered, how = coverage_elsewhere(actual, predicted, OrderIntervals)
    intervals = OrderIntervals().fit(np.concatenate(predicted), np.concatenate(actual))
    return (
        intervals,
        average(rows) | {"by_origin": rows, "coverage_80": covered, "coverage_by": how},
        {"name": "own_rate_times_horizon"} | average(naive) | {"by_origin": naive},
    )
