"""Estimate satisfaction from what customers said and, where they are silent, from operations.

The score is a shrunken mean, ``S = 100 · (k·m + Σ wⱼ·sⱼ) / (k + Σ wⱼ)``: sⱼ is an answer on 0–1,
``wⱼ = reliability × 2^(−age / 180 days)``, ``m`` what operations let one expect, and ``k`` how many
fresh answers that expectation is worth.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaincinv

from analytics.ml import reasons
from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, IntArray, JsonDict
from analytics.ml.reasons import ReasonColumns, strongest

HALF_LIFE_DAYS = 180.0
DEFAULT_PRIOR_WEIGHT = 2.0
MIN_CUSTOMERS_TO_FIT = 200
BAND = 0.80

# Kinds of answers and how far each is trusted. A CSAT or star rating is the thing itself; the
# others ask something related (would recommend, was it easy) or are read off a text by machine.
RATING_KINDS: tuple[str, ...] = ("review", "csat", "nps", "ces", "review_text")
RELIABILITY = np.array([1.0, 1.0, 0.7, 0.7, 0.6])

# Mean stars by delivery delay in days, measured on marketplace orders with reviews: late parcels
# cost far more than early ones win. ``DELAY_EDGES`` are the upper ends, inclusive.
DELAY_EDGES = np.array([-10.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0])
DELAY_STARS = np.array([4.32, 4.28, 4.16, 4.14, 3.92, 2.81, 1.89, 1.70])
BASE_STARS = 4.14  # delivered on the promised day
# Not measured: a stated prior for what a returned order and a ticket per order take off (0–1).
RETURN_PENALTY = 0.25
TICKET_PENALTY = 0.20

CONSTANTS: JsonDict = {
    "half_life_days": HALF_LIFE_DAYS,
    "base_stars": BASE_STARS,
    "return_penalty": RETURN_PENALTY,
    "ticket_penalty": TICKET_PENALTY,
    "reliability": dict(zip(RATING_KINDS, RELIABILITY.tolist(), strict=True)),
}


@dataclass(frozen=True)
class Ratings:
    """Answers: who, on which day, how good on 0–1, and the kind (index into ``RATING_KINDS``)."""

    customer_id: IntArray
    day: IntArray
    score: FloatArray
    kind: CodeArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        return cls(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, dtype=np.int8)
        )

    def before(self, day: int) -> "Ratings":
        """Return the rows earlier than ``day``, sorted so that sums cannot depend on row order."""
        kept = self.take(self.day < day)
        order = np.lexsort((kept.kind, kept.score, kept.day, kept.customer_id))
        return Ratings(*(column[order] for column in vars(kept).values()))

    def take(self, keep: BoolArray) -> "Ratings":
        """Return the rows where ``keep`` holds."""
        return Ratings(*(column[keep] for column in vars(self).values()))


@dataclass(frozen=True)
class Deliveries:
    """Delivered orders: who, on which day, and how many days after the promise (negative early)."""

    customer_id: IntArray
    day: IntArray
    delay_days: FloatArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def before(self, day: int) -> "Deliveries":
        """Return the rows earlier than ``day`` with a known delay, in a fixed order."""
        keep = (self.day < day) & np.isfinite(self.delay_days)
        customer, days, delay = self.customer_id[keep], self.day[keep], self.delay_days[keep]
        order = np.lexsort((delay, days, customer))
        return Deliveries(customer[order], days[order], delay[order])


@dataclass(frozen=True)
class Operations:
    """One row per customer: orders, orders with something returned, and tickets, as of the run.

    The caller counts only what happened before ``as_of_day``.
    """

    customer_id: IntArray
    order_count: IntArray
    returned_order_count: IntArray
    ticket_count: IntArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        nobody = np.empty(0, np.int64)
        return cls(nobody, nobody, nobody, nobody)


@dataclass(frozen=True)
class SatisfactionScores:
    """Satisfaction per customer; NaN where there is neither an order nor a signal."""

    score: FloatArray
    low: FloatArray
    high: FloatArray
    n_eff: FloatArray
    inferred_share: FloatArray
    reasons: ReasonColumns


@dataclass(frozen=True)
class _Expectation:
    """What operations let one expect (0–1), split into its parts."""

    base: float
    delay_effect: FloatArray
    mean_delay: FloatArray
    return_effect: FloatArray
    return_share: FloatArray
    ticket_effect: FloatArray
    ticket_count: FloatArray
    known: BoolArray

    @property
    def mean(self) -> FloatArray:
        """Return m, kept off the ends, where no answer could move it back."""
        effects = self.delay_effect + self.return_effect + self.ticket_effect
        return np.clip(self.base + effects, 0.02, 0.98)


def stars_to_unit(stars: FloatArray) -> FloatArray:
    """Map 1–5 stars to 0–1."""
    return (stars - 1.0) / 4.0


def expected_stars(delay_days: FloatArray) -> FloatArray:
    """Return the mean stars that follow a delivery delay."""
    return DELAY_STARS[np.searchsorted(DELAY_EDGES, delay_days, side="left")]


def score_satisfaction(
    customer_ids: IntArray,
    *,
    ratings: Ratings,
    deliveries: Deliveries,
    operations: Operations,
    has_orders: BoolArray,
    as_of_day: int,
    prior_weight: float = DEFAULT_PRIOR_WEIGHT,
) -> SatisfactionScores:
    """Score ascending ``customer_ids`` from answers, deliveries, returns and tickets.

    ``has_orders`` follows ``customer_ids``. Answers on or after ``as_of_day`` are not seen.
    """
    expectation = _expect(customer_ids, deliveries.before(as_of_day), operations, as_of_day)
    answered = ratings.before(as_of_day)
    row, known = _positions(customer_ids, answered.customer_id)
    weight = _weights(answered, np.full(answered.day.size, as_of_day - 1))[known]
    n_eff: FloatArray = np.bincount(row, weight, customer_ids.size).astype(np.float64)
    total: FloatArray = np.bincount(row, weight * answered.score[known], customer_ids.size).astype(
        np.float64
    )
    mean = (prior_weight * expectation.mean + total) / (prior_weight + n_eff)
    strength = prior_weight + n_eff
    low = betaincinv(mean * strength, (1 - mean) * strength, (1 - BAND) / 2)
    high = betaincinv(mean * strength, (1 - mean) * strength, (1 + BAND) / 2)
    silent = ~(has_orders | expectation.known | (n_eff > 0))
    # Skewed bands can miss a mean close to the end: never publish a score outside its own band.
    low, high = np.minimum(low, mean), np.maximum(high, mean)

    def publish(values: FloatArray, scale: float) -> FloatArray:
        return np.where(silent, np.nan, scale * values)

    return SatisfactionScores(
        score=publish(mean, 100.0),
        low=publish(low, 100.0),
        high=publish(high, 100.0),
        n_eff=publish(n_eff, 1.0),
        inferred_share=publish(prior_weight / strength, 1.0),
        reasons=_reasons(expectation, total, n_eff, prior_weight, silent),
    )


def fit_prior_weight(ratings: Ratings, deliveries: Deliveries, *, as_of_day: int) -> float:
    """Return the k that best predicts each customer's last answer from the earlier ones.

    Needs 200 customers with two answers on different days, otherwise returns the default of 2.
    Only deliveries up to the day of the hidden answer are used.
    """
    answered = ratings.before(as_of_day)
    customer, starts, counts = np.unique(
        answered.customer_id, return_index=True, return_counts=True
    )
    if customer.size == 0:
        return DEFAULT_PRIOR_WEIGHT
    last = starts + counts - 1
    hidden_day = np.repeat(answered.day[last], counts)
    earlier = answered.day < hidden_day
    row = np.repeat(np.arange(customer.size), counts)[earlier]
    weight = _weights(answered, hidden_day)[earlier]
    n_eff = np.bincount(row, weight, customer.size)
    total = np.bincount(row, weight * answered.score[earlier], customer.size)
    usable = n_eff > 0
    if int(usable.sum()) < MIN_CUSTOMERS_TO_FIT:
        return DEFAULT_PRIOR_WEIGHT
    seen = deliveries.before(as_of_day)
    at, known = _positions(customer, seen.customer_id)
    in_time = seen.day[known] <= answered.day[last][at]
    kept = Deliveries(*(column[known][in_time] for column in vars(seen).values()))
    expected = _expect(customer, kept, Operations.empty(), as_of_day).mean
    truth = answered.score[last]
    grid = np.geomspace(0.1, 50.0, 60)
    errors = [
        float(np.mean(((k * expected + total) / (k + n_eff) - truth)[usable] ** 2)) for k in grid
    ]
    return float(grid[int(np.argmin(errors))])


def _weights(ratings: Ratings, at_day: IntArray) -> FloatArray:
    """Return reliability × 2^(−age / half-life) of each answer, seen from ``at_day``."""
    age = np.maximum(at_day - ratings.day, 0)
    return np.asarray(RELIABILITY[ratings.kind] * 2.0 ** (-age / HALF_LIFE_DAYS))


def _positions(sorted_ids: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the positions of the wanted ids that exist, and which of them exist."""
    position = np.searchsorted(sorted_ids, wanted)
    known = position < sorted_ids.size
    known[known] = sorted_ids[position[known]] == wanted[known]
    return position[known].astype(np.int64), known


