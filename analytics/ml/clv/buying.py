"""Predict repeat orders with BG/NBD, MBG/NBD or NBD.

References
----------
.. [1] Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the
   Pareto/NBD Model", Marketing Science 24 (2), 275–284.
.. [2] Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for
   customer base analysis", Int. J. of Research in Marketing 24 (3), 201–209; erratum by Wagner &
   Hoppe (2008), ibid. 25 (3), 225–226.
.. [4] Ehrenberg (1959), "The Pattern of Consumer Purchases", Applied Statistics 8 (1), 26–41;
   conditional expectation (r + x) / (α + T) · t.
"""

from typing import Self

import numpy as np
from scipy.special import expit, hyp2f1

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.clv import newton
from analytics.ml.clv.likelihoods import BuyingLikelihood, usual_start
from analytics.ml.clv.names import (
    BG_NBD,
    DROPOUT_MEAN,
    LIFETIMES,
    MBG_NBD,
    NBD,
    NEWTON,
    TIME_UNIT_DAYS,
    refuse_extremes,
    refuse_flat,
)
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Histogram

MONTHS = 12
DAYS_PER_YEAR = 365.0
MOST_CELLS = 4_000_000
"""Up to so many (frequency, T) cells a table of marks is made; beyond, pairs are sorted."""


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
    prior : how many customers' worth of belief that the shop is a usual one steadies the fit; the
        reference engine and the reported log-likelihood do without
    engine : ``"newton"``, or ``"lifetimes"`` for the reference package (NBD is always by Newton)
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
        self,
        model: str = MBG_NBD,
        *,
        prior: float = 0.0,
        engine: str = NEWTON,
        random_state: int | None = None,
    ) -> None:
        self.model = model
        self.prior = prior
        self.engine = engine
        self.random_state = random_state

    r_: float
    alpha_: float
    a_: float
    b_: float
    log_likelihood_: float
    customers_: float

    @property
    def sees_leaving(self) -> bool:
        """Tell whether the data themselves show customers leaving for good."""
        return self.model != NBD and self.prior == 0.0

    def fit(self, histogram: Histogram, *, start: "RepeatBuyingModel | None" = None) -> Self:
        """Fit on distinct weighted rows, warm-started where ``start`` is given.

        Raises DegenerateFitError when the optimum is no description of the customers.
        """
        if histogram.frequency.size == 0 or int(histogram.frequency.max()) == 0:
            raise DegenerateFitError(f"{self.model}: nobody bought twice")
        names = ("r", "alpha") if self.model == NBD else ("r", "alpha", "a", "b")
        initial, doubt = None, 0.0
        if start is not None:
            initial = tuple(getattr(start, f"{name}_") for name in names)
        if self.engine == LIFETIMES and self.model != NBD:
            # Here, because it brings pandas along: 80 MB that a worker does not need.
            from analytics.ml.clv import reference

            found = reference.fit_buying(self.model, histogram, initial)
        else:
            likelihood = BuyingLikelihood(self.model, histogram, prior=self.prior)
            begin = initial or usual_start(histogram, len(names))
            found = newton.minimise(self.model, likelihood, begin)
            doubt = likelihood.doubt(np.log(found.parameters))
        parameters = dict(zip(names, found.parameters, strict=True))
        self.a_, self.b_ = 0.0, 1.0
        for name, value in parameters.items():
            setattr(self, f"{name}_", value)
        self.customers_ = float(histogram.weight.sum())
        self.log_likelihood_ = (doubt - found.loss) * self.customers_
        refuse_extremes(self.model, parameters)
        refuse_flat(self.model, found.hessian)
        dropout = self.a_ / (self.a_ + self.b_)
        # Under a prior a small mean is an estimate; without one it is a parameter running away.
        is_free = self.model != NBD and self.prior == 0.0
        if is_free and not DROPOUT_MEAN[0] < dropout < DROPOUT_MEAN[1]:
            raise DegenerateFitError(f"{self.model}: mean dropout probability {dropout:.2g}")
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
        self,
        frequency: IntArray,
        recency: IntArray,
        age_days: IntArray,
        *,
        horizon_days: float | FloatArray,
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

    def days_to_next_order(
        self, frequency: IntArray, age_days: IntArray, *, share: float
    ) -> FloatArray:
        """Return the days within which a ``share`` of the next orders come that come at all.

        The inverse of ``p_buy`` for the living, who all buy again some day: the next order comes
        within t with probability ``1 − ((α + T) / (α + T + t))^(r + x)``, so its quantile is
        ``t = (α + T) · ((1 − share)^(−1 / (r + x)) − 1)``: infinite where it is beyond any number.
        """
        age = self.alpha_ + age_days / TIME_UNIT_DAYS
        with np.errstate(over="ignore"):
            weeks = age * np.expm1(-np.log1p(-share) / (self.r_ + frequency))
        return np.asarray(weeks * TIME_UNIT_DAYS)

    def expected_orders(
        self, frequency: IntArray, recency: IntArray, age_days: IntArray, *, horizon_days: float
    ) -> FloatArray:
        """Return the expected number of purchases in the next ``horizon_days`` | history.

        Equation (10) of [1]_ and its MBG/NBD counterpart [2]_ after Euler's transformation of the
        hypergeometric function, ``₂F₁(A, B; C; z) = (1−z)^(C−A−B) ₂F₁(C−A, C−B; C; z)``: the
        powers of r + x cancel, so nothing overflows for customers with thousands of orders.
        """
        x, age, where = distinct_pairs(frequency, age_days)
        t = horizon_days / TIME_UNIT_DAYS
        alive_orders = self._orders_if_alive(x, self.alpha_ + age / TIME_UNIT_DAYS, t)
        return np.asarray(alive_orders[where] * self.p_alive(frequency, recency, age_days))

    def discounted_orders(
        self,
        frequency: IntArray,
        recency: IntArray,
        age_days: IntArray,
        *,
        discount_rate: float,
        months: int = MONTHS,
        month_days: float = DAYS_PER_YEAR / MONTHS,
    ) -> FloatArray:
        """Return the expected purchases of ``months``, each month's discounted at its end.

        ``discount_rate`` is that of twelve months.
        """
        x, age, where = distinct_pairs(frequency, age_days)
        reach = self.alpha_ + age / TIME_UNIT_DAYS
        value, before = np.zeros(x.size), np.zeros(x.size)
        for month in range(1, months + 1):
            until = self._orders_if_alive(x, reach, month * month_days / TIME_UNIT_DAYS)
            value += (until - before) / (1.0 + discount_rate) ** (month / MONTHS)
            before = until
        return np.asarray(value[where] * self.p_alive(frequency, recency, age_days))

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
            "engine": self.engine,
            "prior": self.prior,
            "time_unit_days": TIME_UNIT_DAYS,
            "parameters": {"r": self.r_, "alpha": self.alpha_, "a": self.a_, "b": self.b_},
            "log_likelihood": self.log_likelihood_,
            "customers": self.customers_,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted model from ``to_dict``."""
        model = cls(
            stored["model"],
            prior=stored.get("prior", 0.0),
            engine=stored.get("engine", LIFETIMES),
        )
        rescale = stored["time_unit_days"] / TIME_UNIT_DAYS
        parameters = stored["parameters"]
        model.r_, model.a_, model.b_ = parameters["r"], parameters["a"], parameters["b"]
        model.alpha_ = parameters["alpha"] * rescale
        model.log_likelihood_ = stored["log_likelihood"]
        model.customers_ = stored["customers"]
        return model


def distinct_pairs(
    frequency: IntArray, age_days: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the distinct (frequency, T) pairs, and which of them each customer has."""
    span = int(age_days.max()) + 1 if age_days.size else 1
    keys = frequency * span + age_days
    size = int(keys.max()) + 1 if keys.size else 0
    if size > MOST_CELLS:
        pairs, where = np.unique(keys, return_inverse=True)
    else:  # marking cells costs one pass, sorting twenty
        is_held = np.zeros(size, dtype=bool)
        is_held[keys] = True
        pairs = np.flatnonzero(is_held)
        places = np.cumsum(is_held) - 1
        where = places[keys]
    return (pairs // span).astype(np.float64), pairs % span, where
