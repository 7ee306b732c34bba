"""Say between which ends the next single answer will lie.

A single answer scatters far more than a customer's mean: on top of what is not known of the
customer there is the mood of the day, and answers come in whole stars. So the band is read off
answers that were hidden from the fit, too: of the customers with a similar score by refits that had
not seen them, it holds what 8 of 10 answered.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaincinv

from analytics.ml.arrays import BoolArray, FloatArray, JsonDict
from analytics.ml.satisfaction.refits import Refits

BAND = 0.80
LEAST_BAND = 0.75  # of all parts together
LEAST_PART = 0.70
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


def fit_bands(refits: Refits, truth: FloatArray, is_silent: BoolArray) -> Bands:
    """Learn the bands from scores made without the answer ``truth`` that came next.

    Only scores by refits that had not learned from the customer count, so that how far the fit
    moves is in the bands as the mood of a single answer is.

    A group of fewer than 50 customers takes the band of both together; where they are fewer, too,
    the band stays the assumed one.
    """
    ladders = []
    for mine in (~is_silent, is_silent):
        enough = mine if int(mine.sum()) >= MIN_PER_BAND else np.ones(truth.size, dtype=bool)
        measured = int(enough.sum()) >= MIN_PER_BAND
        ladders.append(_fit(refits.take(enough), truth[enough]) if measured else None)
    return Bands(*ladders)


def _fit(refits: Refits, truth: FloatArray) -> Ladder:
    """Cut the scores into up to ten equal parts of 100 customers and find each part's band."""
    mean = refits.score[refits.is_unseen]
    answer = np.broadcast_to(truth, refits.is_unseen.shape)[refits.is_unseen]
    bins = int(np.clip(truth.size // PER_BIN, 1, MAX_BINS))
    levels = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(mean, levels, method="inverted_cdf"))
    at = np.searchsorted(edges, mean, side="left")
    filled = np.unique(at)
    one = mean.size / truth.size
    parts = [np.sort(answer[at == index]) for index in filled]
    # A tie at the largest score leaves nobody above it: that band takes the one below.
    return Ladder(edges[filled[:-1]], *_ends(parts, one).T)


def _ends(parts: list[FloatArray], one: float) -> FloatArray:
    """Return the ends of each part's band; ``one`` customer is in it so many times, on average.

    Answers come in steps, so that a range can rarely hold exactly as many as it should: of a range
    above and one below 80 % each part takes the nearer. Where the parts together would hold fewer
    than 80 %, more of them take the upper, those first that it suits best, as long as that brings
    all together nearer, and in any case until they hold 75 %.
    """
    above = np.array([_shortest(part, one, BAND) for part in parts])
    below = np.array([_below(part, one) for part in parts])
    most, least = (
        np.array([_share(part, one, *pair) for part, pair in zip(parts, ends, strict=True)])
        for ends in (above, below)
    )
    sizes = np.array([part.size for part in parts])
    is_above = np.abs(most - BAND) <= np.abs(least - BAND)
    for index in np.argsort(most + least, kind="stable"):
        now = float(np.average(np.where(is_above, most, least), weights=sizes))
        then = now + float((most - least)[index] * sizes[index] / sizes.sum())
        if now < LEAST_BAND or abs(then - BAND) < abs(now - BAND):
            is_above[index] = True
    return np.where(is_above[:, np.newaxis], above, below)


def _below(answers: FloatArray, one: float) -> tuple[float, float]:
    """Return the range for 75 %, or else for 70 %, that holds fewer than 80 %, if there is one."""
    ranges = [_shortest(answers, one, share) for share in (LEAST_BAND, LEAST_PART, BAND)]
    return next((ends for ends in ranges if _share(answers, one, *ends) < BAND), ranges[-1])


def _shortest(answers: FloatArray, one: float, share: float) -> tuple[float, float]:
    """Return the shortest range of the ascending answers that leaves out the rest of a share.

    The rest lies below, above, or half on either side. To choose freely where would flatter: on
    answers without steps such ranges held 76 % of new ones. Between n answers and beyond them lie
    n + 1 gaps, each as likely to hold a new one; h answers in a row have h − 1 gaps between them.
    """
    size = answers.size
    held = min(int(np.ceil(share * (size + one) + one - 1e-9)), size)
    starts = (size - held, (size - held) // 2, 0)
    ranges = [(float(answers[start]), float(answers[start + held - 1])) for start in starts]
    return min(ranges, key=lambda ends: ends[1] - ends[0])


def _share(answers: FloatArray, one: float, low: float, high: float) -> float:
    """Return the share of new answers that a range is expected to hold."""
    held = int(((low <= answers) & (answers <= high)).sum())
    return (held - one) / (answers.size + one)


def _assumed(mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the middle 80 % of an assumed spread of whole stars around the mean."""
    a, b = PRIOR_CONCENTRATION * mean, PRIOR_CONCENTRATION * (1.0 - mean)
    ends = (betaincinv(a, b, tail) for tail in ((1.0 - BAND) / 2, (1.0 + BAND) / 2))
    low, high = (np.rint(STEPS * end) / STEPS for end in ends)
    return low, high
