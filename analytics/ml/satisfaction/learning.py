"""Learn from a shop's own answers: hide each customer's last ones and see what foretells them."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.features import some
from analytics.ml.satisfaction.bands import MIN_PER_BAND, Bands, fit_bands
from analytics.ml.satisfaction.expectation import (
    BASE_PRIOR_ANSWERS,
    BASE_STARS,
    DELAY_PRIOR_ANSWERS,
    MIN_CUSTOMERS_TO_FIT,
    PENALTY_PRIOR_ANSWERS,
    PUBLISHED,
    RETURN_PENALTY,
    TICKET_PENALTY,
    Norms,
    Record,
    fit_norms,
    record_of,
)
from analytics.ml.satisfaction.refits import MOST_CUSTOMERS, refit
from analytics.ml.satisfaction.signals import (
    HALF_LIFE_DAYS,
    RATING_KINDS,
    RELIABILITY,
    Signals,
)

DEFAULT_PRIOR_WEIGHT = 2.0
_GRID = np.geomspace(0.1, 50.0, 60)  # of k: every sixth is tried, then those around the best
_STRIDE = 6

CONSTANTS: JsonDict = {
    "half_life_days": HALF_LIFE_DAYS,
    "base_stars": BASE_STARS,
    "return_penalty": RETURN_PENALTY,
    "ticket_penalty": TICKET_PENALTY,
    "base_prior_answers": BASE_PRIOR_ANSWERS,
    "delay_prior_answers": DELAY_PRIOR_ANSWERS,
    "penalty_prior_answers": PENALTY_PRIOR_ANSWERS,
    "reliability": dict(zip(RATING_KINDS, RELIABILITY.tolist(), strict=True)),
}


@dataclass(frozen=True)
class Hidden:
    """One row per customer who answered: the answer of their last day, and what led up to it.

    Attributes
    ----------
    day : of the hidden answer; everything below was known before it
    truth : what was answered (0–1); of several answers on that day, their weighted mean
    n_eff, total : weight, and weighted sum, of the earlier answers
    count, own_mean : their number, and plain mean (NaN without any)
    record : deliveries, returns and tickets
    """

    customer_id: IntArray
    day: IntArray
    truth: FloatArray
    n_eff: FloatArray
    total: FloatArray
    count: FloatArray
    own_mean: FloatArray
    record: Record

    @property
    def is_silent(self) -> BoolArray:
        """Tell who had said nothing before."""
        return self.count == 0

    def take(self, keep: BoolArray | IntArray) -> "Hidden":
        """Return the customers where ``keep`` holds, or those at its places."""
        places = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        columns = dict(vars(self))
        record = columns.pop("record").take(places)
        return Hidden(**{name: column[places] for name, column in columns.items()}, record=record)


@dataclass(frozen=True)
class Habits:
    """What scores rest on: the norms behind m, its weight k, and the bands.

    ``score_spread`` is how far a score (0–1) moves where the customers who answered are drawn
    anew: the middle 80 % of the refits, mean of the customers; None until measured.
    """

    norms: Norms = PUBLISHED
    prior_weight: float = DEFAULT_PRIOR_WEIGHT
    bands: Bands = field(default_factory=Bands)
    score_spread: float | None = None

    def mean(self, expected: FloatArray, n_eff: FloatArray, total: FloatArray) -> FloatArray:
        """Return (k·m + Σ w·s) / (k + Σ w)."""
        k = self.prior_weight
        return np.asarray((k * expected + total) / (k + n_eff))

    def foretell(self, hidden: Hidden) -> FloatArray:
        """Return the score each customer had before the hidden answer, on 0–1."""
        return self.mean(self.norms.mean(hidden.record), hidden.n_eff, hidden.total)

    def to_dict(self) -> JsonDict:
        """Return the habits as a JSON-able dictionary."""
        return {
            "prior_weight": self.prior_weight,
            "expectation": self.norms.to_dict(),
            "bands": self.bands.to_dict(),
            "score_spread": self.score_spread,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Return the habits that ``to_dict`` wrote, whatever else stands beside them.

        JSON writes floating-point numbers exactly, so the scores are the same to the last bit.
        """
        return cls(
            norms=Norms.from_dict(stored["expectation"]),
            prior_weight=stored["prior_weight"],
            bands=Bands.from_dict(stored["bands"]),
            score_spread=stored["score_spread"],
        )


def learn(known: Signals) -> Habits:
    """Return what the shop's own answers teach; where they are too few, what is published.

    ``known`` is what ``Signals.before`` gave: everything in it may be learned from.
    """
    return learn_from(hide(known))


def learn_from(hidden: Hidden) -> Habits:
    """Return what answers teach that were hidden already."""
    habits = _fit(hidden)
    if hidden.truth.size < MIN_PER_BAND:
        return habits
    some_hidden = hidden.take(some(hidden.customer_id, MOST_CUSTOMERS))
    refits = refit(
        some_hidden.customer_id,
        lambda drawn: _fit(some_hidden.take(drawn)).foretell(some_hidden),
    )
    return replace(
        habits,
        bands=fit_bands(refits, some_hidden.truth, some_hidden.is_silent),
        score_spread=refits.spread,
    )


def _fit(hidden: Hidden) -> Habits:
    """Return the habits that answers bear out, without bands."""
    norms = fit_norms(hidden.record, hidden.truth, hidden.day)
    return Habits(norms, _fit_prior_weight(hidden, norms))


def hide(known: Signals) -> Hidden:
    """Hide the answers of each customer's last day and gather what was known before that day.

    A day is the finest grain of a run: what happened on the day of the answer is not known.
    """
    said = known.ratings
    customer, starts, counts = np.unique(said.customer_id, return_index=True, return_counts=True)
    size = customer.size
    row = np.repeat(np.arange(size), counts)
    day = said.day[starts + counts - 1] if size else np.empty(0, np.int64)
    is_last = said.day == day[row]
    trust = RELIABILITY[said.kind]
    last, earlier = row[is_last], row[~is_last]
    truth = np.bincount(last, (trust * said.score)[is_last], size) / np.bincount(
        last, trust[is_last], size
    )
    weight = said.weight(day[row] - 1)[~is_last]
    count = np.bincount(earlier, minlength=size).astype(np.float64)
    sums = np.bincount(earlier, said.score[~is_last], size)
    return Hidden(
        customer_id=customer,
        day=day,
        truth=truth,
        n_eff=np.bincount(earlier, weight, size).astype(np.float64),
        total=np.bincount(earlier, weight * said.score[~is_last], size).astype(np.float64),
        count=count,
        own_mean=np.where(count > 0, sums / np.maximum(count, 1), np.nan),
        record=record_of(customer, known, day),
    )


def _fit_prior_weight(hidden: Hidden, norms: Norms) -> float:
    """Return the k that best foretells the hidden answers of those who had said something.

    Needs 200 of them, otherwise returns the default of 2.
    """
    spoke = hidden.take(~hidden.is_silent)
    if spoke.truth.size < MIN_CUSTOMERS_TO_FIT:
        return DEFAULT_PRIOR_WEIGHT
    expected = norms.mean(spoke.record)

    def error(place: int) -> float:
        foretold = Habits(prior_weight=_GRID[place]).mean(expected, spoke.n_eff, spoke.total)
        return float(np.mean((foretold - spoke.truth) ** 2))

    coarse = min(range(0, _GRID.size, _STRIDE), key=error)
    near = range(max(coarse - _STRIDE + 1, 0), min(coarse + _STRIDE, _GRID.size))
    return float(_GRID[min(near, key=error)])
