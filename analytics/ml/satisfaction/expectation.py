"""Say what deliveries, returns and tickets let one expect of a customer who said nothing.

m = base + slope · (what the published table says of the delays) + per returned order + per ticket.
The published figures are a prior: a shop's own answers move them as far as they can prove it.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.optimize import lsq_linear

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.satisfaction.signals import (
    HALF_LIFE_DAYS,
    Deliveries,
    Operations,
    Signals,
    positions,
)

# Mean stars by delivery delay in days, measured on marketplace orders with reviews: late parcels
# cost far more than early ones win. ``DELAY_EDGES`` are the upper ends, inclusive.
DELAY_EDGES = np.array([-10.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0])
DELAY_STARS = np.array([4.32, 4.28, 4.16, 4.14, 3.92, 2.81, 1.89, 1.70])
BASE_STARS = 4.14  # delivered on the promised day
# Not measured: a stated prior for what a returned order and a ticket per order take off (0–1).
RETURN_PENALTY = 0.25
TICKET_PENALTY = 0.20

# How many answers each published figure is worth against the shop's own: the base, the measured
# table of delays, and the two assumptions.
BASE_PRIOR_ANSWERS = 20.0
DELAY_PRIOR_ANSWERS = 100.0
PENALTY_PRIOR_ANSWERS = 20.0
MIN_CUSTOMERS_TO_FIT = 200
EARLY_SHARE = 0.7
MIN_LATER = 50
_TINY = 1e-6


@dataclass(frozen=True)
class Norms:
    """What a customer on time is expected to answer (0–1), and what moves it.

    Attributes
    ----------
    base : expected after an order delivered on the promised day
    delay_slope : how many times the published effect of a delay; never negative
    return_effect, ticket_effect : of a returned order and a ticket per order; never positive
    answers : customers whose answers the base was learned from
    is_learned : whether the three effects are the shop's own
    """

    base: float = (BASE_STARS - 1.0) / 4.0
    delay_slope: float = 1.0
    return_effect: float = -RETURN_PENALTY
    ticket_effect: float = -TICKET_PENALTY
    answers: int = 0
    is_learned: bool = False

    def mean(self, record: "Record") -> FloatArray:
        """Return m, kept off the ends, where no answer could move it back."""
        return np.clip(self.base + self.moved(record), 0.02, 0.98)

    def moved(self, record: "Record") -> FloatArray:
        """Return what delays, returns and tickets add to the base."""
        delays, returns = record.delay_effect, record.return_share
        effects = self.delay_slope * delays + self.return_effect * returns
        return np.asarray(effects + self.ticket_effect * record.ticket_share)

    def to_dict(self) -> JsonDict:
        """Return the norms as a JSON-able dictionary."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Return the norms that ``to_dict`` wrote."""
        return cls(**stored)


PUBLISHED = Norms()


@dataclass(frozen=True)
class Record:
    """What had happened to each customer by a day of their own.

    ``delay_effect`` is what the published table takes off or adds, newer parcels counting more.
    """

    delay_effect: FloatArray
    mean_delay: FloatArray
    return_share: FloatArray
    ticket_share: FloatArray
    ticket_count: FloatArray
    is_delivered: BoolArray
    is_known: BoolArray

    @property
    def features(self) -> FloatArray:
        """Return the three columns that the effects multiply."""
        return np.column_stack([self.delay_effect, self.return_share, self.ticket_share])

    def effects(self, norms: Norms) -> FloatArray:
        """Return what each of the three adds to the base."""
        return self.features * [norms.delay_slope, norms.return_effect, norms.ticket_effect]

    def take(self, keep: BoolArray | IntArray) -> "Record":
        """Return the customers where ``keep`` holds, or those at its places."""
        places = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return Record(*(column[places] for column in vars(self).values()))


def stars_to_unit(stars: FloatArray) -> FloatArray:
    """Map 1–5 stars to 0–1."""
    return (stars - 1.0) / 4.0


def expected_stars(delay_days: FloatArray) -> FloatArray:
    """Return the mean stars that follow a delivery delay."""
    return DELAY_STARS[np.searchsorted(DELAY_EDGES, delay_days, side="left")]