def _expect(
    customer_ids: IntArray, deliveries: Deliveries, operations: Operations, as_of_day: int
) -> _Expectation:
    """Return the expectation from operations, with fresh deliveries counting most."""
    size = customer_ids.size
    row, known = _positions(customer_ids, deliveries.customer_id)
    age = np.maximum(as_of_day - 1 - deliveries.day[known], 0)
    weight = 2.0 ** (-age / HALF_LIFE_DAYS)
    delay = deliveries.delay_days[known]
    total = np.bincount(row, weight, size)
    delivered = total > 0
    safe = np.where(delivered, total, 1.0)
    base = float(stars_to_unit(np.array([BASE_STARS]))[0])
    unit = np.bincount(row, weight * stars_to_unit(expected_stars(delay)), size) / safe
    counts = np.zeros((3, size))
    at, listed = _positions(customer_ids, operations.customer_id)
    for index, column in enumerate(
        (operations.order_count, operations.returned_order_count, operations.ticket_count)
    ):
        counts[index, at] = column[listed]
    orders, returned, tickets = counts
    return_share = np.minimum(returned / np.maximum(orders, 1), 1.0)
    ticket_share = np.minimum(tickets / np.maximum(orders, 1), 1.0)
    return _Expectation(
        base=base,
        delay_effect=np.where(delivered, unit - base, 0.0),
        mean_delay=np.where(delivered, np.bincount(row, weight * delay, size) / safe, np.nan),
        return_effect=-RETURN_PENALTY * return_share,
        return_share=return_share,
        ticket_effect=-TICKET_PENALTY * ticket_share,
        ticket_count=tickets,
        known=delivered | (orders > 0) | (tickets > 0),
    )


