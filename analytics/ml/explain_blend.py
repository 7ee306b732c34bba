"""Say what moved a blended score: ask the whole blend what it would say without a trait.

A trait is several features at once: when the last order came a week ago instead of a year, the days
since then change, but so does what the model of repeat buying says. So the customer as a whole is
changed, described again and scored again. For the linear part the difference is exact.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analytics.ml import reasons
from analytics.ml.arrays import FloatArray
from analytics.ml.blend import Learned
from analytics.ml.explain import KEEP, Yardsticks, with_last_order, with_orders, with_pace
from analytics.ml.features import WINDOWS, Recent, describe, forecasts, log_odds
from analytics.ml.reasons import ReasonColumns, strongest
from analytics.ml.summary import Summary

SHOWN_WINDOW = 90
_SHOWN = WINDOWS.index(SHOWN_WINDOW)

Part = tuple[str, FloatArray, FloatArray, FloatArray]
Without = tuple[str, FloatArray, FloatArray, Summary, Recent]


class BlendedScores:
    """Score buyers with a blend, as they are and as they would be.

    Attributes
    ----------
    lapse, spend : the published P(no order) before calibration, and the expected spend
    churn_reasons, value_reasons : the strongest reasons of each buyer
    """

    def __init__(
        self, learned: Learned, summary: Summary, recent: Recent, yardsticks: Yardsticks
    ) -> None:
        self._learned = learned
        self._summary, self._recent, self._yardsticks = summary, recent, yardsticks
        self.lapse, self.spend = self._scores(summary, recent)
        changed = self._changed()
        self.churn_reasons = self._strongest(changed, lambda lapse, _spend: log_odds(lapse))
        self.value_reasons = self._strongest(
            changed, lambda _lapse, spend: np.log(np.maximum(spend, 1e-12))
        )

    def _scores(self, summary: Summary, recent: Recent) -> tuple[FloatArray, FloatArray]:
        blend = self._learned.blend
        features = describe(summary, recent, blend.base)
        buy, orders, worth = forecasts(summary, blend.base)
        return (
            blend.lapse(self._learned.churn_rung, features, buy),
            blend.spend(self._learned.spend_rung, features, orders * worth),
        )

    def _changed(self) -> list[tuple[str, FloatArray, FloatArray, FloatArray, FloatArray]]:
        """Return, for each trait, its code, value and yardstick, and the scores without it."""
        out = []
        for code, value, typical, summary, recent in self._without():
            out.append((code, value, typical, *self._scores(summary, recent)))
        return out

    def _strongest(
        self,
        changed: list[tuple[str, FloatArray, FloatArray, FloatArray, FloatArray]],
        scale: Callable[[FloatArray, FloatArray], FloatArray],
    ) -> ReasonColumns:
        now = scale(self.lapse, self.spend)
        parts: list[Part] = [
            (code, now - scale(lapse, spend), value, typical)
            for code, value, typical, lapse, spend in changed
        ]
        return strongest(parts, keep=KEEP, blank=np.zeros(now.size, dtype=bool))

    def _without(self) -> list[Without]:
        """Return each trait with the buyers as they would be at its yardstick."""
        return [
            self._seen_sooner(),
            self._with_usual_orders(),
            self._at_usual_pace(),
            self._lately_at_own_pace(),
            self._at_usual_value(),
        ]

    def _seen_sooner(self) -> Without:
        summary, usual = self._summary, self._yardsticks
        return (
            reasons.DAYS_SINCE_LAST_ORDER,
            summary.days_since_last_order.astype(np.float64),
            usual.gap,
            with_last_order(summary, usual.gap),
            self._recent,
        )

    def _with_usual_orders(self) -> Without:
        summary, recent, usual = self._summary, self._recent, self._yardsticks
        orders = with_orders(summary, usual.orders, usual.gap)
        last_gap = np.where(summary.frequency > 0, recent.last_gap, usual.shop_gap)
        return (
            reasons.ORDER_COUNT,
            summary.order_count.astype(np.float64),
            np.full(summary.T.size, usual.orders),
            replace(orders, total_spend=summary.average_order * orders.order_count),
            replace(recent, last_gap=last_gap),
        )

    def _at_usual_pace(self) -> Without:
        summary, usual = self._summary, self._yardsticks
        returned = summary.frequency > 0
        return (
            reasons.OWN_USUAL_GAP,
            np.where(returned, usual.gap, np.nan),
            np.full(summary.T.size, usual.shop_gap),
            with_pace(summary, usual.shop_gap),
            replace(self._recent, last_gap=np.where(returned, usual.shop_gap, np.nan)),
        )

    def _lately_at_own_pace(self) -> Without:
        summary, recent = self._summary, self._recent
        days, orders = np.array(WINDOWS)[None, :], summary.order_count[:, None]
        pace = np.minimum(days / self._yardsticks.gap[:, None], orders)
        return (
            reasons.RECENT_ORDERS,
            recent.orders[:, _SHOWN],
            pace[:, _SHOWN],
            summary,
            replace(recent, orders=pace, spend=pace * summary.average_order[:, None]),
        )

    def _at_usual_value(self) -> Without:
        summary, recent = self._summary, self._recent
        money = np.full(summary.T.size, self._yardsticks.order_value)
        return (
            reasons.AVERAGE_ORDER_VALUE,
            summary.average_order,
            money,
            replace(
                summary,
                average_order=money,
                monetary_value=np.where(summary.frequency > 0, money, 0.0),
                total_spend=money * summary.order_count,
            ),
            replace(
                recent,
                last_value=money,
                spend=recent.orders * money[:, None],
                year_ago_spend=recent.year_ago_orders * money,
            ),
        )
