"""Predict orders, spend and churn of some buyers with what was fitted on all of them.

A forecaster is plain numbers: it is stored as JSON between the fit and the scoring, and whoever
holds it scores any part of the customers, each by itself.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.backtest import Backtest
from analytics.ml.blend import Learned
from analytics.ml.churn import ChurnCalibration
from analytics.ml.clv import RepeatBuyingModel, SpendModel
from analytics.ml.customer_value import CustomerValueModel, finite
from analytics.ml.explain import Usual, Yardsticks, explain_churn, explain_value
from analytics.ml.explain_blend import BlendedScores
from analytics.ml.features import blocks, recent_activity
from analytics.ml.intervals import ProbabilityBand, SpendIntervals
from analytics.ml.next_order import expect_window
from analytics.ml.order_counts import OrderIntervals
from analytics.ml.reasons import ReasonColumns, join
from analytics.ml.summary import PurchaseDays, Summary
from analytics.ml.trials import REPEAT_BUYING

FORECASTS = (
    "expected_orders",
    "orders_low",
    "orders_high",
    "next_order_from",
    "next_order_until",
    "predicted_clv",
    "clv_low",
    "clv_high",
    "clv_12m",
    "p_alive",
    "churn_probability",
    "churn_low",
    "churn_high",
)


@dataclass(frozen=True)
class Outlook:
    """What the models say of each buyer; empty where the run abstains.

    ``values`` holds arrays over the buyers by the names in ``FORECASTS``; a name that is missing
    is null for all.
    """

    values: dict[str, FloatArray]
    churn_reasons: ReasonColumns | None = None
    clv_reasons: ReasonColumns | None = None


@dataclass(frozen=True)
class Forecaster:
    """Everything that predictions are made with.

    Attributes
    ----------
    as_of_day : exclusive end of what is seen, in days since 1970-01-01
    usual : what is usual in the shop, which reasons are held against
    season : multiplies the spend that repeat buying alone foretells; None where it knows none
    spend, intervals : None where there is no value
    blend : None where repeat buying speaks alone
    """

    as_of_day: int
    horizon_days: int
    discount_rate: float
    season: float | None
    usual: Usual
    buying: RepeatBuyingModel
    spend: SpendModel | None
    intervals: SpendIntervals | None
    calibration: ChurnCalibration | None
    churn_band: ProbabilityBand
    order_intervals: OrderIntervals
    blend: Learned | None

    @classmethod
    def of(
        cls,
        found: Backtest,
        *,
        as_of_day: int,
        horizon_days: int,
        discount_rate: float,
        usual: Usual,
    ) -> Self:
        """Take from a backtest what predictions are made with."""
        speaks = found.learned is not None and found.learned.speaks
        return cls(
            as_of_day=as_of_day,
            horizon_days=horizon_days,
            discount_rate=discount_rate,
            season=found.season,
            usual=usual,
            buying=found.buying,
            spend=found.spend,
            intervals=found.intervals,
            calibration=found.calibration,
            churn_band=found.churn_band,
            order_intervals=found.order_intervals,
            blend=found.learned if speaks else None,
        )

    def predict(self, summary: Summary, occasions: PurchaseDays) -> Outlook:
        """Predict for the buyers of ``summary``, whose sorted occasions are given beside it.

        Raises DegenerateFitError when a single prediction is not a finite number.
        """
        yardsticks = Yardsticks(summary, self.usual)
        outlook = self._from_repeat_buying(summary, yardsticks)
        if self.blend is not None and summary.T.size:
            recent = recent_activity(
                occasions, as_of_day=self.as_of_day, horizon_days=self.horizon_days
            )
            parts = [
                BlendedScores(
                    self.blend, summary.take(rows), recent.take(rows), yardsticks.take(rows)
                )
                for rows in blocks(summary.T.size)
            ]
            outlook = self._from_blend(outlook, self.blend, parts, summary)
        return self._dated(outlook, summary)

    def _from_repeat_buying(self, summary: Summary, yardsticks: Yardsticks) -> Outlook:
        """Return the predictions of repeat buying with their bands and reasons."""
        buying, horizon = self.buying, self.horizon_days
        history = (summary.frequency, summary.recency, summary.T)
        churn = finite(1.0 - buying.p_buy(*history, horizon_days=horizon))
        if self.calibration is not None:
            churn = self.calibration.predict(churn)
        orders = finite(buying.expected_orders(*history, horizon_days=horizon))
        values = {"expected_orders": orders, "churn_probability": churn}
        low, high = self.churn_band.predict(churn, summary.order_count)
        values["churn_low"], values["churn_high"] = low, high
        values["orders_low"], values["orders_high"] = self.order_intervals.predict(orders)
        if buying.sees_leaving:  # else "alive" says nothing, or only what the prior does
            values["p_alive"] = finite(buying.p_alive(*history))
        reasons = explain_churn(buying, summary, yardsticks, horizon_days=horizon)
        if self.spend is None or self.intervals is None:
            return Outlook(values, reasons)
        value = CustomerValueModel.join(buying, self.spend)
        spend = (self.season or 1.0) * value.expected_spend(summary, horizon_days=horizon)
        values["predicted_clv"] = spend
        values["clv_low"], values["clv_high"] = self.intervals.predict(spend)
        values["clv_12m"] = value.discounted_year(summary, discount_rate=self.discount_rate)
        worth = explain_value(buying, self.spend, summary, yardsticks, horizon_days=horizon)
        return Outlook(values, reasons, worth)

    def _from_blend(
        self, outlook: Outlook, blend: Learned, parts: list[BlendedScores], summary: Summary
    ) -> Outlook:
        """Return the predictions in which the blend, where it has earned it, speaks for a score."""
        values = dict(outlook.values)
        churn_reasons, clv_reasons = outlook.churn_reasons, outlook.clv_reasons
        if blend.churn_rung != REPEAT_BUYING:
            churn = finite(np.concatenate([part.lapse for part in parts]))
            if blend.calibration is not None:
                churn = blend.calibration.predict(churn)
            values["churn_probability"] = churn
            low, high = self.churn_band.predict(churn, summary.order_count)
            values["churn_low"], values["churn_high"] = low, high
            churn_reasons = join([part.churn_reasons for part in parts])
        if blend.spend_rung != REPEAT_BUYING and self.intervals is not None:
            spend = finite(np.concatenate([part.spend for part in parts]))
            # Within the horizon the blend, beyond it repeat buying, which alone can look so far. A
            # whole year holds every season, so that of the horizon is taken out.
            discount = (1.0 + self.discount_rate) ** (self.horizon_days / 365.0)
            usual = spend / (blend.blend.season or 1.0)
            gained = (usual - values["predicted_clv"] / (self.season or 1.0)) / discount
            values["clv_12m"] = np.maximum(values["clv_12m"] + gained, 0.0)
            values["predicted_clv"] = spend
            values["clv_low"], values["clv_high"] = self.intervals.predict(spend)
            clv_reasons = join([part.value_reasons for part in parts])
        return Outlook(values, churn_reasons, clv_reasons)

    def _dated(self, outlook: Outlook, summary: Summary) -> Outlook:
        """Return the predictions with the days of the next order, as the published churn allows."""
        window = expect_window(self.buying, summary, outlook.values["churn_probability"])
        days = {
            "next_order_from": self.as_of_day + window.first,
            "next_order_until": self.as_of_day + window.last,
        }
        return replace(outlook, values=outlook.values | days)

    def to_dict(self) -> JsonDict:
        """Return the forecaster as a JSON-able dictionary."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        models = {name: getattr(self, name) for name in _MODELS}
        return plain | {name: model and model.to_dict() for name, model in models.items()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a forecaster from ``to_dict``."""
        plain = {name: stored[name] for name in _PLAIN}
        models = {
            name: stored[name] and kind.from_dict(stored[name]) for name, kind in _MODELS.items()
        }
        return cls(**plain, **models)


_PLAIN = ("as_of_day", "horizon_days", "discount_rate", "season")
_MODELS: dict[str, Any] = {
    "usual": Usual,
    "buying": RepeatBuyingModel,
    "spend": SpendModel,
    "intervals": SpendIntervals,
    "calibration": ChurnCalibration,
    "churn_band": ProbabilityBand,
    "order_intervals": OrderIntervals,
    "blend": Learned,
}
