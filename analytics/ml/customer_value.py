"""Join repeat buying and order value into the spend of a coming period."""

from typing import Self

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.clv import ALL_ORDERS, MBG_NBD, NEWTON, RepeatBuyingModel, SpendModel
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Summary, compress


class CustomerValueModel:
    """Predict each customer's spend from repeat buying and order value.

    Parameters
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"`` or ``"nbd"``
    orders : which order values Gamma–Gamma learns from, ``"all"`` or ``"repeat"``
    winsorise_quantile : see ``SpendModel``
    engine : who maximises the likelihoods, ``"newton"`` or ``"lifetimes"``
    random_state : accepted for the common contract; the fit is deterministic

    Attributes
    ----------
    buying_ : RepeatBuyingModel
    spend_ : SpendModel
    """

    def __init__(
        self,
        model: str = MBG_NBD,
        *,
        orders: str = ALL_ORDERS,
        winsorise_quantile: float | None = 0.999,
        engine: str = NEWTON,
        random_state: int | None = None,
    ) -> None:
        self.model = model
        self.orders = orders
        self.winsorise_quantile = winsorise_quantile
        self.engine = engine
        self.random_state = random_state

    buying_: RepeatBuyingModel
    spend_: SpendModel

    def fit(self, summary: Summary, *, start: "CustomerValueModel | None" = None) -> Self:
        """Fit both parts on one row per buyer; raises DegenerateFitError."""
        self.buying_ = RepeatBuyingModel(
            self.model, engine=self.engine, random_state=self.random_state
        ).fit(
            compress(summary.frequency, summary.recency, summary.T),
            start=None if start is None else start.buying_,
        )
        self.spend_ = SpendModel(
            self.orders,
            winsorise_quantile=self.winsorise_quantile,
            engine=self.engine,
            random_state=self.random_state,
        ).fit(summary)
        return self

    @classmethod
    def join(cls, buying: RepeatBuyingModel, spend: SpendModel) -> Self:
        """Join two fitted parts."""
        model = cls(
            buying.model,
            orders=spend.orders,
            winsorise_quantile=spend.winsorise_quantile,
            engine=buying.engine,
        )
        model.buying_, model.spend_ = buying, spend
        return model

    def expected_orders(self, summary: Summary, *, horizon_days: float) -> FloatArray:
        """Return the expected purchase days in the next ``horizon_days``."""
        return finite(
            self.buying_.expected_orders(
                summary.frequency, summary.recency, summary.T, horizon_days=horizon_days
            )
        )

    def p_alive(self, summary: Summary) -> FloatArray:
        """Return the latent P(not yet left); never a measure of churn."""
        return finite(self.buying_.p_alive(summary.frequency, summary.recency, summary.T))

    def p_buy(self, summary: Summary, *, horizon_days: float) -> FloatArray:
        """Return P(at least one purchase in the next ``horizon_days``)."""
        return finite(
            self.buying_.p_buy(
                summary.frequency, summary.recency, summary.T, horizon_days=horizon_days
            )
        )

    def expected_spend(self, summary: Summary, *, horizon_days: float) -> FloatArray:
        """Return the expected spend in the next ``horizon_days``, undiscounted."""
        orders = self.expected_orders(summary, horizon_days=horizon_days)
        return finite(orders * self.spend_.expected_order_value(summary))

    def discounted_year(self, summary: Summary, *, discount_rate: float) -> FloatArray:
        """Return the spend of the next 365 days, each month's discounted at its end."""
        orders = self.buying_.discounted_orders(
            summary.frequency, summary.recency, summary.T, discount_rate=discount_rate
        )
        return finite(orders * self.spend_.expected_order_value(summary))

    def to_dict(self) -> JsonDict:
        """Return hyper-parameters and learned state as a JSON-able dictionary."""
        return {"buying": self.buying_.to_dict(), "spend": self.spend_.to_dict()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted model from ``to_dict``."""
        return cls.join(
            RepeatBuyingModel.from_dict(stored["buying"]), SpendModel.from_dict(stored["spend"])
        )


def finite(values: FloatArray) -> FloatArray:
    """Return the values, or raise when one of them is not a finite number."""
    if not np.isfinite(values).all():
        raise DegenerateFitError("a score is not finite")
    return values
