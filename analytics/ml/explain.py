"""Say what moved a customer's churn and value: ask the model what it would say without it.

Each reason replaces one trait by its yardstick and scores the customer again; the difference is
its contribution. So the reasons describe the published model, not a story beside it.
"""

from copy import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import logit

from analytics.ml import reasons
from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.clv import RepeatBuyingModel, SpendModel
from analytics.ml.reasons import ReasonColumns, strongest
from analytics.ml.summary import Summary

KEEP = 3
_EDGE = 1e-12


@dataclass(frozen=True)
class Usual:
    """What is usual in a shop.

    Attributes
    ----------
    shop_gap : median days between two orders of a customer, at least one
    orders, order_value : of the median customer, by number and by mean value of an order
    expected_value : median of what the model expects an order to be worth; 1 without such a model
    """

    shop_gap: float
    orders: float
    order_value: float
    expected_value: float = 1.0

    @classmethod
    def of(cls, summary: Summary, gaps: IntArray, spend: SpendModel | None) -> Self:
        """Take the measures of a shop's buyers, ``gaps`` being those between their orders."""
        expected = spend.expected_order_value(summary) if spend else np.ones(1)
        return cls(
            shop_gap=max(float(np.median(gaps)), 1.0),
            orders=float(np.median(summary.order_count)),
            order_value=float(np.median(summary.average_order)),
            expected_value=float(np.median(expected)),
        )

    def to_dict(self) -> JsonDict:
        """Return the measures as a JSON-able dictionary."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild the measures from ``to_dict``."""
        return cls(**stored)


class Yardsticks:
    """What is usual: each customer's own gap between orders, and the shop's median customer."""

    def __init__(self, summary: Summary, usual: Usual) -> None:
        repeats = summary.frequency > 0
        own = summary.recency / np.maximum(summary.frequency, 1)
        self.shop_gap, self.orders = usual.shop_gap, usual.orders
        self.order_value, self.expected_value = usual.order_value, usual.expected_value
        self.gap: FloatArray = np.where(repeats, np.maximum(own, 1.0), self.shop_gap)

    def take(self, rows: slice) -> "Yardsticks":
        """Return the yardsticks of some customers; those of the shop stay."""
        part = copy(self)
        part.gap = self.gap[rows]
        return part


def explain_churn(
    model: RepeatBuyingModel, summary: Summary, yardsticks: Yardsticks, *, horizon_days: int
) -> ReasonColumns:
    """Return the strongest reasons behind 1 − P(buy), measured on the log-odds scale."""

    def churn(changed: Summary) -> FloatArray:
        buy = model.p_buy(changed.frequency, changed.recency, changed.T, horizon_days=horizon_days)
        return np.asarray(logit(np.clip(1.0 - buy, _EDGE, 1.0 - _EDGE)))

    now = churn(summary)
    size = summary.T.size
    repeats = summary.frequency > 0
    usual_pace = now - churn(with_pace(summary, yardsticks.shop_gap))
    return strongest(
        [
            (
                reasons.DAYS_SINCE_LAST_ORDER,
                now - churn(with_last_order(summary, yardsticks.gap)),
                summary.days_since_last_order.astype(np.float64),
                yardsticks.gap,
            ),
            (
                reasons.ORDER_COUNT,
                now - churn(with_orders(summary, yardsticks.orders, yardsticks.gap)),
                summary.order_count.astype(np.float64),
                np.full(size, yardsticks.orders),
            ),
            (
                reasons.OWN_USUAL_GAP,
                np.where(repeats, usual_pace, 0.0),
                np.where(repeats, yardsticks.gap, np.nan),
                np.full(size, yardsticks.shop_gap),
            ),
        ],
        keep=KEEP,
        blank=np.zeros(size, dtype=bool),
    )


def explain_value(
    model: RepeatBuyingModel,
    spend: SpendModel,
    summary: Summary,
    yardsticks: Yardsticks,
    *,
    horizon_days: int,
) -> ReasonColumns:
    """Return the strongest reasons behind the expected spend, measured on the log scale."""

    def orders(changed: Summary) -> FloatArray:
        expected = model.expected_orders(
            changed.frequency, changed.recency, changed.T, horizon_days=horizon_days
        )
        return np.log(np.maximum(expected, _EDGE))

    now = orders(summary)
    size = summary.T.size
    value = spend.expected_order_value(summary)
    return strongest(
        [
            (
                reasons.AVERAGE_ORDER_VALUE,
                np.log(value / yardsticks.expected_value),
                summary.average_order,
                np.full(size, yardsticks.order_value),
            ),
            (
                reasons.ORDER_COUNT,
                now - orders(with_orders(summary, yardsticks.orders, yardsticks.gap)),
                summary.order_count.astype(np.float64),
                np.full(size, yardsticks.orders),
            ),
            (
                reasons.DAYS_SINCE_LAST_ORDER,
                now - orders(with_last_order(summary, yardsticks.gap)),
                summary.days_since_last_order.astype(np.float64),
                yardsticks.gap,
            ),
        ],
        keep=KEEP,
        blank=np.zeros(size, dtype=bool),
    )


def with_last_order(summary: Summary, days_ago: FloatArray) -> Summary:
    """Return the same history, seen ``days_ago`` days after its last order."""
    return replace(summary, T=summary.recency + np.rint(days_ago).astype(np.int64))


def with_orders(summary: Summary, order_count: float, gap: FloatArray) -> Summary:
    """Return histories with the given number of orders at the same pace, the last where it was."""
    frequency = max(round(order_count) - 1, 0)
    recency = np.rint(gap * frequency).astype(np.int64)
    return replace(
        summary,
        frequency=np.full(summary.T.size, frequency, dtype=np.int64),
        recency=recency,
        T=recency + summary.days_since_last_order,
    )


def with_pace(summary: Summary, gap: float) -> Summary:
    """Return the same first and last order, with the orders between them ``gap`` days apart."""
    frequency = np.maximum(np.rint(summary.recency / gap).astype(np.int64), 1)
    return replace(summary, frequency=np.where(summary.frequency > 0, frequency, 0))
