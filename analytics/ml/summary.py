"""Turn purchase days into the sufficient statistics of the repeat-buying models."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray

SMALLEST_SPEND = 5e-6
"""Netting in binary floats leaves dust: half a thousandth of a cent is not a purchase."""


@dataclass(frozen=True)
class PurchaseDays:
    """One row per customer and local purchase day.

    Attributes
    ----------
    customer_id : int64
    day : days since 1970-01-01 in the shop's zone
    net_spend : that day's spend in shop currency, net of what came back and is not told apart
    """

    customer_id: IntArray
    day: IntArray
    net_spend: FloatArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def before(self, day: int) -> "PurchaseDays":
        """Return the rows earlier than ``day``."""
        return self.where(self.day < day)

    def where(self, keep: BoolArray) -> "PurchaseDays":
        """Return the rows where ``keep`` holds."""
        return PurchaseDays(self.customer_id[keep], self.day[keep], self.net_spend[keep])

    def summed(self) -> "PurchaseDays":
        """Return one row per customer and day, sorted.

        Amounts of a day are summed smallest first, so that the order of the rows cannot move the
        last bit.
        """
        if not np.isfinite(self.net_spend).all():
            raise ValueError("net_spend must be finite")
        order = np.lexsort((self.net_spend, self.day, self.customer_id))
        customer, day, spend = self.customer_id[order], self.day[order], self.net_spend[order]
        is_first = np.ones(customer.size, dtype=bool)
        is_first[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
        starts = np.flatnonzero(is_first)
        if starts.size == 0:
            return PurchaseDays.empty()
        return PurchaseDays(customer[starts], day[starts], np.add.reduceat(spend, starts))

    def occasions(self) -> "PurchaseDays":
        """Return the purchase occasions: days with positive net spend, sorted and unique.

        A day whose orders were cancelled nets to zero or less and is no occasion.
        """
        days = self.summed()
        return days.where(days.net_spend > SMALLEST_SPEND)


@dataclass(frozen=True)
class Summary:
    """One row per buyer, ascending by customer, as of the exclusive end of the data.

    ``frequency``, ``recency`` and ``T`` have their repeat-buying sense, in whole days: repeat
    purchase days, first to last purchase, first purchase to the end of observation.
    ``monetary_value`` is the mean of the *repeat* occasions (0 without any), ``average_order`` the
    mean of all occasions.
    """

    customer_id: IntArray
    frequency: IntArray
    recency: IntArray
    T: IntArray
    monetary_value: FloatArray
    average_order: FloatArray
    total_spend: FloatArray

    @property
    def order_count(self) -> IntArray:
        """Return the number of purchase days, the first included."""
        return self.frequency + 1

    @property
    def days_since_last_order(self) -> IntArray:
        """Return the whole days from the last purchase to the end of observation."""
        return self.T - self.recency

    def take(self, keep: BoolArray) -> "Summary":
        """Return the rows where ``keep`` holds."""
        return Summary(**{name: column[keep] for name, column in vars(self).items()})


def summarise(occasions: PurchaseDays, *, as_of_day: int) -> Summary:
    """Summarise sorted, unique occasions before ``as_of_day`` into one row per buyer.

    The last observed day is ``as_of_day − 1``, from which ``T`` counts.
    """
    seen = occasions.before(as_of_day)
    customer, starts, counts = np.unique(seen.customer_id, return_index=True, return_counts=True)
    if customer.size == 0:
        nothing, no_money = np.empty(0, np.int64), np.empty(0)
        return Summary(nothing, nothing, nothing, nothing, no_money, no_money, no_money)
    first, last = seen.day[starts], seen.day[starts + counts - 1]
    total = np.add.reduceat(seen.net_spend, starts)
    frequency = counts.astype(np.int64) - 1
    # Sum the repeats themselves: total − first would leave rounding dust where it must be exact.
    repeats = seen.net_spend.copy()
    repeats[starts] = 0.0
    repeat_total = np.add.reduceat(repeats, starts)
    return Summary(
        customer_id=customer,
        frequency=frequency,
        recency=last - first,
        T=as_of_day - 1 - first,
        monetary_value=repeat_total / np.maximum(frequency, 1),
        average_order=total / counts,
        total_spend=total,
    )


@dataclass(frozen=True)
class Histogram:
    """Distinct (frequency, recency, T) rows with the number of customers that share each."""

    frequency: IntArray
    recency: IntArray
    T: IntArray
    weight: FloatArray


def compress(
    frequency: IntArray, recency: IntArray, age_days: IntArray, weight: FloatArray | None = None
) -> Histogram:
    """Group equal (frequency, recency, T) rows and add up their weights."""
    weights = np.ones(frequency.size) if weight is None else weight
    order = np.lexsort((age_days, recency, frequency))
    x, tx, age, counts = frequency[order], recency[order], age_days[order], weights[order]
    is_first = np.ones(x.size, dtype=bool)
    is_first[1:] = (x[1:] != x[:-1]) | (tx[1:] != tx[:-1]) | (age[1:] != age[:-1])
    starts = np.flatnonzero(is_first)
    if starts.size == 0:
        return Histogram(x, tx, age, counts)
    return Histogram(x[starts], tx[starts], age[starts], np.add.reduceat(counts, starts))


def merge(left: Histogram, right: Histogram) -> Histogram:
    """Merge two histograms, as if their customers had been compressed together."""
    return compress(
        np.concatenate([left.frequency, right.frequency]),
        np.concatenate([left.recency, right.recency]),
        np.concatenate([left.T, right.T]),
        np.concatenate([left.weight, right.weight]),
    )


def occasion_gaps(occasions: PurchaseDays) -> IntArray:
    """Return the days between successive occasions of the same customer."""
    gaps = np.diff(occasions.day)
    return gaps[np.diff(occasions.customer_id) == 0]


def window_outcome(
    occasions: PurchaseDays, buyers: IntArray, *, start_day: int, end_day: int
) -> tuple[FloatArray, IntArray]:
    """Return each buyer's spend and number of occasions in ``[start_day, end_day)``.

    ``buyers`` must be ascending; customers outside it (first purchase in the window) are left out.
    """
    inside = (occasions.day >= start_day) & (occasions.day < end_day)
    customer, amounts = occasions.customer_id[inside], occasions.net_spend[inside]
    position = np.searchsorted(buyers, customer)
    known = position < buyers.size
    known[known] = buyers[position[known]] == customer[known]
    spend = np.bincount(position[known], weights=amounts[known], minlength=buyers.size)
    orders = np.bincount(position[known], minlength=buyers.size)
    return spend.astype(np.float64), orders.astype(np.int64)
