"""Hold what is known of customers' satisfaction: answers, deliveries, orders, returns, tickets."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, IntArray

HALF_LIFE_DAYS = 180.0

# Kinds of answers and how far each is trusted. A CSAT or star rating is the thing itself; the
# others ask something related (would recommend, was it easy) or are read off a text by machine.
RATING_KINDS: tuple[str, ...] = ("review", "csat", "nps", "ces", "review_text")
RELIABILITY = np.array([1.0, 1.0, 0.7, 0.7, 0.6])


class _Rows(ABC):
    """Columns of equal length, among them ``customer_id`` and ``day``."""

    customer_id: IntArray
    day: IntArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        return cls(*(np.empty(0, kind) for kind in cls._kinds()))

    @staticmethod
    @abstractmethod
    def _kinds() -> tuple[Any, ...]:
        """Return the types of the columns."""

    def take(self, keep: BoolArray | IntArray) -> Self:
        """Return the rows where ``keep`` holds, or those at its places."""
        return type(self)(*(column[keep] for column in vars(self).values()))

    def before(self, day: int) -> Self:
        """Return the rows earlier than ``day``, sorted so that sums cannot depend on row order."""
        kept = self.take(self.day < day)
        columns = [column for name, column in vars(kept).items() if name != "customer_id"]
        return kept.take(np.lexsort((*columns[::-1], kept.customer_id)))


@dataclass(frozen=True)
class Ratings(_Rows):
    """Answers: who, on which day, how good on 0–1, and the kind (index into ``RATING_KINDS``)."""

    customer_id: IntArray
    day: IntArray
    score: FloatArray
    kind: CodeArray

    @staticmethod
    def _kinds() -> tuple[Any, ...]:
        return np.int64, np.int64, np.float64, np.int8

    def weight(self, seen_from: IntArray) -> FloatArray:
        """Return reliability × 2^(−age / half-life) of each answer, aged up to a day of its own."""
        age = np.maximum(seen_from - self.day, 0)
        return np.asarray(RELIABILITY[self.kind] * 2.0 ** (-age / HALF_LIFE_DAYS))


@dataclass(frozen=True)
class Deliveries(_Rows):
    """Delivered orders: who, on which day, and how many days after the promise (negative early)."""

    customer_id: IntArray
    day: IntArray
    delay_days: FloatArray

    @staticmethod
    def _kinds() -> tuple[Any, ...]:
        return np.int64, np.int64, np.float64

    def before(self, day: int) -> Self:
        """Return the rows earlier than ``day`` with a known delay, in a fixed order."""
        return super(Deliveries, self.take(np.isfinite(self.delay_days))).before(day)


@dataclass(frozen=True)
class Operations(_Rows):
    """What happened to a customer on a day: orders, first returns of an order, and tickets."""

    customer_id: IntArray
    day: IntArray
    order_count: IntArray
    returned_order_count: IntArray
    ticket_count: IntArray

    @staticmethod
    def _kinds() -> tuple[Any, ...]:
        return (np.int64,) * 5


@dataclass(frozen=True)
class Signals:
    """Everything satisfaction is read from."""

    ratings: Ratings = field(default_factory=Ratings.empty)
    deliveries: Deliveries = field(default_factory=Deliveries.empty)
    operations: Operations = field(default_factory=Operations.empty)

    def before(self, day: int) -> "Signals":
        """Return what was known before ``day``, in a fixed order."""
        return Signals(
            self.ratings.before(day), self.deliveries.before(day), self.operations.before(day)
        )

    def earlier(self, day: int) -> "Signals":
        """Return what was known before ``day``, in the order it is in already."""
        return Signals(*(rows.take(rows.day < day) for rows in vars(self).values()))

    def without(self, customer_ids: IntArray | None) -> "Signals":
        """Return the signals of everybody else."""
        if customer_ids is None or not customer_ids.size:
            return self
        return Signals(
            *(rows.take(~np.isin(rows.customer_id, customer_ids)) for rows in vars(self).values())
        )


def positions(sorted_ids: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the positions of the wanted ids that exist, and which of them exist."""
    position = np.searchsorted(sorted_ids, wanted)
    known = position < sorted_ids.size
    known[known] = sorted_ids[position[known]] == wanted[known]
    return position[known].astype(np.int64), known
