"""Spread what is known of the buyers over all customers who want an answer, nulls included."""

from typing import Any

import numpy as np

from analytics.ml import ladder, rfm
from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, IntArray
from analytics.ml.ladder import NULL_REASONS, Abstention
from analytics.ml.reasons import NONE, ReasonColumns
from analytics.ml.summary import Summary


class Spreader:
    """Place per-buyer arrays into arrays over ascending ``customer_ids``.

    Attributes
    ----------
    customer_ids : as given
    is_buyer : which of the customers have at least one purchase occasion
    is_withheld : which of them get no score, whatever they bought
    """

    def __init__(
        self, customer_ids: IntArray, summary: Summary, withheld: IntArray | None = None
    ) -> None:
        self.customer_ids = customer_ids
        self.is_withheld: BoolArray = np.isin(
            customer_ids, np.empty(0, np.int64) if withheld is None else withheld
        )
        self.size = customer_ids.size
        place = np.searchsorted(customer_ids, summary.customer_id)
        self._wanted: BoolArray = place < self.size
        self._wanted[self._wanted] = (
            customer_ids[place[self._wanted]] == summary.customer_id[self._wanted]
        )
        self._place = place[self._wanted]
        self.is_buyer: BoolArray = np.zeros(self.size, dtype=bool)
        self.is_buyer[self._place] = True

    def floats(self, values: FloatArray | IntArray | None = None) -> FloatArray:
        """Return the values with NaN for those who never bought; all NaN without values."""
        out = np.full(self.size, np.nan)
        if values is not None:
            out[self._place] = values[self._wanted]
        return out

    def integers(self, values: IntArray) -> IntArray:
        """Return the values with 0 for those who never bought."""
        out = np.zeros(self.size, dtype=np.int64)
        out[self._place] = values[self._wanted]
        return out

    def codes(self, values: CodeArray | None, missing: int) -> CodeArray:
        """Return the codes with ``missing`` for those who never bought."""
        out = np.full(self.size, missing, dtype=np.int8)
        if values is not None:
            out[self._place] = values[self._wanted]
        return out

    def reasons(self, found: ReasonColumns | None, keep: int) -> ReasonColumns:
        """Return ``keep`` reasons each, with blank rows for those who never bought or all."""
        shape = (self.size, keep)
        code, direction = np.full(shape, NONE, dtype=np.int8), np.zeros(shape, dtype=np.int8)
        value, typical = np.full(shape, np.nan), np.full(shape, np.nan)
        if found is None:
            return ReasonColumns(code, value, typical, direction)
        for out, column in (
            (code, found.code),
            (value, found.value),
            (typical, found.typical),
            (direction, found.direction),
        ):
            out[self._place] = column[self._wanted]
        return ReasonColumns(code, value, typical, direction)

    def nulls(self, score: str, abstentions: tuple[Abstention, ...]) -> CodeArray:
        """Return why each customer has no ``score``; 0 where it has one."""
        codes = [entry.code for entry in abstentions if entry.score == score]
        refused = NULL_REASONS.index(codes[0]) if codes else 0
        no_orders = NULL_REASONS.index("no_orders")
        codes_of_all = np.where(self.is_buyer, refused, no_orders)
        return self.withhold(codes_of_all).astype(np.int8)

    def withhold(self, codes: IntArray) -> IntArray:
        """Return why there is no score, with the reason of those who get none at all."""
        return np.where(self.is_withheld, NULL_REASONS.index("source_without_keys"), codes)


def rfm_columns(
    spread: Spreader, summary: Summary, cutoffs: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the RFM scores and group by the given cut-offs, null where there are none."""
    if cutoffs is None:
        scores = {name: spread.codes(None, 0) for name in ("r_score", "f_score", "m_score")}
        return scores | {"rfm_group": spread.codes(None, NONE)}
    r = rfm.assign(
        summary.days_since_last_order.astype(np.float64),
        cutoffs["days_since_last_order"],
        low_is_good=True,
    )
    f = rfm.assign(summary.order_count.astype(np.float64), cutoffs["order_count"])
    m = rfm.assign(summary.total_spend, cutoffs["total_spend"])
    return {
        "r_score": spread.codes(r, 0),
        "f_score": spread.codes(f, 0),
        "m_score": spread.codes(m, 0),
        "rfm_group": spread.codes(rfm.group_index(r, f, m), NONE),
    }


def shop_size(summary: Summary, *, as_of_day: int) -> ladder.ShopSize:
    """Return what the ladder judges a shop by."""
    if summary.T.size == 0:
        return ladder.ShopSize(0, 0, None, None)
    return ladder.ShopSize(
        buyers=int(summary.T.size),
        repeaters=int((summary.frequency > 0).sum()),
        first_day=as_of_day - 1 - int(summary.T.max()),
        last_day=as_of_day - 1 - int(summary.days_since_last_order.min()),
    )