def _reasons(
    expectation: _Expectation,
    total: FloatArray,
    n_eff: FloatArray,
    prior_weight: float,
    silent: BoolArray,
) -> ReasonColumns:
    """Rank what moved the score away from that of an order delivered on the promised day."""
    strength = prior_weight + n_eff
    answered = n_eff > 0
    mean_rating = np.where(answered, total / np.where(answered, n_eff, 1.0), np.nan)
    share = prior_weight / strength
    nothing = np.zeros(n_eff.size)
    base = np.full(n_eff.size, expectation.base)
    return strongest(
        [
            (
                reasons.RATING,
                np.where(answered, n_eff * (mean_rating - base) / strength, 0.0),
                mean_rating,
                base,
            ),
            (
                reasons.DELIVERY_DELAY,
                share * expectation.delay_effect,
                expectation.mean_delay,
                nothing,
            ),
            (
                reasons.RETURN_SHARE,
                share * expectation.return_effect,
                expectation.return_share,
                nothing,
            ),
            (
                reasons.TICKET_COUNT,
                share * expectation.ticket_effect,
                expectation.ticket_count,
                nothing,
            ),
            # Weakest of all on purpose: it shows only when nothing else does.
            (reasons.NO_ANSWER_YET, np.where(answered, 0.0, 1e-12), n_eff, nothing),
        ],
        keep=3,
        blank=silent,
    )
