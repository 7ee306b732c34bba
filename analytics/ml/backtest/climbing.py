"""Let the blend of repeat buying and learners speak where it has earned it."""

from dataclasses import replace

import numpy as np

from analytics.ml.arrays import JsonDict
from analytics.ml.backtest.result import Backtest
from analytics.ml.blend import REPEAT_BUYING, Learned
from analytics.ml.intervals import ProbabilityBand, SpendIntervals, coverage_elsewhere
from analytics.ml.metrics import (
    average,
    churn_metrics,
    deciles,
    reliability,
    spend_metrics,
)


def climb(alone: Backtest, learned: Learned) -> Backtest:
    """Let the blend speak for those scores in which it errs no more than repeat buying alone."""
    churn, spend = learned.figures()
    metrics, baseline = dict(alone.metrics), dict(alone.baseline)
    band, intervals = alone.churn_band, alone.intervals
    said = learned.lapse_at_origins()
    rows = [churn_metrics(t.lapsed, p) for t, p in zip(learned.trials, said, strict=True)]
    held = _same_origins(alone.metrics["churn"], alone, learned)
    if learned.churn_rung != REPEAT_BUYING and average(rows)["brier"] <= held["brier"]:
        is_calibrated = learned.calibration is not None
        lapsed = np.concatenate([trial.lapsed for trial in learned.trials])
        metrics["churn"] = average(rows) | {
            "by_origin": rows,
            "calibrated": is_calibrated,
            "reliability": reliability(lapsed, np.concatenate(said)),
        }
        baseline["churn"] = _naive(learned, "recency_rule")
        band = ProbabilityBand().fit(np.concatenate(said), lapsed)
    else:
        learned = replace(learned, churn_rung=REPEAT_BUYING, calibration=None)
    worth = [trial.spend[learned.spend_rung] for trial in learned.trials]
    spent = [trial.spent for trial in learned.trials]
    rows = [spend_metrics(actual, said) for actual, said in zip(spent, worth, strict=True)]
    held = _same_origins(alone.metrics.get("clv"), alone, learned)
    if learned.spend_rung != REPEAT_BUYING and held and average(rows)["rmse"] <= held["rmse"]:
        covered, how = coverage_elsewhere(spent, worth)
        metrics["clv"] = average(rows) | {
            "by_origin": rows,
            "coverage_80": covered,
            "coverage_by": how,
            "gamma_gamma_refused": alone.spend_refusal,
            "deciles": deciles(np.concatenate(spent), np.concatenate(worth)),
        }
        baseline["clv"] = _naive(learned, "own_rate_times_horizon")
        intervals = SpendIntervals().fit(np.concatenate(worth), np.concatenate(spent))
    else:
        learned = replace(learned, spend_rung=REPEAT_BUYING)
    metrics["rungs"] = {
        "churn": churn,
        "spend": spend,
        "published": {"churn": learned.churn_rung, "spend": learned.spend_rung},
        "origins": [trial.day for trial in learned.trials],
    }
    return replace(
        alone,
        metrics=metrics,
        baseline=baseline,
        churn_band=band,
        intervals=intervals,
        learned=learned,
    )


def _same_origins(figures: JsonDict | None, alone: Backtest, learned: Learned) -> JsonDict:
    """Return the mean figures of repeat buying alone at the origins that the blend was tried at."""
    if figures is None:
        return {}
    days = {trial.day for trial in learned.trials}
    rows = zip(alone.metrics["origins"], figures["by_origin"], strict=True)
    return average([row for day, row in rows if day in days])


def _naive(learned: Learned, name: str) -> JsonDict:
    """Return how the naive candidate of that name did at the origins of the blend."""
    if name == "recency_rule":
        rows = [churn_metrics(trial.lapsed, trial.lapse[name]) for trial in learned.trials]
    else:
        rows = [spend_metrics(trial.spent, trial.spend[name]) for trial in learned.trials]
    return {"name": name} | average(rows) | {"by_origin": rows}
