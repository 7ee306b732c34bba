"""Fit again on resampled customers, to see how much of a score is the chance of who answered.

Each refit draws the customers who answered with replacement. A score by a refit that did not draw
the customer is off by what a new customer's is: by the movement of the fit and by the mood of a
single answer. From such pairs the band is learned (Kim, Xu and Barber 2020, "Predictive inference
is free with the jackknife+-after-bootstrap"). A hash of the id decides who is drawn how often, so
that neither the order of rows nor other customers do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from analytics.ml.arrays import BoolArray, FloatArray, IntArray

REFITS = 20
MOST_CUSTOMERS = 10_000
TAIL = 0.1  # 80 % lie between
# Who draws as many customers as there are, with replacement, draws each of many Poisson(1) times.
# That number by the first 16 bits of a hash:
_BITS = 16
_TIMES = np.searchsorted(
    poisson.cdf(np.arange(10), 1.0), (np.arange(2**_BITS) + 0.5) / 2**_BITS, side="right"
)


@dataclass(frozen=True)
class Refits:
    """Scores by every refit, shape (refits, customers), on 0–1.

    ``is_unseen`` tells whose answer the refit did not learn from; every customer has one such
    refit at least.
    """

    score: FloatArray
    is_unseen: BoolArray

    def take(self, keep: BoolArray) -> "Refits":
        """Return the customers where ``keep`` holds."""
        return Refits(self.score[:, keep], self.is_unseen[:, keep])

    @property
    def spread(self) -> float:
        """Return how far apart the ends of the middle 80 % of the refits are, mean of customers."""
        low, high = np.quantile(self.score, [TAIL, 1.0 - TAIL], axis=0)
        return float((high - low).mean())


def refit(customer_ids: IntArray, fit_and_score: Callable[[IntArray], FloatArray]) -> Refits:
    """Return all customers' scores by fits on the places that ``fit_and_score`` is given."""
    times = np.stack([_times_drawn(customer_ids, index) for index in range(REFITS)])
    places = np.arange(customer_ids.size)
    return Refits(np.stack([fit_and_score(np.repeat(places, row)) for row in times]), times == 0)


def _times_drawn(customer_ids: IntArray, index: int) -> IntArray:
    """Return how often each customer is in a refit; in one of all never, whatever the dice say."""
    times = _TIMES[_mixed(customer_ids, index + 1) >> np.uint64(64 - _BITS)]
    left_out = _mixed(customer_ids, 0) % np.uint64(REFITS)
    return np.where(left_out == index, 0, times)


def _mixed(customer_ids: IntArray, stream: int) -> NDArray[np.uint64]:
    """Return 64 bits of chance for each id (the finaliser of SplitMix64; Steele et al. 2014)."""
    bits = customer_ids.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    bits += np.uint64(stream * 0x9E3779B97F4A7C15 % 2**64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
