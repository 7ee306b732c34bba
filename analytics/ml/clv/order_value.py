"""Predict the value of an order with Gamma–Gamma, or by credibility on the rung below.

References
----------
.. [3] Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base
   Analysis", J. of Marketing Research 42 (4), 415–430; Fader & Hardie (2013), "The Gamma-Gamma
   Model of Monetary Value", note 25.
.. [5] Bühlmann (1967), "Experience Rating and Credibility", ASTIN Bulletin 4 (3), 199–207.
"""

from typing import Self

import numpy as np

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.clv import newton
from analytics.ml.clv.likelihoods import SpendLikelihood
from analytics.ml.clv.names import (
    ALL_ORDERS,
    CREDIBILITY,
    GAMMA_GAMMA,
    LIFETIMES,
    MAX_PARAMETER,
    NEWTON,
    REPEAT_ORDERS,
    refuse_extremes,
    refuse_flat,
)
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Summary

USUAL_SPEND = (5.0, 4.0, 0.6)
"""Where the search for p, q and v begins, in units of the mean order value."""
_PARAMETERS = {GAMMA_GAMMA: ("p", "q", "v"), CREDIBILITY: ("k", "mean")}


class SpendModel:
    """Model the mean order value by Gamma–Gamma [3]_, or by credibility on the rung below.

    Gamma–Gamma breaks down where customers do not differ (q → ∞) or differ without measure
    (q ≤ 1). The credibility estimate [5]_ needs two variances only and always exists: a customer's
    own mean counts n / (n + k), k the variance within over the variance between customers.

    Parameters
    ----------
    model : ``"gamma_gamma"`` or ``"credibility"``
    orders : ``"all"`` takes every occasion; ``"repeat"`` leaves the first one out, as published
    winsorise_quantile : order values above this quantile are cut *for the fit*, never for the score
    engine : ``"newton"``, or ``"lifetimes"`` for the reference package
    random_state : accepted for the common contract; the fit is deterministic

    Attributes
    ----------
    p_, q_, v_ : float
        Learned parameters of Gamma–Gamma; ``v_`` in units of ``scale_``.
    k_, mean_ : float
        Learned parameters of credibility; ``mean_`` in units of ``scale_``.
    scale_ : float
        Mean order value of the customers fitted on; makes the fit blind to the currency.
    """

    def __init__(
        self,
        orders: str = ALL_ORDERS,
        *,
        model: str = GAMMA_GAMMA,
        winsorise_quantile: float | None = 0.999,
        engine: str = NEWTON,
        random_state: int | None = None,
    ) -> None:
        self.model = model
        self.orders = orders
        self.winsorise_quantile = winsorise_quantile
        self.engine = engine
        self.random_state = random_state

    p_: float
    q_: float
    v_: float
    k_: float
    mean_: float
    scale_: float
    log_likelihood_: float

    def fit(self, summary: Summary, *, start: "SpendModel | None" = None) -> Self:
        """Fit on one row per buyer, warm-started where ``start`` is given.

        Raises DegenerateFitError where the mean does not exist.
        """
        count, mean = self._inputs(summary)
        count, mean = count[count > 0], mean[count > 0]
        if count.size == 0:
            raise DegenerateFitError(f"{self.model}: no order values")
        self.scale_ = float(mean.mean())
        mean = mean / self.scale_
        if self.winsorise_quantile is not None:
            cap = np.quantile(mean, self.winsorise_quantile, method="inverted_cdf")
            mean = np.minimum(mean, cap)
        if self.model == CREDIBILITY:
            return self._fit_credibility(count.astype(np.float64), mean)
        if self.engine == LIFETIMES:
            # Here, because it brings pandas along: 80 MB that a worker does not need.
            from analytics.ml.clv import reference

            found = reference.fit_spend(count, mean)
        else:
            initial = USUAL_SPEND if start is None else (start.p_, start.q_, start.v_)
            found = newton.minimise(self.model, SpendLikelihood(count, mean), initial)
        self.p_, self.q_, self.v_ = found.parameters
        self.log_likelihood_ = -count.size * (found.loss + float(np.log(self.scale_)))
        refuse_extremes(self.model, {"p": self.p_, "q": self.q_, "v": self.v_})
        if self.q_ <= 1.0:
            raise DegenerateFitError(f"{self.model}: q = {self.q_:.4g} leaves no finite mean")
        refuse_flat(self.model, found.hessian)
        return self

    def _fit_credibility(self, count: FloatArray, mean: FloatArray) -> Self:
        """Split the spread of the means by E[(mean − m)²] = between + within / n."""
        squared = (mean - mean.mean()) ** 2
        share = 1.0 / count
        spread = float(np.var(share))
        within = float(np.cov(share, squared, bias=True)[0, 1]) / spread if spread > 0 else 0.0
        within = max(within, 0.0)
        between = max(float(squared.mean()) - within * float(share.mean()), 0.0)
        # All bought equally often: nothing tells luck from taste, so give each half.
        self.k_ = within / between if between > 0 and spread > 0 else MAX_PARAMETER
        self.k_ = 1.0 if spread == 0 else min(self.k_, MAX_PARAMETER)
        own = count / (count + self.k_)
        self.mean_ = float((own * mean).sum() / own.sum())
        return self

    @property
    def population_mean_(self) -> float:
        """Return the mean order value of a customer about whom nothing is known."""
        if self.model == CREDIBILITY:
            return self.scale_ * self.mean_
        return self.scale_ * self.p_ * self.v_ / (self.q_ - 1.0)

    def expected_order_value(self, summary: Summary) -> FloatArray:
        """Return each customer's expected order value: its own mean, shrunk to the population's."""
        count, mean = self._inputs(summary)
        if self.model == CREDIBILITY:
            own = count / (count + self.k_)
        else:
            own = self.p_ * count / (self.p_ * count + self.q_ - 1.0)
        return np.asarray((1.0 - own) * self.population_mean_ + own * mean)

    def _inputs(self, summary: Summary) -> tuple[IntArray, FloatArray]:
        """Return the number of order values behind each mean, and the mean."""
        if self.orders == REPEAT_ORDERS:
            return summary.frequency, summary.monetary_value
        return summary.order_count, summary.average_order

    def to_dict(self) -> JsonDict:
        """Return hyper-parameters and learned state as a JSON-able dictionary."""
        names = _PARAMETERS[self.model]
        return {
            "model": self.model,
            "engine": self.engine,
            "orders": self.orders,
            "winsorise_quantile": self.winsorise_quantile,
            "parameters": {name: getattr(self, f"{name}_") for name in names},
            "scale": self.scale_,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted model from ``to_dict``."""
        model = cls(
            stored["orders"],
            model=stored["model"],
            winsorise_quantile=stored["winsorise_quantile"],
            engine=stored.get("engine", LIFETIMES),
        )
        for name in _PARAMETERS[model.model]:
            setattr(model, f"{name}_", stored["parameters"][name])
        model.scale_ = stored["scale"]
        return model
