"""Pareto/NBD, the model the others are measured against: an oracle for tests and backtests.

Customers buy by a Poisson process and leave after an exponential time; both rates are Gamma across
customers. Its likelihood is an integral over the moment of leaving. Published code evaluates it by
two hypergeometric functions, which jump or overflow for busy customers; here the integral itself is
taken, in a variable that makes it flat.

References
----------
.. [1] Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will
   They Do Next?", Management Science 33 (1), 1–24.
.. [2] Fader & Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".
"""

from typing import NamedTuple, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.clv.names import TIME_UNIT_DAYS, refuse_extremes
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Histogram

NODES = 64
_PLACES, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)
_TINY = 1e-9


class ParetoModel:
    """Model repeat buying by Pareto/NBD [1]_.

    Attributes
    ----------
    r_, alpha_, s_, beta_ : float
        Learned parameters; ``alpha_`` and ``beta_`` in weeks.
    log_likelihood_ : float
    """

    r_: float
    alpha_: float
    s_: float
    beta_: float
    log_likelihood_: float

    def fit(self, histogram: Histogram) -> Self:
        """Fit on distinct weighted rows, by differences: an oracle may take its time."""
        if histogram.frequency.size == 0 or int(histogram.frequency.max()) == 0:
            raise DegenerateFitError("pareto_nbd: nobody bought twice")
        x = histogram.frequency.astype(np.float64)
        last, age = histogram.recency / TIME_UNIT_DAYS, histogram.T / TIME_UNIT_DAYS
        total = float(histogram.weight.sum())

        def loss(logarithms: FloatArray) -> float:
            if np.abs(logarithms).max() > 12.0:
                return 1e10
            rows = _log_likelihood(x, last, age, _Rates(*np.exp(logarithms)))
            return -float(histogram.weight @ rows) / total

        found = minimize(
            loss, np.log([0.5, 10.0, 0.6, 12.0]), method="BFGS", options={"gtol": 1e-7}
        )
        self.r_, self.alpha_, self.s_, self.beta_ = (float(one) for one in np.exp(found.x))
        self.log_likelihood_ = -float(found.fun) * total
        names = ("r", "alpha", "s", "beta")
        refuse_extremes("pareto_nbd", {name: getattr(self, f"{name}_") for name in names})
        return self

    def p_alive(self, frequency: IntArray, recency: IntArray, age_days: IntArray) -> FloatArray:
        """Return P(not yet left | history), equation (31) of [2]_."""
        x = frequency.astype(np.float64)
        last, age = recency / TIME_UNIT_DAYS, age_days / TIME_UNIT_DAYS
        stayed, left = _log_parts(x, last, age, self._rates())
        return np.asarray(np.exp(stayed - np.logaddexp(stayed, left)))

    def p_buy(
        self, frequency: IntArray, recency: IntArray, age_days: IntArray, *, horizon_days: float
    ) -> FloatArray:
        """Return P(at least one purchase in the next ``horizon_days`` | history).

        A living customer makes none when the process is silent up to the end, or up to the moment
        at which they leave: an integral as in the likelihood, over (T, T + t].
        """
        x, t = frequency.astype(np.float64), horizon_days / TIME_UNIT_DAYS
        age = age_days / TIME_UNIT_DAYS
        r, alpha, s, beta = self._rates()
        base = (r + x) * np.log(alpha + age) + s * np.log(beta + age)
        silent = -(r + x) * np.log(alpha + age + t) - s * np.log(beta + age + t)
        leaves = _log_integral(x, age, age + t, self._rates())
        none = np.exp(np.logaddexp(silent, leaves) + base)
        return np.asarray(
            self.p_alive(frequency, recency, age_days) * (1.0 - np.minimum(none, 1.0))
        )

    def expected_orders(
        self, frequency: IntArray, recency: IntArray, age_days: IntArray, *, horizon_days: float
    ) -> FloatArray:
        """Return the expected purchases in the next ``horizon_days``, equation (41) of [2]_."""
        age, t = age_days / TIME_UNIT_DAYS, horizon_days / TIME_UNIT_DAYS
        power = self.s_ - 1.0
        if abs(power) < _TINY:
            power = _TINY
        reach = self.beta_ + age
        stays = -np.expm1(-power * np.log1p(t / reach)) / power
        pace = (self.r_ + frequency) / (self.alpha_ + age)
        return np.asarray(pace * reach * stays * self.p_alive(frequency, recency, age_days))

    def _rates(self) -> "_Rates":
        return _Rates(self.r_, self.alpha_, self.s_, self.beta_)


class _Rates(NamedTuple):
    """The four parameters, times in weeks."""

    r: float
    alpha: float
    s: float
    beta: float


def _log_likelihood(x: FloatArray, last: FloatArray, age: FloatArray, rates: _Rates) -> FloatArray:
    """Return log L of each row, equation (18) of [2]_: having stayed, or left since the last."""
    r, alpha, s, beta = rates
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return np.asarray(constant + np.logaddexp(*_log_parts(x, last, age, rates)))


def _log_parts(
    x: FloatArray, last: FloatArray, age: FloatArray, rates: _Rates
) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of what staying and what leaving add to the likelihood."""
    stayed = -(rates.r + x) * np.log(rates.alpha + age) - rates.s * np.log(rates.beta + age)
    return stayed, _log_integral(x, last, age, rates)


def _log_integral(x: FloatArray, start: FloatArray, end: FloatArray, rates: _Rates) -> FloatArray:
    """Return log ∫ s (α + τ)^−(r + x) (β + τ)^−(s + 1) dτ from start to end.

    With y = ((α + τ) / (α + start))^−k and k = r + x − 1 the first factor, which falls by many
    powers of ten, becomes the measure, and what is left to integrate is a mild power.
    """
    r, alpha, s, beta = rates
    k = r + x - 1.0
    k = np.where(np.abs(k) < _TINY, _TINY, k)
    begin = alpha + start
    span = np.log1p((end - start) / begin)
    low = np.exp(-k * span)  # y at the end; 1 at the start
    y = low[:, None] + (1.0 - low)[:, None] * (_PLACES + 1.0) / 2.0
    moment = begin[:, None] * np.exp(-np.log(y) / k[:, None]) - alpha
    mild = np.exp(-(s + 1.0) * np.log(beta + moment)) @ _WEIGHTS / 2.0
    width = -np.expm1(-k * span) / k
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(s) + np.log(width) + np.log(mild) - k * np.log(begin))
