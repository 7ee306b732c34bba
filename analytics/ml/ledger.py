"""Keep what was bought apart from what came back, each with the day on which it became known.

A refund takes back the day of its order, but only from its own day on is it known: whoever looks at
the shop as of a past day must not see what came back later.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.summary import SMALLEST_SPEND, PurchaseDays


@dataclass(frozen=True)
class Refunds:
    """One row per customer, day of the order and day of the refund; days since 1970-01-01.

    Attributes
    ----------
    customer_id : int64
    order_day : the purchase day that is taken back
    known_day : the day of the refund or cancellation
    amount : what came back, in shop currency
    """

    customer_id: IntArray
    order_day: IntArray
    known_day: IntArray
    amount: FloatArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        nobody = np.empty(0, np.int64)
        return cls(nobody, nobody, nobody, np.empty(0))


class PurchaseLedger:
    """Purchases and refunds, from which the occasions known before any day are read.

    Sorting is done once; each look back costs one pass over the rows.

    Parameters
    ----------
    purchases : each day's spend, before the refunds
    refunds : a refund of a day without a purchase takes back nothing
    """

    def __init__(self, purchases: PurchaseDays, refunds: Refunds | None = None) -> None:
        self._gross = purchases.summed()
        given = Refunds.empty() if refunds is None else refunds
        if not np.isfinite(given.amount).all():
            raise ValueError("refunded amounts must be finite")
        place, found = self._places(given.customer_id, given.order_day)
        known, amount = given.known_day[found], given.amount[found]
        # A fixed order of summing: that of the rows given must not move the last bit.
        order = np.lexsort((amount, known, place))
        self._place, self._known, self._amount = place[order], known[order], amount[order]

    def occasions(self, *, known_before: int) -> PurchaseDays:
        """Return the occasions as they stood at the start of a day: sorted, unique, positive.

        Neither purchases nor refunds of that day or later are seen.
        """
        seen = self._known < known_before
        back = np.bincount(self._place[seen], self._amount[seen], self._gross.day.size)
        net = self._gross.net_spend - back
        keep = (self._gross.day < known_before) & (net > SMALLEST_SPEND)
        return PurchaseDays(self._gross.customer_id, self._gross.day, net).where(keep)

    @property
    def gross(self) -> PurchaseDays:
        """Purchase days as they were made, whatever came back of them; sorted and unique."""
        return self._gross

    def without(self, customer_ids: IntArray) -> "PurchaseLedger":
        """Return the ledger of everybody else."""
        kept = ~np.isin(self._gross.customer_id, customer_ids)
        rows = kept[self._place]
        place = self._place[rows]
        return PurchaseLedger(
            self._gross.where(kept),
            Refunds(
                self._gross.customer_id[place],
                self._gross.day[place],
                self._known[rows],
                self._amount[rows],
            ),
        )

    def _places(self, customer_id: IntArray, day: IntArray) -> tuple[IntArray, IntArray]:
        """Return where the purchase days of some rows stand, and which rows have one."""
        gross = self._gross
        if gross.day.size == 0 or day.size == 0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        buyers, ranks = np.unique(gross.customer_id, return_inverse=True)
        first, span = int(gross.day.min()), int(np.ptp(gross.day)) + 1
        rank = np.minimum(np.searchsorted(buyers, customer_id), buyers.size - 1)
        possible = (buyers[rank] == customer_id) & (day >= first) & (day < first + span)
        keys, wanted = ranks * span + gross.day - first, rank * span + day - first
        place = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
        found = np.flatnonzero(possible & (keys[place] == wanted))
        return place[found].astype(np.int64), found.astype(np.int64)
