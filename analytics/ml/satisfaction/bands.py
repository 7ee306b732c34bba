"""Say between which ends the next single answer will lie.

A single answer scatters far more than a customer's mean: on top of what is not known of the
customer there is the mood of the day, and answers come in whole stars. So the band is read off
answers that were hidden: of the customers with a similar score, it holds what 8 of 10 answered.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaincinv

from analytics.ml.arrays import BoolArray, FloatArray, JsonDict

BAND = 0.80
LEAST_BAND = 0.75
MIN_PER_BAND = 50
PER_BIN = 100
MAX_BINS = 10
# Not measured: the spread of single answers until a shop has shown its own, as the sum of the two
# parameters of a Beta distribution around the expected answer (1: a standard deviation of 1.2
# stars around 4.1).
PRIOR_CONCENTRATION = 1.0
STEPS = 4.0  # five stars


@dataclass(frozen=True)
class Ladder:
    """Bands by score: customers up to ``edges[i]`` get the i-th band, all others the last."""

    edges: FloatArray
    low: FloatArray
    high: FloatArray

    def of(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends for each score (0–1)."""
        at = np.searchsorted(self.edges, mean, side="left")
        return self.low[at], self.high[at]

    def to_dict(self) -> JsonDict:
        """Return the ladder as a JSON-able dictionary."""
        return {name: column.tolist() for name, column in vars(self).items()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Return the ladder that ``to_dict`` wrote."""
        return cls(**{name: np.array(column, np.float64) for name, column in stored.items()})


@dataclass(frozen=True)
class Bands:
    """Bands for those who had said something, and for the silent; None until measured."""

    answered: Ladder | None = None
    silent: Ladder | None = None

    def of(self, mean: FloatArray, is_silent: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Return (low, high) on 0–1, stretched to hold the score itself."""
        low, high = _assumed(mean)
        for ladder, mine in ((self.answered, ~is_silent), (self.silent, is_silent)):
            if ladder is not None:
                low[mine], high[mine] = ladder.of(mean[mine])
        return np.minimum(low, mean), np.maximum(high, mean)

    def to_dict(self) -> JsonDict:
        """Return the bands as a JSON-able dictionary."""
        return {
            name: ladder.to_dict() if ladder is not None else None
            for name, ladder in vars(self).items()
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Return the bands that ``to_dict`` wrote."""
        return cls(
            **{
                name: Ladder.from_dict(ladder) if ladder is not None else None
                for name, ladder in stored.items()
            }
        )


def fit_bands(mean: FloatArray, truth: FloatArray, is_silent: BoolArray) -> Bands:
    """Learn the bands from scores made without the answer ``truth`` that came next.

    A group of fewer than 50 takes the band of both together; where they are fewer, too, the band
    stays the assumed one.
    """
    ladders = []
    for mine in (~is_silent, is_silent):
        enough = mine if int(mine.sum()) >= MIN_PER_BAND else np.ones(mean.size, dtype=bool)
        measured = int(enough.sum()) >= MIN_PER_BAND
        ladders.append(_fit(mean[enough], truth[enough]) if measured else None)
    return Bands(*ladders)


def _fit(mean: FloatArray, truth: FloatArray) -> Ladder:
    """Cut the scores into up to ten equal parts of 100 answers and find each part's band."""
    bins = int(np.clip(mean.size // PER_BIN, 1, MAX_BINS))
    levels = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(mean, levels, method="inverted_cdf"))
    at = np.searchsorted(edges, mean, side="left")
    filled = np.unique(at)
    ends = np.array([_nearest(np.sort(truth[at == index])) for index in filled])
    # A tie at the largest score leaves nobody above it: that band takes the one below.
    return Ladder(edges[filled[:-1]], ends[:, 0], ends[:, 1])


def _nearest(answers: FloatArray) -> tuple[float, float]:
    """Return the range of the ascending answers that holds nearest to 80 %, and 75 % at least.

    Answers come in steps, so that a range can rarely hold exactly as many as it should.
    """
    ranges = [_shortest(answers, share) for share in (BAND, LEAST_BAND)]
    return min(ranges, key=lambda ends: abs(_share(answers, *ends) - BAND))


def _shortest(answers: FloatArray, share: float) -> tuple[float, float]:
    """Return the shortest range of the ascending answers that leaves out the rest of a share.

    The rest lies below, above, or half on either side. To choose freely where would flatter: on
    answers without steps such ranges held 76 % of new ones.
    """
    size = answers.size
    held = min(int(np.ceil(share * (size + 1) - 1e-9)), size)
    starts = (size - held, (size - held) // 2, 0)
    ranges = [(float(answers[start]), float(answers[start + held - 1])) for start in starts]
    return min(ranges, key=lambda ends: ends[1] - ends[0])


def _share(answers: FloatArray, low: float, high: float) -> float:
    return float(((low <= answers) & (answers <= high)).mean())


def _assumed(mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the middle 80 % of an assumed spread of whole stars around the mean."""
    a, b = PRIOR_CONCENTRATION * mean, PRIOR_CONCENTRATION * (1.0 - mean)
    ends = (betaincinv(a, b, tail) for tail in ((1.0 - BAND) / 2, (1.0 + BAND) / 2))
    low, high = (np.rint(STEPS * end) / STEPS for end in ends)
    return low, high