def record_of(customer_ids: IntArray, signals: Signals, cut_day: IntArray) -> Record:
    """Return what had happened to each of the ascending ``customer_ids`` before its cut day."""
    size = customer_ids.size
    seen = signals.deliveries
    row, kept = _before(customer_ids, seen, cut_day)
    delay = seen.delay_days[kept]
    weight = 2.0 ** (-(cut_day[row] - 1 - seen.day[kept]) / HALF_LIFE_DAYS)
    total = np.bincount(row, weight, size)
    is_delivered = total > 0
    safe = np.where(is_delivered, total, 1.0)
    gained = stars_to_unit(expected_stars(delay)) - PUBLISHED.base
    done = signals.operations
    at, kept = _before(customer_ids, done, cut_day)
    orders, returned, tickets = (
        np.bincount(at, column[kept], size).astype(np.float64)
        for column in (done.order_count, done.returned_order_count, done.ticket_count)
    )
    return Record(
        delay_effect=np.bincount(row, weight * gained, size) / safe,
        mean_delay=np.where(is_delivered, np.bincount(row, weight * delay, size) / safe, np.nan),
        return_share=np.minimum(returned / np.maximum(orders, 1), 1.0),
        ticket_share=np.minimum(tickets / np.maximum(orders, 1), 1.0),
        ticket_count=tickets,
        is_delivered=is_delivered,
        is_known=is_delivered | (orders > 0) | (tickets > 0),
    )


def fit_norms(record: Record, truth: FloatArray, day: IntArray) -> Norms:
    """Return the norms that the answers ``truth``, given on ``day``, bear out.

    The base always moves to the shop's own, shrunk as if 20 published answers stood beside it. The
    effects move only where 200 customers with deliveries answered and where effects learned from
    the earlier 70 % of the answers foretold the later ones better than the published effects did.
    """
    published = _fit_base(record, truth)
    if int(record.is_delivered.sum()) < MIN_CUSTOMERS_TO_FIT:
        return published
    early = day < np.quantile(day, EARLY_SHARE, method="inverted_cdf")
    if min(int(early.sum()) // 2, int((~early).sum())) < MIN_LATER:
        return published
    taught, later = record.take(early), record.take(~early)
    errors = [
        float(np.mean((fit(taught, truth[early]).mean(later) - truth[~early]) ** 2))
        for fit in (_fit_base, _fit_effects)
    ]
    return _fit_effects(record, truth) if errors[1] < errors[0] else published


def _fit_base(record: Record, truth: FloatArray) -> Norms:
    """Return the published effects on the shop's own base."""
    left = truth - PUBLISHED.moved(record) - PUBLISHED.base
    base = PUBLISHED.base + float(left.sum()) / (truth.size + BASE_PRIOR_ANSWERS)
    return replace(PUBLISHED, base=base, answers=int(truth.size))


def _fit_effects(record: Record, truth: FloatArray) -> Norms:
    """Return base and effects by ridge regression towards the published ones, signs kept."""
    features = np.column_stack([np.ones(truth.size), record.features])
    prior = np.array(
        [PUBLISHED.base, PUBLISHED.delay_slope, PUBLISHED.return_effect, PUBLISHED.ticket_effect]
    )
    gram = features.T @ features
    answers = [BASE_PRIOR_ANSWERS, DELAY_PRIOR_ANSWERS] + 2 * [PENALTY_PRIOR_ANSWERS]
    worth = np.array(answers) * np.maximum(np.diag(gram) / truth.size, _TINY)
    root = np.linalg.cholesky(gram + np.diag(worth))
    target = np.linalg.solve(root, features.T @ truth + worth * prior)
    limits = ([0.0, 0.0, -1.0, -1.0], [1.0, np.inf, 0.0, 0.0])
    found = lsq_linear(root.T, target, bounds=limits, method="bvls").x
    base, slope, returned, ticket = (float(value) for value in found)
    return Norms(base, slope, returned, ticket, answers=int(truth.size), is_learned=True)


def _before(
    customer_ids: IntArray, rows: Deliveries | Operations, cut_day: IntArray
) -> tuple[IntArray, IntArray]:
    """Return whose rows lie before their customer's cut day, and the places of those rows."""
    customer, known = positions(customer_ids, rows.customer_id)
    place = np.flatnonzero(known)
    in_time = rows.day[place] < cut_day[customer]
    return customer[in_time], place[in_time]
