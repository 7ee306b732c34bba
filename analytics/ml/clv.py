"""Predict repeat orders and spend with BG/NBD or MBG/NBD and Gamma–Gamma.

References
----------
.. [1] Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the
   Pareto/NBD Model", Marketing Science 24 (2), 275–284.
.. [2] Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for
   customer base analysis", Int. J. of Research in Marketing 24 (3), 201–209; erratum by Wagner &
   Hoppe (2008), ibid. 25 (3), 225–226.
.. [3] Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base
   Analysis", J. of Marketing Research 42 (4), 415–430; Fader & Hardie (2013), "The Gamma-Gamma
   Model of Monetary Value", note 25.
.. [4] Ehrenberg (1959), "The Pattern of Consumer Purchases", Applied Statistics 8 (1), 26–41;
   conditional expectation (r + x) / (α + T) · t.
.. [5] Bühlmann (1967), "Experience Rating and Credibility", ASTIN Bulletin 4 (3), 199–207.
"""

import contextlib
import io
import warnings
from typing import Any, Self

import numpy as np
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln, hyp2f1

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Histogram, Summary

BG_NBD = "bg_nbd"
MBG_NBD = "mbg_nbd"
NBD = "nbd"
GAMMA_GAMMA = "gamma_gamma"
CREDIBILITY = "credibility"
ALL_ORDERS = "all"
REPEAT_ORDERS = "repeat"

# Weeks keep alpha near 1–20 for shops whose customers come every few days to every few months;
# in days the gate on parameter size below would judge the unit instead of the fit.
TIME_UNIT_DAYS = 7.0
MAX_PARAMETER = 1e4
MIN_PARAMETER = 1e-3
TOLERANCES = (1e-7, 1e-6, 1e-5)
DROPOUT_MEAN = (0.005, 0.995)

_SPEND_PARAMETERS = {GAMMA_GAMMA: ("p", "q", "v"), CREDIBILITY: ("k", "mean")}
_FITTERS = {BG_NBD: BetaGeoFitter, MBG_NBD: ModifiedBetaGeoFitter}


