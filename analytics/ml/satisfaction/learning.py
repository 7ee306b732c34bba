"""Learn from a shop's own answers: hide each customer's last ones and see what foretells them."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.satisfaction.bands import Bands, fit_bands
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
from analytics.ml.satisfaction.signals import (
    HALF_LIFE_DAYS,
    RATING_KINDS,
    RELIABILITY,
    Signals,
)

DEFAULT_PRIOR_WEIGHT = 2.0

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
        columns = dict(vars(self))
        record = columns.pop("record").take(keep)
        return Hidden(**{name: column[keep] for name, column in columns.items()}, record=record)


@dataclass(frozen=True)
class Habits:
    """What scores rest on: the norms behind m, its weight k, and the bands."""

    norms: Norms = PUBLISHED
    prior_weight: float = DEFAULT_PRIOR_WEIGHT
    bands: Bands = field(default_factory=Bands)

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
        )


def learn(known: Signals) -> Habits:
    """Return what the shop's own answers teach; where they are too few, what is published.

    ``known`` is what ``Signals.before`` gave: everything in it may be learned from.
    """
    return learn_from(hide(known))


def learn_from(hidden: Hidden) -> Habits:
    """Return what answers teach that were hidden already."""
    norms = fit_norms(hidden.record, hidden.truth, hidden.day)
    habits = Habits(norms, _fit_prior_weight(hidden, norms))
    bands = fit_bands(habits.foretell(hidden), hidden.truth, hidden.is_silent)
    return Habits(norms, habits.prior_weight, bands)


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
    grid = np.geomspace(0.1, 50.0, 60)
    errors = [
        float(
            np.mean(
                (Habits(prior_weight=k).mean(expected, spoke.n_eff, spoke.total) - spoke.truth) ** 2
            )
        )
        for k in grid
    ]
    return float(grid[int(np.argmin(errors))])
