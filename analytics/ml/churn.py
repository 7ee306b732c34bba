"""Turn the chance to buy into a churn probability, beside the recency rule it must beat."""

from typing import Self

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict

HORIZONS = (30, 60, 90, 120, 180)
GAP_QUANTILE = 0.75
_EDGE = 1e-9


class MonotoneLogistic:
    """A logistic curve of one feature that may rise but never falls.

    Attributes
    ----------
    intercept_, slope_ : float
    """

    def fit(self, feature: FloatArray, lapsed: BoolArray) -> Self:
        """Fit by maximum likelihood; a falling curve is replaced by the base rate."""
        self.slope_ = 0.0
        rate = float(np.clip(lapsed.mean(), _EDGE, 1.0 - _EDGE))
        self.intercept_ = float(logit(rate))
        if 0 < int(lapsed.sum()) < lapsed.size and float(np.ptp(feature)) > 0:
            # C is the inverse of the penalty: this much leaves the maximum likelihood answer.
            curve = LogisticRegression(C=1e6, max_iter=1000, tol=1e-8)
            curve.fit(feature[:, None], lapsed)
            if float(curve.coef_[0, 0]) > 0:
                self.slope_ = float(curve.coef_[0, 0])
                self.intercept_ = float(curve.intercept_[0])
        return self

    def predict(self, feature: FloatArray) -> FloatArray:
        """Return the probability of lapsing."""
        return np.asarray(expit(self.intercept_ + self.slope_ * feature))

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {"intercept": self.intercept_, "slope": self.slope_}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted curve from ``to_dict``."""
        curve = cls()
        curve.intercept_, curve.slope_ = stored["intercept"], stored["slope"]
        return curve


class RecencyRule:
    """The rule every shop knows, calibrated: the longer ago the last order, the likelier gone.

    Attributes
    ----------
    curve_ : MonotoneLogistic
        On the logarithm of the days since the last order.
    """

    def fit(self, days_since_last_order: IntArray, lapsed: BoolArray) -> Self:
        """Fit on a landmark in the past whose window is over."""
        self.curve_ = MonotoneLogistic().fit(np.log1p(days_since_last_order), lapsed)
        return self

    def predict(self, days_since_last_order: IntArray) -> FloatArray:
        """Return P(no order in the window)."""
        return self.curve_.predict(np.log1p(days_since_last_order))


class ChurnCalibration:
    """Map 1 − P(buy) to the share that really lapsed, on the log-odds scale (Platt, 1999).

    Attributes
    ----------
    curve_ : MonotoneLogistic
    """

    def fit(self, probability: FloatArray, lapsed: BoolArray) -> Self:
        """Fit on a landmark in the past whose window is over."""
        self.curve_ = MonotoneLogistic().fit(_log_odds(probability), lapsed)
        return self

    def predict(self, probability: FloatArray) -> FloatArray:
        """Return the calibrated probability."""
        return self.curve_.predict(_log_odds(probability))

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return self.curve_.to_dict()

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted calibration from ``to_dict``."""
        calibration = cls()
        calibration.curve_ = MonotoneLogistic.from_dict(stored)
        return calibration


def _log_odds(probability: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(probability, _EDGE, 1.0 - _EDGE)))


def default_horizon(gaps: IntArray, *, history_days: int, slack_days: int) -> int:
    """Return the horizon that fits the shop's rhythm and that its history can still prove.

    The shortest of 30, 60, 90, 120 and 180 days within which three quarters of the returning
    customers' next orders came; shortened (never below 30) until two horizons and
    ``slack_days`` fit into the history.
    """
    if gaps.size == 0:
        wanted = HORIZONS[-1]
    else:
        usual = float(np.quantile(gaps, GAP_QUANTILE))
        wanted = next((days for days in HORIZONS if days >= usual), HORIZONS[-1])
    provable = [days for days in HORIZONS if 2 * days + slack_days <= history_days]
    return min(wanted, provable[-1]) if provable else HORIZONS[0]