class RepeatBuyingModel:
    """Model how often customers come back, and when they have left for good.

    While alive a customer buys by a Poisson process (rates Gamma(r, α) across customers) and leaves
    with a probability p (Beta(a, b) across customers): after each repeat purchase in BG/NBD [1]_,
    after each purchase, the first included, in MBG/NBD [2]_. Where the data show nobody leaving
    (a → 0, as in a shop with one year of wholesale-like orders), both shrink to the NBD [4]_, in
    which nobody leaves: it is the rung below.

    Parameters
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"`` or ``"nbd"``
    penalizer : weight of the squared parameters in the objective
    random_state : accepted for the common contract; the fit is deterministic

    Attributes
    ----------
    r_, alpha_, a_, b_ : float
        Learned parameters; ``alpha_`` in weeks.
    log_likelihood_ : float
    customers_ : float
        Sum of the weights fitted on.
    """

    def __init__(
        self, model: str = MBG_NBD, *, penalizer: float = 0.0, random_state: int | None = None
    ) -> None:
        self.model = model
        self.penalizer = penalizer
        self.random_state = random_state

    r_: float
    alpha_: float
    a_: float
    b_: float
    log_likelihood_: float
    customers_: float

    def fit(self, histogram: Histogram, *, start: "RepeatBuyingModel | None" = None) -> Self:
        """Fit on distinct weighted rows, warm-started where ``start`` is given.

        Raises DegenerateFitError when the optimum is no description of the customers.
        """
        if histogram.frequency.size == 0 or int(histogram.frequency.max()) == 0:
            raise DegenerateFitError(f"{self.model}: nobody bought twice")
        if self.model == NBD:
            return self._fit_without_dropout(histogram)
        fitter = _FITTERS[self.model](penalizer_coef=self.penalizer)
        age = histogram.T / TIME_UNIT_DAYS
        initial = None
        if start is not None:
            # The fitter squeezes time so that the oldest customer is one unit old.
            initial = np.log([start.r_, start.alpha_ / float(age.max()), start.a_, start.b_])
        _run_fitter(
            fitter,
            self.model,
            histogram.frequency,
            histogram.recency / TIME_UNIT_DAYS,
            age,
            weights=histogram.weight,
            initial_params=initial,
        )
        self.r_, self.alpha_, self.a_, self.b_ = (
            float(fitter.params_[name]) for name in ("r", "alpha", "a", "b")
        )
        self.customers_ = float(histogram.weight.sum())
        # Back from the fitter's squeezed time to weeks: every repeat purchase carries one 1 / time.
        self.log_likelihood_ = -float(fitter._negative_log_likelihood_) * self.customers_
        self.log_likelihood_ -= float(histogram.weight @ histogram.frequency) * float(
            np.log(age.max())
        )
        _refuse_extremes(
            self.model, {"r": self.r_, "alpha": self.alpha_, "a": self.a_, "b": self.b_}
        )
        dropout = self.a_ / (self.a_ + self.b_)
        if not DROPOUT_MEAN[0] < dropout < DROPOUT_MEAN[1]:
            raise DegenerateFitError(f"{self.model}: mean dropout probability {dropout:.2g}")
        _refuse_flat(self.model, fitter._hessian_)
        return self

    def _fit_without_dropout(self, histogram: Histogram) -> Self:
        """Fit r and α of the NBD [4]_ by Newton-like steps on the analytic gradient."""
        x, weight = histogram.frequency.astype(np.float64), histogram.weight
        age, total = histogram.T / TIME_UNIT_DAYS, float(histogram.weight.sum())

        def loss(log_parameters: FloatArray) -> tuple[float, FloatArray]:
            r, alpha = np.exp(log_parameters)
            rows = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
            by_r = digamma(r + x) - digamma(r) + np.log(alpha) - np.log(alpha + age)
            by_alpha = r / alpha - (r + x) / (alpha + age)
            slope = np.array([weight @ by_r * r, weight @ by_alpha * alpha])
            return -float(weight @ rows) / total, -slope / total

        found = minimize(
            loss, np.log([0.5, max(float(np.median(age)), 1.0)]), jac=True, method="BFGS", tol=1e-9
        )
        self.r_, self.alpha_ = (float(value) for value in np.exp(found.x))
        self.a_, self.b_ = 0.0, 1.0
        self.customers_, self.log_likelihood_ = total, -float(found.fun) * total
        _refuse_extremes(self.model, {"r": self.r_, "alpha": self.alpha_})
        return self

    def p_alive(self, frequency: IntArray, recency: IntArray, age_days: IntArray) -> FloatArray:
        """Return P(not yet left | history): 1 for every one-time buyer under BG/NBD, and under NBD.

        A latent quantity of the model: never a measure of churn.
        """
        if self.model == NBD:
            return np.ones(frequency.size)
        x = frequency.astype(np.float64)
        age, last = self.alpha_ + age_days / TIME_UNIT_DAYS, self.alpha_ + recency / TIME_UNIT_DAYS
        trials = self.b_ + (x if self.model == MBG_NBD else np.maximum(x, 1.0) - 1.0)
        log_odds_left = np.log(self.a_ / trials) + (self.r_ + x) * np.log(age / last)
        alive = expit(-log_odds_left)
        return np.asarray(np.where(x > 0, alive, 1.0) if self.model == BG_NBD else alive)

    def p_buy(
        self, frequency: IntArray, recency: IntArray, age_days: IntArray, *, horizon_days: float
    ) -> FloatArray:
        """Return P(at least one purchase in the next ``horizon_days`` | history).

        In both models one leaves only at a purchase. So a customer alive at T makes none in
        (T, T + t] exactly when the Poisson process stays silent, and given the history λ is
        Gamma(r + x, α + T) for the living [1]_: ``P(X(t) = 0 | alive) = E[exp(−λt)] =
        ((α + T) / (α + T + t))^(r + x)``. Those who left make none. Hence
        ``P(X(t) ≥ 1) = P(alive) · (1 − ((α + T) / (α + T + t))^(r + x))``.
        """
        age, t = self.alpha_ + age_days / TIME_UNIT_DAYS, horizon_days / TIME_UNIT_DAYS
        log_silent = -(self.r_ + frequency) * np.log1p(t / age)
        return np.asarray(self.p_alive(frequency, recency, age_days) * -np.expm1(log_silent))

    def expected_orders(
        self, frequency: IntArray, recency: IntArray, age_days: IntArray, *, horizon_days: float
    ) -> FloatArray:
        """Return the expected number of purchases in the next ``horizon_days`` | history.

        Equation (10) of [1]_ and its MBG/NBD counterpart [2]_ after Euler's transformation of the
        hypergeometric function, ``₂F₁(A, B; C; z) = (1−z)^(C−A−B) ₂F₁(C−A, C−B; C; z)``: the
        powers of r + x cancel, so nothing overflows for customers with thousands of orders.
        """
        span = int(age_days.max()) + 1 if age_days.size else 1
        pairs, where = np.unique(frequency * span + age_days, return_inverse=True)
        x, age = (pairs // span).astype(np.float64), (pairs % span) / TIME_UNIT_DAYS
        alive_orders = self._orders_if_alive(x, self.alpha_ + age, horizon_days / TIME_UNIT_DAYS)
        return np.asarray(alive_orders[where] * self.p_alive(frequency, recency, age_days))

    def _orders_if_alive(self, x: FloatArray, age: FloatArray, t: float) -> FloatArray:
        """Return the expected purchases in t of customers known to be alive at T = age − α."""
        if self.model == NBD:
            return np.asarray((self.r_ + x) / age * t)
        a, b = self.a_, self.b_
        if abs(a - 1.0) < 1e-6:
            a = 1.0 + 1e-6  # a removable singularity; the answer moves by less than 1e-6
        shift = 0.0 if self.model == MBG_NBD else 1.0
        c = a + b + x - shift
        c = np.where(np.abs(c) < 1e-9, 1e-9, c)
        z = t / (age + t)
        inner = hyp2f1(a + b - shift - self.r_, a - 1.0, c, z)
        return np.asarray(c / (a - 1.0) * (1.0 - np.exp((a - 1.0) * np.log1p(-z)) * inner))

    def to_dict(self) -> JsonDict:
        """Return hyper-parameters and learned state as a JSON-able dictionary."""
        return {
            "model": self.model,
            "penalizer": self.penalizer,
            "time_unit_days": TIME_UNIT_DAYS,
            "parameters": {"r": self.r_, "alpha": self.alpha_, "a": self.a_, "b": self.b_},
            "log_likelihood": self.log_likelihood_,
            "customers": self.customers_,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted model from ``to_dict``."""
        model = cls(stored["model"], penalizer=stored["penalizer"])
        rescale = stored["time_unit_days"] / TIME_UNIT_DAYS
        parameters = stored["parameters"]
        model.r_, model.a_, model.b_ = parameters["r"], parameters["a"], parameters["b"]
        model.alpha_ = parameters["alpha"] * rescale
        model.log_likelihood_ = stored["log_likelihood"]
        model.customers_ = stored["customers"]
        return model


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
        random_state: int | None = None,
    ) -> None:
        self.model = model
        self.orders = orders
        self.winsorise_quantile = winsorise_quantile
        self.random_state = random_state

    p_: float
    q_: float
    v_: float
    k_: float
    mean_: float
    scale_: float
    log_likelihood_: float

    def fit(self, summary: Summary) -> Self:
        """Fit on one row per buyer; raises DegenerateFitError where the mean does not exist."""
        count, mean = self._inputs(summary)
        count, mean = count[count > 0], mean[count > 0]
        if count.size == 0:
            raise DegenerateFitError(f"{self.model}: no order values")
        self.scale_ = float(np.sort(mean).mean())
        mean = mean / self.scale_
        if self.winsorise_quantile is not None:
            cap = np.quantile(mean, self.winsorise_quantile, method="inverted_cdf")
            mean = np.minimum(mean, cap)
        if self.model == CREDIBILITY:
            return self._fit_credibility(count, mean)
        rows, weight = np.unique(np.column_stack([count, mean]), axis=0, return_counts=True)
        fitter = GammaGammaFitter(penalizer_coef=0.0)
        _run_fitter(fitter, "gamma_gamma", rows[:, 0], rows[:, 1], weights=weight)
        self.p_, self.q_, self.v_ = (float(fitter.params_[name]) for name in ("p", "q", "v"))
        self.log_likelihood_ = -float(weight.sum()) * (
            float(fitter._negative_log_likelihood_) + float(np.log(self.scale_))
        )
        _refuse_extremes("gamma_gamma", {"p": self.p_, "q": self.q_, "v": self.v_})
        if self.q_ <= 1.0:
            raise DegenerateFitError(f"gamma_gamma: q = {self.q_:.4g} leaves no finite mean")
        _refuse_flat("gamma_gamma", fitter._hessian_)
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

    def _inputs(self, summary: Summary) -> tuple[FloatArray, FloatArray]:
        """Return the number of order values behind each mean, and the mean."""
        if self.orders == REPEAT_ORDERS:
            return summary.frequency.astype(np.float64), summary.monetary_value
        return summary.order_count.astype(np.float64), summary.average_order

    def to_dict(self) -> JsonDict:
        """Return hyper-parameters and learned state as a JSON-able dictionary."""
        names = _SPEND_PARAMETERS[self.model]
        return {
            "model": self.model,
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
        )
        for name in _SPEND_PARAMETERS[model.model]:
            setattr(model, f"{name}_", stored["parameters"][name])
        model.scale_ = stored["scale"]
        return model


def _run_fitter(fitter: Any, name: str, *columns: Any, **options: Any) -> None:
    """Run a ``lifetimes`` fitter quietly and turn every way it fails into one error.

    The optimiser gives up where rounding hides the last digits of a sound optimum (one simulated
    shop in five at 1e-7), so ask for fewer digits before giving up too.
    """
    failure: Exception | None = None
    for tolerance in TOLERANCES:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # overflow on the way to an optimum that a gate judges
            try:
                fitter.fit(*columns, tol=tolerance, **options)
            # Its own ConvergenceError, and numpy's when the Hessian cannot be inverted.
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                failure = error
            else:
                return
    raise DegenerateFitError(f"{name}: {type(failure).__name__}") from failure


def _refuse_extremes(name: str, parameters: dict[str, float]) -> None:
    """Raise when a parameter ran away, e.g. r = 1e13 where everybody bought once."""
    for label, value in parameters.items():
        if not np.isfinite(value) or not MIN_PARAMETER <= value <= MAX_PARAMETER:
            raise DegenerateFitError(f"{name}: {label} = {value:.4g}")


def _refuse_flat(name: str, hessian: FloatArray) -> None:
    """Raise when the optimum is no minimum in every direction."""
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian).min() <= 0:
        raise DegenerateFitError(f"{name}: the Hessian is not positive definite")
