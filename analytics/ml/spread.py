"""Tell how far a probability moves from refit to refit: a small table, read by the score.

References
----------
.. [1] Bickel, Götze & van Zwet (1997), "Resampling Fewer Than n Observations: Gains, Losses, and
   Remedies for Losses", Statistica Sinica 7 (1), 1–31.
.. [2] Hyndman & Fan (1996), "Sample Quantiles in Statistical Packages", The American Statistician
   50 (4), 361–365: the sixth definition, by which 20 refits hold 80 % of further ones.
"""

from typing import Self

import numpy as np
from scipy.special import expit

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.features import log_odds

ORDER_CUTS = (1, 2, 5)
"""Last numbers of orders of the groups: one, two, three to five, more."""
SCORE_BINS = 10
MIN_PER_CELL = 50


class Spread:
    """Offsets of the log-odds of a score, pooled over customers of similar score and orders.

    Attributes
    ----------
    tables_ : list of (inner edges of the score, lower, upper), one per group of orders and the last
        for all; ``lower`` ≤ 0 ≤ ``upper`` have one entry per bin
    """

    def __init__(self, coverage: float = 0.80) -> None:
        self.coverage = coverage

    tables_: list[tuple[FloatArray, FloatArray, FloatArray]]

    def fit(
        self, score: FloatArray, order_count: IntArray, refits: FloatArray, *, shrink: float = 1.0
    ) -> Self:
        """Learn from what each refit says of the same customers.

        Resamples of m out of n customers spread √(n / m) times as wide [1]_, so ``shrink`` is
        √(m / n). Offsets count from the mean of a customer's refits: that smaller resamples move
        them all alike is no uncertainty.

        Parameters
        ----------
        score : what is published, one per customer
        refits : log-odds, one row per refit
        """
        tail = (1.0 - self.coverage) / 2
        ends = np.quantile(refits, [tail, 1.0 - tail], axis=0, method="weibull")
        lower, upper = shrink * (ends - refits.mean(axis=0))
        lower, upper = np.minimum(lower, 0.0), np.maximum(upper, 0.0)
        group = np.searchsorted(ORDER_CUTS, order_count)
        everyone = np.ones(score.size, dtype=bool)
        self.tables_ = []
        for place in range(len(ORDER_CUTS) + 1):
            inside = group == place
            inside = inside if int(inside.sum()) >= MIN_PER_CELL else everyone
            self.tables_.append(_table(score[inside], lower[inside], upper[inside]))
        self.tables_.append(_table(score, lower, upper))
        return self

    def predict(
        self, score: FloatArray, order_count: IntArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return (low, high) around each score."""
        group = np.full(score.size, len(ORDER_CUTS) + 1)
        if order_count is not None:
            group = np.searchsorted(ORDER_CUTS, order_count)
        lower, upper = np.zeros(score.size), np.zeros(score.size)
        for place, (edges, below, above) in enumerate(self.tables_):
            inside = np.flatnonzero(group == place)
            where = np.searchsorted(edges, score[inside], side="left")
            lower[inside], upper[inside] = below[where], above[where]
        middle = log_odds(score)
        return np.asarray(expit(middle + lower)), np.asarray(expit(middle + upper))

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {
            "coverage": self.coverage,
            "tables": [
                {"edges": edges.tolist(), "lower": lower.tolist(), "upper": upper.tolist()}
                for edges, lower, upper in self.tables_
            ],
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild from ``to_dict``, to the last bit."""
        spread = cls(stored["coverage"])
        spread.tables_ = [
            (np.array(one["edges"]), np.array(one["lower"]), np.array(one["upper"]))
            for one in stored["tables"]
        ]
        return spread


def _table(
    score: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the edges of equally filled bins of the score, and the mean offsets in each."""
    bins = int(np.clip(score.size // MIN_PER_CELL, 1, SCORE_BINS))
    levels = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(score, levels, method="inverted_cdf"))
    where = np.searchsorted(edges, score, side="left")
    # A tie at the top may leave the last bin empty.
    count = np.maximum(np.bincount(where, minlength=edges.size + 1), 1)
    means = [np.bincount(where, ends, edges.size + 1) / count for ends in (lower, upper)]
    return edges, means[0], means[1]
