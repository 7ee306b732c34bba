"""Learn from landmarks who buys and who spends how much: a linear learner and a boosted one each.

References
----------
.. [1] van Houwelingen & Putter (2011), "Dynamic Prediction in Clinical Survival Analysis":
   landmarks, at which everything known so far predicts what follows.
.. [2] Jørgensen (1987), "Exponential Dispersion Models", J. of the Royal Statistical Society B 49
   (2), 127–162: the compound Poisson–gamma family, with a mass at zero and a skewed rest.
"""

from typing import Self

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from threadpoolctl import threadpool_limits

from analytics.ml.arrays import BoolArray, FloatArray, JsonDict
from analytics.ml.features import FEATURES, LARGEST_LOG_ODDS
from analytics.ml.trees import Grid, Trees

TREES: JsonDict = {
    "max_iter": 120,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
}
TWEEDIE_POWER = 1.5
WINSORISE_QUANTILE = 0.999
LEAST_EXPOSURE = 0.02
_SCALER = ("mean", "scale", "low", "high")


class Scaler:
    """Bring each feature to mean 0 and deviation 1, within the range that was learned from.

    A customer outside that range is taken to stand at its end: a learner that has seen no such
    customer must not go on in a straight line.
    """

    def fit(self, features: FloatArray) -> Self:
        """Learn range, mean and deviation; a feature that never varies is left out."""
        self.low_, self.high_ = features.min(axis=0), features.max(axis=0)
        self.mean_, deviation = features.mean(axis=0), features.std(axis=0)
        varies = deviation > 1e-9
        self.scale_ = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
        return self

    def transform(self, features: FloatArray) -> FloatArray:
        """Return the scaled features."""
        return np.asarray((np.clip(features, self.low_, self.high_) - self.mean_) * self.scale_)

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {
            name: getattr(self, f"{name}_").tolist() for name in ("mean", "scale", "low", "high")
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted scaler from ``to_dict``."""
        scaler = cls()
        for name in _SCALER:
            setattr(scaler, f"{name}_", np.array(stored[name]))
        return scaler


class LinearChance:
    """Logistic regression of "buys within the horizon" on the features.

    Attributes
    ----------
    intercept_ : float
    coefficients_ : one per feature, for features of deviation 1
    """

    def __init__(self, penalty: float = 10.0, *, random_state: int | None = None) -> None:
        self.penalty = penalty
        self.random_state = random_state

    def fit(self, features: FloatArray, bought: BoolArray) -> Self:
        """Fit on the rows of past landmarks whose windows are over."""
        self.scaler_ = Scaler().fit(features)
        model = LogisticRegression(C=1.0 / self.penalty, max_iter=2000)
        with threadpool_limits(limits=1):
            model.fit(self.scaler_.transform(features), bought)
        self.intercept_, self.coefficients_ = float(model.intercept_[0]), model.coef_[0]
        return self

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return the log-odds of buying."""
        return np.asarray(self.scaler_.transform(features) @ self.coefficients_ + self.intercept_)

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        state = _linear_state(self.intercept_, self.coefficients_, self.scaler_)
        return state | {"penalty": self.penalty}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted learner from ``to_dict``."""
        model = cls(stored["penalty"])
        model.intercept_, model.coefficients_, model.scaler_ = _linear_parts(stored)
        return model


class BoostedChance:
    """Gradient boosting of "buys within the horizon" on the features: shallow trees, many rows."""

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, features: FloatArray, bought: BoolArray) -> Self:
        """Fit on the rows of past landmarks whose windows are over."""
        model = HistGradientBoostingClassifier(
            **TREES, early_stopping=False, random_state=self.random_state
        )
        with threadpool_limits(limits=1):
            self.trees_ = Trees.of(model.fit(features, bought))
        return self

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return the log-odds of buying."""
        return np.clip(self.trees_.add_up(features), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {"trees": self.trees_.to_dict()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted learner from ``to_dict``."""
        model = cls()
        model.trees_ = Trees.from_dict(stored["trees"])
        return model


class LinearSpend:
    """A Tweedie regression [2]_ of the spend within the horizon, with a logarithmic link.

    Attributes
    ----------
    unit_ : float
        Mean spend of the rows learned from; makes the fit blind to the currency.
    """

    def __init__(
        self,
        penalty: float = 0.01,
        power: float = TWEEDIE_POWER,
        *,
        random_state: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.power = power
        self.random_state = random_state

    def fit(self, features: FloatArray, spend: FloatArray) -> Self:
        """Fit on the rows of past landmarks; the largest 0.1 % of the spends are cut."""
        self.scaler_ = Scaler().fit(features)
        self.unit_, target = _target(spend)
        model = TweedieRegressor(power=self.power, alpha=self.penalty, link="log", max_iter=3000)
        with threadpool_limits(limits=1):
            model.fit(self.scaler_.transform(features), target)
        self.intercept_, self.coefficients_ = float(model.intercept_), model.coef_
        return self

    def predict(self, features: FloatArray) -> FloatArray:
        """Return the expected spend."""
        line = self.scaler_.transform(features) @ self.coefficients_ + self.intercept_
        return np.asarray(self.unit_ * np.exp(line))

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        state = _linear_state(self.intercept_, self.coefficients_, self.scaler_)
        return state | {"unit": self.unit_, "power": self.power, "penalty": self.penalty}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted learner from ``to_dict``."""
        model = cls(stored["penalty"], stored["power"])
        model.unit_ = stored["unit"]
        model.intercept_, model.coefficients_, model.scaler_ = _linear_parts(stored)
        return model


class BoostedSpend:
    """Gradient boosting of what the linear learner's forecast has to be multiplied by.

    Tweedie deviance at its Poisson end, with that forecast as exposure. A leaf thus holds a rate:
    one that held an amount would put the few largest customers down to the mean of its many.

    Attributes
    ----------
    floor_ : float
        The least exposure: of the mean forecast a small share, or a rate would run away.
    """

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, features: FloatArray, spend: FloatArray, foretold: FloatArray) -> Self:
        """Fit on the rows of past landmarks; the largest 0.1 % of the spends are cut."""
        unit, target = _target(spend)
        self.floor_ = LEAST_EXPOSURE * float(foretold.mean())
        exposure = np.maximum(foretold, self.floor_) / unit
        model = HistGradientBoostingRegressor(
            loss="poisson", **TREES, early_stopping=False, random_state=self.random_state
        )
        weight, grid = exposure / exposure.mean(), Grid.of(features)
        with threadpool_limits(limits=1):
            model.fit(grid.snap(features), target / exposure, sample_weight=weight)
        self.trees_ = Trees.of(model).on(grid)
        return self

    def predict(self, features: FloatArray, foretold: FloatArray) -> FloatArray:
        """Return the expected spend from the features and the linear learner's forecast."""
        rate = np.exp(self.trees_.add_up(features))
        return np.asarray(np.maximum(foretold, self.floor_) * rate)

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {"floor": self.floor_, "trees": self.trees_.to_dict()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted learner from ``to_dict``."""
        model = cls()
        model.floor_, model.trees_ = stored["floor"], Trees.from_dict(stored["trees"])
        return model


def chance(log_odds_of_parts: list[FloatArray], weights: list[float]) -> FloatArray:
    """Return the probability at the weighted mean of the parts' log-odds."""
    return np.asarray(expit(np.average(np.stack(log_odds_of_parts), axis=0, weights=weights)))


def _target(spend: FloatArray) -> tuple[float, FloatArray]:
    """Return the unit of money, and the spends in it, cut at a high quantile."""
    unit = max(float(spend.mean()), 1e-9)
    cap = np.quantile(spend, WINSORISE_QUANTILE, method="inverted_cdf")
    return unit, np.asarray(np.minimum(spend, cap) / unit)


def _linear_state(intercept: float, coefficients: FloatArray, scaler: Scaler) -> JsonDict:
    return {
        "intercept": intercept,
        "coefficients": dict(zip(FEATURES, coefficients.tolist(), strict=True)),
        **scaler.to_dict(),
    }


def _linear_parts(stored: JsonDict) -> tuple[float, FloatArray, Scaler]:
    coefficients = np.array([stored["coefficients"][name] for name in FEATURES])
    return stored["intercept"], coefficients, Scaler.from_dict(stored)
