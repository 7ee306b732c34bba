"""Measure predictions of spend and of churn against what came."""

import numpy as np
from scipy.special import rel_entr
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict

ECE_BINS = 10
TENTHS = 10
RECENT_DAYS = 120
SMALLEST_FORECAST = 1e-6
"""In units of the mean spend: a forecast of nothing at all would be punished without end."""


def normalised_gini(actual: FloatArray, predicted: FloatArray) -> float:
    """Return how well a ranking concentrates the actual amounts: 1 perfect, 0 random.

    The concentration index of ``actual`` along the ranking over its own Gini index. Tied
    predictions share a rank, so the order of the rows does not matter.
    """
    centred = actual - actual.mean()
    own = float(centred @ rankdata(actual))
    return float(centred @ rankdata(predicted)) / own if own > 0 else float("nan")


def expected_calibration_error(outcome: BoolArray, probability: FloatArray) -> float:
    """Return the mean distance of predicted and observed share over ten equal-width bins."""
    index = np.minimum((probability * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    predicted = np.bincount(index, probability, ECE_BINS)
    observed = np.bincount(index, outcome, ECE_BINS)
    return float(np.abs(predicted - observed).sum() / outcome.size)


def error_metrics(actual: FloatArray, predicted: FloatArray) -> JsonDict:
    """Return MAE, RMSE, and bias in per cent of the actual total."""
    error = predicted - actual
    total = float(actual.sum())
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias_percent": 100.0 * float(error.sum()) / total if total > 0 else None,
        "n": int(actual.size),
    }


def spend_metrics(actual: FloatArray, predicted: FloatArray) -> JsonDict:
    """Return the errors of a forecast of spend, and its normalised Gini."""
    gini = finite_or_none(normalised_gini(actual, predicted))
    deviance = finite_or_none(poisson_deviance(actual, predicted))
    return {**error_metrics(actual, predicted), "gini": gini, "deviance": deviance}


def poisson_deviance(actual: FloatArray, predicted: FloatArray) -> float:
    """Return the mean Poisson deviance, in units of the actual mean; NaN where nothing came.

    Like the squared error it is least for the expected value, but it weighs an error by what was
    to be expected: the squared error of spends is that of the few largest customers.
    """
    return float(poisson_losses(actual, predicted).mean())


def poisson_losses(actual: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return each customer's Poisson deviance, in units of the actual mean."""
    unit = float(actual.mean())
    if unit <= 0.0:
        return np.full(actual.size, np.nan)
    came, said = actual / unit, np.maximum(predicted / unit, SMALLEST_FORECAST)
    return np.asarray(2.0 * (rel_entr(came, said) - came + said))


def churn_metrics(
    lapsed: BoolArray, probability: FloatArray, silent_days: IntArray | None = None
) -> JsonDict:
    """Return AUC, Brier score, ECE(10), lift and base rate of a churn probability.

    The AUC of all is flattered by those who are long gone; where ``silent_days``, the days since
    the last order, are given, ``auc_recent`` is that of customers who bought in the last 120.
    ``lift`` is the share that lapsed of the riskiest tenth, over that of all.
    """
    rate = float(lapsed.mean())
    recent = np.ones(lapsed.size, dtype=bool) if silent_days is None else silent_days < RECENT_DAYS
    return {
        "auc": _auc(lapsed, probability),
        "auc_recent": None if silent_days is None else _auc(lapsed[recent], probability[recent]),
        "lift": float(lapsed[_tenths(probability)[-1]].mean()) / rate if rate > 0.0 else None,
        "brier": float(((probability - lapsed) ** 2).mean()),
        "ece": expected_calibration_error(lapsed, probability),
        "base_rate": rate,
        "n": int(lapsed.size),
    }


def _auc(lapsed: BoolArray, probability: FloatArray) -> float | None:
    """Return the AUC; null where all lapsed, or nobody did."""
    if not 0 < int(lapsed.sum()) < lapsed.size:
        return None
    return float(roc_auc_score(lapsed, probability))


def reliability(outcome: BoolArray, probability: FloatArray) -> list[JsonDict]:
    """Return, for tenths of the customers by predicted probability, what was said and what came."""
    return [
        {
            "predicted": float(probability[rows].mean()),
            "observed": float(outcome[rows].mean()),
            "n": int(rows.size),
        }
        for rows in _tenths(probability)
    ]


def deciles(actual: FloatArray, predicted: FloatArray) -> list[JsonDict]:
    """Return, for tenths of the customers by predicted spend, the mean foretold and the mean spent.

    The tenth that is expected to spend most comes first.
    """
    return [
        {
            "predicted": float(predicted[rows].mean()),
            "actual": float(actual[rows].mean()),
            "n": int(rows.size),
        }
        for rows in _tenths(predicted)[::-1]
    ]


def _tenths(values: FloatArray) -> list[IntArray]:
    """Return the rows of each tenth, smallest values first; fewer where there are few rows."""
    order = np.argsort(values, kind="stable")
    return [rows for rows in np.array_split(order, TENTHS) if rows.size]


def average(rows: list[JsonDict]) -> JsonDict:
    """Return the mean of each figure over the rows; ``n`` is summed, nulls are left out."""
    out: JsonDict = {}
    for key in rows[0] if rows else ():
        values = [row[key] for row in rows if row[key] is not None]
        if key == "n":
            out[key] = int(sum(values))
        else:
            out[key] = float(np.mean(values)) if values else None
    return out


def finite_or_none(value: float) -> float | None:
    """Turn NaN into null, which JSON knows."""
    return value if np.isfinite(value) else None
