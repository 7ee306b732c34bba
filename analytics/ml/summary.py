"""Turn purchase days into the sufficient statistics of the repeat-buying models."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray

SMALLEST_SPEND = 5e-6
"""Netting in binary floats leaves dust: half a thousandth of a cent is not a purchase."""
BLOCK = 250_000
LARGEST_KEY = 2**62
"""Several small whole numbers are packed into one up to this size, to sort them at once."""


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
        if keep.all():
            return self
        return PurchaseDays(self.customer_id[keep], self.day[keep], self.net_spend[keep])

    def summed(self) -> "PurchaseDays":
        """Return one row per customer and day, sorted.

        Amounts of a day are summed smallest first, so that the order of the rows cannot move the
        last bit. Sorting one packed key is five times as fast as sorting by three columns.
        """
        if not np.isfinite(self.net_spend).all():
            raise ValueError("net_spend must be finite")
        if self.day.size == 0:
            return PurchaseDays.empty()
        first, day = int(self.customer_id.min()), int(self.day.min())
        people, span = int(self.customer_id.max()) - first + 1, int(self.day.max()) - day + 1
        bits = self.day.size.bit_length()
        if people > (LARGEST_KEY >> bits) // span:
            return self._summed_by_columns()
        keys = self.customer_id - first
        keys *= span
        keys += self.day
        keys -= day
        spend = self.net_spend
        if (keys[1:] < keys[:-1]).any():
            # The row's number goes along in the low bits: sorting whole numbers needs no index.
            keys <<= bits
            keys |= np.arange(keys.size)
            keys.sort()
            spend = spend[keys & ((1 << bits) - 1)]
            keys >>= bits
        is_first = _begins(keys)
        if spend is self.net_spend and is_first.all():
            return self
        if not is_first.all():
            spend = _add_up(keys, spend, is_first)
            keys = keys[is_first]
        day_of = keys % span
        day_of += day
        keys //= span
        keys += first
        return PurchaseDays(keys, day_of, spend)

    def _summed_by_columns(self) -> "PurchaseDays":
        """Do the same where customer and day do not fit into one whole number: slower."""
        order = np.lexsort((self.net_spend, self.day, self.customer_id))
        customer, day, spend = self.customer_id[order], self.day[order], self.net_spend[order]
        starts = np.flatnonzero(_begins(customer) | _begins(day))
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

    def take(self, keep: BoolArray | IntArray | slice) -> "Summary":
        """Return the rows that ``keep`` chooses."""
        return Summary(**{name: column[keep] for name, column in vars(self).items()})


def summarise(occasions: PurchaseDays, *, as_of_day: int) -> Summary:
    """Summarise sorted, unique occasions before ``as_of_day`` into one row per buyer.

    The last observed day is ``as_of_day − 1``, from which ``T`` counts.
    """
    seen = occasions.before(as_of_day)
    starts = np.flatnonzero(_begins(seen.customer_id))
    customer, counts = seen.customer_id[starts], np.diff(starts, append=seen.customer_id.size)
    if customer.size == 0:
        nothing, no_money = np.empty(0, np.int64), np.empty(0)
        return Summary(nothing, nothing, nothing, nothing, no_money, no_money, no_money)
    first, last = seen.day[starts], seen.day[starts + counts - 1]
    frequency = counts.astype(np.int64) - 1
    # One pass sums each first occasion and, apart from it, the repeats: total − first would leave
    # rounding dust where it must be exact.
    returned = frequency > 0
    parts = returned.astype(np.int64) + 1
    firsts = np.cumsum(parts) - parts
    bounds = np.empty(int(parts.sum()), dtype=np.int64)
    bounds[firsts] = starts
    bounds[firsts[returned] + 1] = starts[returned] + 1
    sums = np.add.reduceat(seen.net_spend, bounds)
    repeat_total = np.zeros(customer.size)
    repeat_total[returned] = sums[firsts[returned] + 1]
    total = sums[firsts] + repeat_total
    return Summary(
        customer_id=customer,
        frequency=frequency,
        recency=last - first,
        T=as_of_day - 1 - first,
        monetary_value=repeat_total / np.maximum(frequency, 1),
        average_order=total / counts,
        total_spend=total,
    )


def summarise_purchases(purchases: PurchaseDays, *, as_of_day: int) -> Summary:
    """Summarise rows as they come into one row per buyer, as of the exclusive end of the data.

    Where they stand by customer, as a database hands them out, whole customers are taken in blocks
    and the summaries put one behind the other: the work then stays in memory used before.
    """
    ids = purchases.customer_id
    if ids.size <= BLOCK or (ids[1:] < ids[:-1]).any():
        return summarise(purchases.occasions(), as_of_day=as_of_day)
    blocks, begin = [], 0
    while begin < ids.size:
        end = min(begin + BLOCK, ids.size)
        end = int(np.searchsorted(ids, ids[end - 1], side="right"))
        block = PurchaseDays(*(column[begin:end] for column in vars(purchases).values()))
        blocks.append(vars(summarise(block.occasions(), as_of_day=as_of_day)))
        begin = end
    return Summary(**{name: np.concatenate([one[name] for one in blocks]) for name in blocks[0]})


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
    if frequency.size == 0:
        return Histogram(frequency, recency, age_days, np.empty(0))
    span = int(max(recency.max(), age_days.max())) + 1
    if int(frequency.max()) + 1 > LARGEST_KEY // span // span:
        raise ValueError("frequency or age is beyond any shop's")
    keys = (frequency * span + recency) * span + age_days
    if weight is None:
        held = np.sort(keys)
        starts = np.flatnonzero(_begins(held))
        weights = np.diff(starts, append=held.size).astype(np.float64)
    else:
        order = np.lexsort((weight, keys))
        held = keys[order]
        starts = np.flatnonzero(_begins(held))
        weights = np.add.reduceat(weight[order], starts)
    rows = held[starts]
    return Histogram(rows // span // span, rows // span % span, rows % span, weights)


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


def _begins(sorted_values: IntArray) -> BoolArray:
    """Return where a sorted column takes a new value."""
    out: BoolArray = np.ones(sorted_values.size, dtype=bool)
    np.not_equal(sorted_values[1:], sorted_values[:-1], out=out[1:])
    return out


def _add_up(keys: IntArray, amounts: FloatArray, is_first: BoolArray) -> FloatArray:
    """Return the sum of each run of equal sorted keys, added smallest first.

    Few rows share a key, so only those are looked at.
    """
    shared = ~is_first
    shared[:-1] |= shared[1:]
    rows = np.flatnonzero(shared)
    order = rows[np.lexsort((amounts[rows], keys[rows]))]
    starts = np.flatnonzero(_begins(keys[rows]))
    out = amounts[is_first]
    out[shared[is_first]] = np.add.reduceat(amounts[order], starts)
    return out
