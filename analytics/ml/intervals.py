"""Put honest bands around predictions, from the errors of the backtest.

References
----------
.. [1] Vovk, Gammerman & Shafer (2005), "Algorithmic Learning in a Random World": split conformal
   prediction within categories (Mondrian).
.. [2] Brown, Cai & DasGupta (2001), "Interval Estimation for a Binomial Proportion", Statistical
   Science 16 (2), 101–133: the Jeffreys interval.
"""

from typing import Self

import numpy as np
from scipy.special import betaincinv, expit, logit, ndtri
from scipy.stats import binom

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.features import log_odds
from analytics.ml.spread import Spread

COVERAGE = 0.80
# Twenty keep the best customers, whose spend starts well above zero, in a bin of their own.
SPEND_BINS = 20
PROBABILITY_BINS = 10
JUDGED_BINS = 20
SHIFT_STEPS = 8
WINDOWS_DIFFER = 0.3
"""How far a window's log-odds usually lie from those foretold: what docs/backtests.md came to."""
BELIEF_WINDOWS = 2
"""How many windows that belief counts for beside those of the backtest, which overlap."""
MIN_PER_BIN = 50
_SMALLEST = 1e-300


class SpendIntervals:
    """Conformal intervals of spend within bins of the predicted value [1]_.

    In each bin the ratio of actual to predicted spend is ranked. Where at least a tenth bought
    nothing, the interval starts at zero and all the error it may make lies above.

    Parameters
    ----------
    coverage : share of customers whose spend should fall inside

    Attributes
    ----------
    edges_ : inner bin edges of the predicted value
    low_ratio_, high_ratio_ : one pair per bin
    """

    def __init__(self, coverage: float = COVERAGE) -> None:
        self.coverage = coverage

    def fit(self, predicted: FloatArray, actual: FloatArray) -> Self:
        """Learn the ratios from predictions whose outcome is known."""
        bins = int(np.clip(predicted.size // MIN_PER_BIN, 1, SPEND_BINS))
        levels = np.arange(1, bins) / bins
        self.edges_ = np.unique(np.quantile(predicted, levels, method="inverted_cdf"))
        ratio = actual / np.maximum(predicted, _SMALLEST)
        where = np.searchsorted(self.edges_, predicted, side="left")
        pairs = [self._pair(np.sort(ratio[where == i])) for i in range(self.edges_.size + 1)]
        self.low_ratio_ = np.array([low for low, _ in pairs])
        self.high_ratio_ = np.array([high for _, high in pairs])
        return self

    def predict(self, predicted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (low, high), with 0 ≤ low ≤ predicted ≤ high."""
        where = np.searchsorted(self.edges_, predicted, side="left")
        # A skewed bin can leave its own mean outside; widening only raises the coverage.
        low = np.minimum(predicted * self.low_ratio_[where], predicted)
        return low, np.maximum(predicted * self.high_ratio_[where], predicted)

    def covered(self, predicted: FloatArray, actual: FloatArray) -> float:
        """Return the share of actual values inside the intervals."""
        low, high = self.predict(predicted)
        return float(((actual >= low) & (actual <= high)).mean())

    def _pair(self, ratio: FloatArray) -> tuple[float, float]:
        """Return the low and high ratio of one bin, with the finite-sample correction of [1]_."""
        if ratio.size == 0:
            return 0.0, 1.0
        miss = 1.0 - self.coverage
        low_rank = int(np.floor((ratio.size + 1) * miss / 2)) - 1
        low = float(ratio[low_rank]) if low_rank >= 0 else 0.0
        upper_level = 1.0 - (miss if low == 0.0 else miss / 2)
        high_rank = min(int(np.ceil((ratio.size + 1) * upper_level)), ratio.size) - 1
        return low, float(ratio[high_rank])

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {
            "coverage": self.coverage,
            "edges": self.edges_.tolist(),
            "low_ratio": self.low_ratio_.tolist(),
            "high_ratio": self.high_ratio_.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild the intervals from ``to_dict``."""
        intervals = cls(stored["coverage"])
        intervals.edges_ = np.array(stored["edges"])
        intervals.low_ratio_ = np.array(stored["low_ratio"])
        intervals.high_ratio_ = np.array(stored["high_ratio"])
        return intervals


class ProbabilityBand:
    """Bands of a probability: how far refits move it, and what came of those with a similar one.

    Refits on resampled customers tell how sure the fit is, and nothing of a world that changed. So
    the band also holds the Jeffreys interval [2]_ of the share observed in the backtest; where its
    windows differ among each other by more than chance, that interval is widened for a new one.

    Parameters
    ----------
    spread : how far refits move the probability; None where they failed

    Attributes
    ----------
    edges_ : inner bin edges of the probability
    low_, high_ : limits of the observed share, one pair per bin
    between_windows_ : deviation of the log-odds of a window from those foretold, beyond chance
    """

    def __init__(self, coverage: float = COVERAGE, *, spread: Spread | None = None) -> None:
        self.coverage = coverage
        self.spread = spread

    edges_: FloatArray
    low_: FloatArray
    high_: FloatArray
    between_windows_: float

    def fit(
        self, probability: FloatArray, outcome: BoolArray, window: IntArray | None = None
    ) -> Self:
        """Learn the observed share in each bin; ``window`` numbers the windows from 0."""
        bins = int(np.clip(probability.size // MIN_PER_BIN, 1, PROBABILITY_BINS))
        levels = np.arange(1, bins) / bins
        self.edges_ = np.unique(np.quantile(probability, levels, method="inverted_cdf"))
        where = np.searchsorted(self.edges_, probability, side="left")
        count = np.bincount(where, minlength=self.edges_.size + 1)
        hits = np.bincount(where, outcome, self.edges_.size + 1)
        tail = (1.0 - self.coverage) / 2
        low = betaincinv(hits + 0.5, count - hits + 0.5, tail)
        high = betaincinv(hits + 0.5, count - hits + 0.5, 1.0 - tail)
        self.between_windows_ = 0.0
        if window is not None:
            self.between_windows_ = _between(probability, outcome, window)
        self.low_, self.high_ = _widened(low, high, -float(ndtri(tail)) * self.between_windows_)
        return self

    def fit_windows(self, probability: list[FloatArray], outcome: list[BoolArray]) -> Self:
        """Learn from several windows, each with its own customers."""
        window = np.repeat(np.arange(len(outcome)), [came.size for came in outcome])
        return self.fit(np.concatenate(probability), np.concatenate(outcome), window)

    def predict(
        self, probability: FloatArray, order_count: IntArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return (low, high) around each probability, stretched to hold the probability itself."""
        where = np.searchsorted(self.edges_, probability, side="left")
        low = np.minimum(self.low_[where], probability)
        high = np.maximum(self.high_[where], probability)
        if self.spread is None:
            return low, high
        below, above = self.spread.predict(probability, order_count)
        return np.minimum(low, below), np.maximum(high, above)

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {
            "coverage": self.coverage,
            "edges": self.edges_.tolist(),
            "low": self.low_.tolist(),
            "high": self.high_.tolist(),
            "between_windows": self.between_windows_,
            "spread": self.spread.to_dict() if self.spread else None,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild from ``to_dict``, to the last bit."""
        spread = Spread.from_dict(stored["spread"]) if stored.get("spread") else None
        band = cls(stored["coverage"], spread=spread)
        band.edges_, band.low_, band.high_ = (
            np.array(stored[name], dtype=np.float64) for name in ("edges", "low", "high")
        )
        band.between_windows_ = stored["between_windows"]
        return band


def _between(probability: FloatArray, outcome: BoolArray, window: IntArray) -> float:
    """Return how far a new window's log-odds may lie from those foretold, chance apart.

    Each window's shift is the intercept that makes its sum of probabilities the number that came;
    the variance of the shifts, less that of chance, is one window's, and a new one is not among
    those that the mean was taken of. Three windows that overlap see little of how a shop changes,
    so that variance is drawn towards the usual one.
    """
    windows = int(window.max()) + 1
    said, shift = log_odds(probability), np.zeros(windows)
    for _step in range(SHIFT_STEPS):
        chance = expit(said + shift[window])
        slope = np.bincount(window, outcome - chance, windows)
        bend = np.bincount(window, chance * (1.0 - chance), windows)
        shift += np.clip(slope / bend, -1.0, 1.0)
    beyond = 0.0
    if windows > 1:
        beyond = max(float(shift.var(ddof=1) - (1.0 / bend).mean()), 0.0)
    known, believed = windows - 1, BELIEF_WINDOWS
    variance = (known * beyond + believed * WINDOWS_DIFFER**2) / (known + believed)
    return float(np.sqrt(variance * (1.0 + 1.0 / windows)))


def _widened(low: FloatArray, high: FloatArray, by: float) -> tuple[FloatArray, FloatArray]:
    """Return limits of a probability, widened from their middle on the scale of log-odds."""
    middle = (logit(low) + logit(high)) / 2
    reach = np.hypot(logit(high) - middle, by)
    return np.asarray(expit(middle - reach)), np.asarray(expit(middle + reach))


def band_coverage(
    said: list[FloatArray],
    came: list[BoolArray],
    order_counts: list[IntArray],
    spread: Spread | None,
) -> JsonDict:
    """Return the share of score bins whose observed share lies inside the mean band.

    Each origin's customers are cut into up to ``JUDGED_BINS`` equal bins by their score. Bands take
    the observed shares from the other origins; of a single one each half is judged by the other.
    The observed share of a bin scatters too: ``expected_share`` would lie inside were every score
    exactly right.
    """
    how = "other_origins" if len(said) > 1 else "half_of_customers"
    origins = list(zip(said, came, order_counts, strict=True))
    if len(origins) == 1:
        even = np.arange(said[0].size) % 2 == 0
        one, other, counts = origins[0]
        origins = [(one[half], other[half], counts[half]) for half in (even, ~even)]
    inside, expected = [], []
    for place, (score, outcome, counts) in enumerate(origins):
        others = origins[:place] + origins[place + 1 :]
        band = ProbabilityBand(spread=spread)
        band.fit_windows([rest[0] for rest in others], [rest[1] for rest in others])
        low, high = band.predict(score, counts)
        bins = int(np.clip(score.size // MIN_PER_BIN, 1, JUDGED_BINS))
        for rows in np.array_split(np.argsort(score, kind="stable"), bins):
            least, most = float(low[rows].mean()), float(high[rows].mean())
            inside.append(least <= float(outcome[rows].mean()) <= most)
            counts_inside = [np.ceil(least * rows.size) - 1, np.floor(most * rows.size)]
            below, up_to = binom.cdf(counts_inside, rows.size, score[rows].mean())
            expected.append(float(up_to - below))
    return {
        "share_inside": float(np.mean(inside)),
        "expected_share": float(np.mean(expected)),
        "bins": len(inside),
        "by": how,
    }


def coverage_elsewhere(
    actual: list[FloatArray],
    predicted: list[FloatArray],
    kind: type[SpendIntervals] = SpendIntervals,
) -> tuple[float, str]:
    """Return the share of actual values inside intervals that were learned on other origins.

    With a single origin, one half of its customers is judged by the other.
    """
    if len(actual) == 1:
        half = np.arange(predicted[0].size) % 2 == 0
        learned = kind().fit(predicted[0][half], actual[0][half])
        return learned.covered(predicted[0][~half], actual[0][~half]), "half_of_customers"
    shares = []
    for index, came in enumerate(actual):
        others = [i for i in range(len(actual)) if i != index]
        learned = kind().fit(
            np.concatenate([predicted[i] for i in others]),
            np.concatenate([actual[i] for i in others]),
        )
        shares.append(learned.covered(predicted[index], came))
    return float(np.mean(shares)), "other_origins"
