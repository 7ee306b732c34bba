"""Hold the per-customer reasons behind a score as columns, and shape them as JSON rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, JsonDict

# Stable machine codes; a service words them in the reader's language. Append only.
DAYS_SINCE_LAST_ORDER = "days_since_last_order"
OWN_USUAL_GAP = "own_usual_gap"
ORDER_COUNT = "order_count"
AVERAGE_ORDER_VALUE = "average_order_value"
RATING = "rating"
DELIVERY_DELAY = "delivery_delay"
RETURN_SHARE = "return_share"
TICKET_COUNT = "ticket_count"
NO_ANSWER_YET = "no_answer_yet"
RECENT_ORDERS = "recent_orders"

REASON_CODES: tuple[str, ...] = (
    DAYS_SINCE_LAST_ORDER,
    OWN_USUAL_GAP,
    ORDER_COUNT,
    AVERAGE_ORDER_VALUE,
    RATING,
    DELIVERY_DELAY,
    RETURN_SHARE,
    TICKET_COUNT,
    NO_ANSWER_YET,
    RECENT_ORDERS,
)
NONE = -1


@dataclass(frozen=True)
class ReasonColumns:
    """The strongest reasons of every customer, strongest first, as four (customers × k) arrays.

    Attributes
    ----------
    code : index into ``REASON_CODES``; −1 where the customer has fewer than k reasons
    value : what this customer shows (days, orders, shop currency, share, stars on 0–1)
    typical : the yardstick it is held against (own usual gap, or the shop's median customer)
    direction : +1 when it pushes the score up, −1 when it pushes it down, 0 when neither
    """

    code: CodeArray
    value: FloatArray
    typical: FloatArray
    direction: CodeArray

    def row(self, index: int) -> list[JsonDict]:
        """Return one customer's reasons as a list of JSON-able dictionaries."""
        return [
            {
                "code": REASON_CODES[self.code[index, k]],
                "value": _number(float(self.value[index, k])),
                "typical": _number(float(self.typical[index, k])),
                "direction": ("down", "flat", "up")[self.direction[index, k] + 1],
            }
            for k in range(self.code.shape[1])
            if self.code[index, k] != NONE
        ]

    def rows(self) -> Iterator[list[JsonDict]]:
        """Yield every customer's reasons in the order of the result."""
        return (self.row(index) for index in range(self.code.shape[0]))


def join(parts: Sequence[ReasonColumns]) -> ReasonColumns:
    """Put the reasons of several blocks of customers one behind the other."""
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return ReasonColumns(*(np.concatenate(column) for column in columns))


def _number(value: float) -> float | int | None:
    """Round to four significant decimals, drop a zero fraction, and turn NaN into null."""
    if not np.isfinite(value):
        return None
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def strongest(
    parts: Sequence[tuple[str, FloatArray, FloatArray, FloatArray]],
    *,
    keep: int,
    blank: BoolArray,
) -> ReasonColumns:
    """Keep each customer's ``keep`` strongest parts (code, contribution, value, typical).

    A part that contributes nothing is no reason; ties keep the order of ``parts``; rows in
    ``blank`` get none. A contribution below 1e-9 is shown with the direction "flat".
    """
    contribution = np.column_stack([part[1] for part in parts])
    value = np.column_stack([part[2] for part in parts])
    typical = np.column_stack([part[3] for part in parts])
    codes = np.array([REASON_CODES.index(part[0]) for part in parts], dtype=np.int8)
    order = np.argsort(-np.abs(contribution), axis=1, kind="stable")[:, :keep]
    ranked = np.take_along_axis(contribution, order, axis=1)
    unused = (ranked == 0.0) | ~np.isfinite(ranked) | blank[:, None]
    direction = np.where(np.abs(ranked) < 1e-9, 0.0, np.sign(ranked))
    return ReasonColumns(
        code=np.where(unused, NONE, codes[order]).astype(np.int8),
        value=np.where(unused, np.nan, np.take_along_axis(value, order, axis=1)),
        typical=np.where(unused, np.nan, np.take_along_axis(typical, order, axis=1)),
        direction=np.where(unused, 0.0, direction).astype(np.int8),
    )
