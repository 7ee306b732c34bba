"""The likelihoods of repeat buying and of order values, with their first two derivatives.

All are means per customer, negative, and taken in the logarithms of the parameters. The special
functions are evaluated once per distinct number of orders, logarithms of time once per day: what
is left for each distinct row are a handful of array operations.

References
----------
.. [1] Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24 (2),
   equation (6) and appendix A; the sum in it written as A2 · (A3 + A4) with logarithms.
.. [2] Batislam, Denizel & Filiztekin (2007), Int. J. of Research in Marketing 24 (3): the same with
   a coin after the first purchase too.
.. [3] Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 25, equation (1a).
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln, polygamma, psi

from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.clv.names import MBG_NBD, NBD, TIME_UNIT_DAYS
from analytics.ml.clv.newton import Derivatives
from analytics.ml.summary import Histogram

PRIOR_CENTRE = (0.5, 8.0, 0.8, 2.0)
"""What r, α (weeks), a and b are like in a usual shop: the middle of the weak prior."""


class BuyingLikelihood:
    """Minus the mean log-likelihood of BG/NBD [1]_, MBG/NBD [2]_ or, without a and b, of the NBD.

    Parameters
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"`` or ``"nbd"``
    histogram : distinct (frequency, recency, T) rows in days, with weights
    prior : customers' worth of belief that the parameters are those of a usual shop: the weight of
        half the squared distance of their logarithms from ``PRIOR_CENTRE``
    """

    def __init__(self, model: str, histogram: Histogram, *, prior: float = 0.0) -> None:
        self._has_dropout = model != NBD
        self._first_coin = 1.0 if model == MBG_NBD else 0.0
        total = float(histogram.weight.sum())
        self._prior = prior / total
        self._weight = histogram.weight / total
        # Wide integers on purpose: an array is read twice as fast by them as by narrow ones.
        self._frequency = histogram.frequency.astype(np.intp)
        self._recency = histogram.recency.astype(np.intp)
        self._age = histogram.T.astype(np.intp)
        self._x = histogram.frequency.astype(np.float64)
        # Memory that is touched for the first time costs more than what is computed in it.
        self._room = np.empty((13, self._x.size)) if self._has_dropout else np.empty(0)
        self._counts = np.flatnonzero(np.bincount(self._frequency)).astype(np.float64)
        self._by_count = np.bincount(self._frequency, self._weight)[self._counts.astype(int)]
        self._by_age = np.bincount(self._age, self._weight)
        self._orders_by_age = np.bincount(self._age, self._weight * self._x)
        self._weeks = np.arange(self._by_age.size) / TIME_UNIT_DAYS

    def __call__(self, logarithms: FloatArray) -> Derivatives:
        """Return value, gradient and Hessian at the logarithms of r, α and, but for NBD, a, b."""
        parameters = np.exp(logarithms)
        r, alpha = float(parameters[0]), float(parameters[1])
        value, slope, curve = self._silence(r, alpha, parameters.size)
        if self._has_dropout:
            a, b = float(parameters[2]), float(parameters[3])
            value += self._coins(a, b, slope, curve)
            value += self._leaving((r, alpha, a, b), slope, curve)
        by_log = slope * parameters
        bent = curve * np.outer(parameters, parameters) + np.diag(by_log)
        return (
            -value + self.doubt(logarithms),
            -by_log + self._prior * self._off(logarithms),
            -bent + self._prior * np.eye(parameters.size),
        )

    def doubt(self, logarithms: FloatArray) -> float:
        """Return the part of the value that the prior makes."""
        off = self._off(logarithms)
        return 0.5 * self._prior * float(off @ off)

    def _off(self, logarithms: FloatArray) -> FloatArray:
        return np.asarray(logarithms - np.log(PRIOR_CENTRE[: logarithms.size]))

    def _silence(self, r: float, alpha: float, size: int) -> tuple[float, FloatArray, FloatArray]:
        """Return the NBD part, A1 + A3: a Poisson process of Gamma rate up to the age."""
        counts, share = self._counts, self._by_count
        log_age, inverse = np.log(alpha + self._weeks), 1.0 / (alpha + self._weeks)
        power = r * self._by_age + self._orders_by_age
        slope, curve = np.zeros(size), np.zeros((size, size))
        value = float(share @ (gammaln(r + counts) - gammaln(r)))
        value += r * np.log(alpha) - float(power @ log_age)
        slope[0] = float(share @ (psi(r + counts) - psi(r)))
        slope[0] += np.log(alpha) - float(self._by_age @ log_age)
        slope[1] = r / alpha - float(power @ inverse)
        curve[0, 0] = float(share @ (polygamma(1, r + counts) - polygamma(1, r)))
        curve[0, 1] = curve[1, 0] = 1.0 / alpha - float(self._by_age @ inverse)
        curve[1, 1] = -r / alpha**2 + float(power @ inverse**2)
        return value, slope, curve

    def _coins(self, a: float, b: float, slope: FloatArray, curve: FloatArray) -> float:
        """Add A2, that the coin after each purchase said "stay": B(a, b + n) / B(a, b)."""
        n, share = self._counts + self._first_coin, self._by_count
        slope[2] += float(share @ (psi(a + b) - psi(a + b + n)))
        slope[3] += float(share @ (psi(a + b) - psi(a + b + n) + psi(b + n) - psi(b)))
        both = float(share @ (polygamma(1, a + b) - polygamma(1, a + b + n)))
        curve[2, 2] += both
        curve[2, 3] += both
        curve[3, 2] += both
        curve[3, 3] += both + float(share @ (polygamma(1, b + n) - polygamma(1, b)))
        return float(share @ (gammaln(a + b) - gammaln(a + b + n) + gammaln(b + n) - gammaln(b)))

    def _leaving(
        self, parameters: tuple[float, float, float, float], slope: FloatArray, curve: FloatArray
    ) -> float:
        """Add log(1 + exp(A4 − A3)), that the last coin said "leave" after all.

        With D = A4 − A3 and w = 1 / (1 + exp(−D)), the chance of having left, the gradient is
        E[w ∇D] and the Hessian E[w ∇²D + w(1 − w) ∇D ∇Dᵀ].
        """
        r, alpha, a, b = parameters
        odds, pull = self._last_coin(a, b)
        logs, inverses = np.log(alpha + self._weeks), 1.0 / (alpha + self._weeks)
        by, (power, d, small, left) = self._room[:4], self._room[9:]
        self._fill_gradient(r, a, logs, inverses, pull)
        np.multiply(power, by[0], out=d)
        d += _read(odds, self._frequency, small)
        # left = 1 / (1 + exp(−d)), and the logarithm of 1 + exp(d), without overflow.
        np.abs(d, out=small)
        np.exp(np.negative(small, out=small), out=small)
        np.copyto(left, 1.0)
        np.copyto(left, small, where=d < 0.0)
        small += 1.0
        left /= small
        value = float(self._weight @ np.maximum(d, 0.0, out=d))
        value += float(self._weight @ np.log(small, out=small))
        gone = np.multiply(self._weight, left, out=small)
        slope += by @ gone
        self._bend(curve, a, inverses**2)
        return value

    def _last_coin(self, a: float, b: float) -> tuple[FloatArray, FloatArray]:
        """Return, by the number of repeats, the part of D that a and b give, and minus its slope.

        Under BG/NBD nobody can have left before a repeat purchase: there D is minus infinity.
        """
        stays = self._counts + b - 1.0 + self._first_coin
        possible = (self._counts > 0) | (self._first_coin > 0)
        size = int(self._counts[-1]) + 1
        odds, pull = np.full(size, -np.inf), np.zeros(size)
        places = self._counts[possible].astype(int)
        odds[places] = np.log(a) - np.log(stays[possible])
        pull[places] = 1.0 / stays[possible]
        return odds, pull

    def _fill_gradient(
        self, r: float, a: float, logs: FloatArray, inverses: FloatArray, pull: FloatArray
    ) -> None:
        """Fill the room with ∇D, and with what it is made of."""
        by, (nearer, power) = self._room[:4], self._room[8:10]
        idle, slower = by[0], by[1]
        _read(logs, self._age, idle)
        idle -= _read(logs, self._recency, nearer)
        _read(inverses, self._recency, nearer)
        nearer -= _read(inverses, self._age, slower)
        np.add(self._x, r, out=power)
        np.multiply(power, nearer, out=slower)
        np.negative(slower, out=slower)
        by[2] = 1.0 / a
        _read(-pull, self._frequency, by[3])

    def _bend(self, curve: FloatArray, a: float, squares: FloatArray) -> None:
        """Add E[w ∇²D + w(1 − w) ∇D ∇Dᵀ], where the room holds ∇D, w and the weights of those gone.

        What stood in the room is used up.
        """
        by, scaled = self._room[:4], self._room[4:8]
        nearer, power, d, gone, left = self._room[8:]
        np.subtract(1.0, left, out=left)
        left *= gone
        np.multiply(by, left, out=scaled)
        curve += scaled @ by.T
        cross = -float(gone @ nearer)
        curve[0, 1] += cross
        curve[1, 0] += cross
        power *= gone
        squared = _read(squares, self._recency, d)
        curve[1, 1] += float(power @ squared) - float(power @ _read(squares, self._age, d))
        curve[2, 2] -= float(gone.sum()) / a**2
        by[3] *= by[3]
        curve[3, 3] += float(gone @ by[3])


def _read(table: FloatArray, places: IntArray, out: FloatArray) -> FloatArray:
    """Read a table at many places into memory that is there already."""
    return np.take(table, places, out=out, mode="clip")


class SpendLikelihood:
    """Minus the mean log-likelihood of Gamma–Gamma [3]_ in p, q and v.

    Parameters
    ----------
    count : number of orders behind each mean, at least 1
    mean : mean order value, positive
    """

    def __init__(self, count: IntArray, mean: FloatArray) -> None:
        self._size = float(count.size)
        self._n = count.astype(np.float64)
        self._sum = self._n * mean
        self._counts, customers = np.unique(count, return_counts=True)
        self._share = customers / self._size
        logs = np.log(mean)
        self._log_mean = float(logs.mean())
        self._n_log_sum = float(self._n @ np.log(self._sum)) / self._size

    def __call__(self, logarithms: FloatArray) -> Derivatives:
        """Return value, gradient and Hessian at the logarithms of p, q and v."""
        parameters = np.exp(logarithms)
        p, q, v = (float(one) for one in parameters)
        n, share = self._counts, self._share
        total = self._sum + v
        log_total, inverse = np.log(total), 1.0 / total
        means = self._means(log_total, inverse)
        shape = p * n + q
        value = float(share @ (gammaln(shape) - gammaln(p * n))) - float(gammaln(q))
        value += q * np.log(v) - self._log_mean + p * self._n_log_sum
        value -= p * means["n log"] + q * means["log"]
        slope = np.array(
            [
                float(share @ (n * (psi(shape) - psi(p * n)))) + self._n_log_sum - means["n log"],
                float(share @ psi(shape)) - float(psi(q)) + np.log(v) - means["log"],
                q / v - p * means["n inverse"] - q * means["inverse"],
            ]
        )
        bend = polygamma(1, shape)
        pq = float(share @ (n * bend))
        qv = 1.0 / v - means["inverse"]
        curve = np.array(
            [
                [float(share @ (n**2 * (bend - polygamma(1, p * n)))), pq, -means["n inverse"]],
                [pq, float(share @ bend) - float(polygamma(1, q)), qv],
                [
                    -means["n inverse"],
                    qv,
                    -q / v**2 + p * means["n squared"] + q * means["squared"],
                ],
            ]
        )
        by_log = slope * parameters
        return -value, -by_log, -(curve * np.outer(parameters, parameters) + np.diag(by_log))

    def _means(self, log_total: FloatArray, inverse: FloatArray) -> dict[str, float]:
        """Return the means over customers of what depends on their own spend."""
        squared = inverse**2
        found = {
            "log": log_total.sum(),
            "n log": self._n @ log_total,
            "inverse": inverse.sum(),
            "n inverse": self._n @ inverse,
            "squared": squared.sum(),
            "n squared": self._n @ squared,
        }
        return {name: float(value) / self._size for name, value in found.items()}


def usual_start(histogram: Histogram, size: int) -> Sequence[float]:
    """Return where the search begins: a usual shop, its pace taken from this one's."""
    weight = histogram.weight
    weeks = float(weight @ histogram.T) / TIME_UNIT_DAYS
    orders = float(weight @ histogram.frequency)
    pace = max(orders, 1.0) / max(weeks, 1.0)
    r = PRIOR_CENTRE[0]
    return (r, float(np.clip(r / pace / 2.0, 0.1, 500.0)), *PRIOR_CENTRE[2:])[:size]
