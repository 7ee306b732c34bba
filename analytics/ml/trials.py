"""Choose between candidates by what each said at origins of the past, and what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray
from analytics.ml.churn import ChurnCalibration
from analytics.ml.metrics import average, spend_metrics

REPEAT_BUYING, WITH_LINEAR, WITH_TREES = "repeat_buying", "with_linear", "with_trees"
RUNGS = (REPEAT_BUYING, WITH_LINEAR, WITH_TREES)
PLAIN, LEVELLED, SEASONAL = "plain", "levelled", "seasonal"
ADJUSTMENTS = (PLAIN, LEVELLED, SEASONAL)
"""What may be done to the spend of a blend, each on top of the one before."""
MAX_BIAS_PERCENT = 30.0


@dataclass(frozen=True)
class Trial:
    """What every candidate said at one origin, and what came.

    ``blended`` holds the spend of the rungs above repeat buying by what was done to it, and
    ``silent_days`` the days since each customer's last order.
    """

    day: int
    lapsed: BoolArray
    spent: FloatArray
    lapse: dict[str, FloatArray]
    spend: dict[str, FloatArray]
    blended: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    silent_days: IntArray | None = None

    def adjusted(self, adjustment: str) -> "Trial":
        """Return the trial as it stands under an adjustment, or the nearest one it knows."""
        allowed = ADJUSTMENTS[: ADJUSTMENTS.index(adjustment) + 1]
        known = [name for name in allowed if name in self.blended]
        return replace(self, spend=self.spend | self.blended[known[-1]])


def earned(
    trials: Sequence[Trial], highest: str, error: Callable[[Sequence[Trial], str], float]
) -> str:
    """Return the highest rung that is sound and errs no more than those below it."""
    best = REPEAT_BUYING
    for rung in RUNGS[1 : RUNGS.index(highest) + 1]:
        if error(trials, rung) <= error(trials, best):
            best = rung
    return best


def best_level(trials: Sequence[Trial], rung: str) -> str:
    """Return whether the level of the landmarks lowered the error of ``rung``."""
    return min((PLAIN, LEVELLED), key=lambda adjustment: _misses(trials, adjustment, rung))


def _misses(trials: Sequence[Trial], adjustment: str, rung: str) -> float:
    """Return the mean deviance of the spend under an adjustment."""
    rows = [spend_metrics(trial.spent, trial.blended[adjustment][rung]) for trial in trials]
    return float(average(rows)["deviance"] or 0.0)


def brier(trials: Sequence[Trial], rung: str) -> float:
    """Return the mean Brier score of the churn, uncalibrated."""
    return float(np.mean([((t.lapse[rung] - t.lapsed) ** 2).mean() for t in trials]))


def deviance(trials: Sequence[Trial], rung: str) -> float:
    """Return the mean deviance of the spend; without measure where the total is off by too much."""
    figures = average([spend_metrics(trial.spent, trial.spend[rung]) for trial in trials])
    bias = figures["bias_percent"]
    if rung != REPEAT_BUYING and (bias is None or abs(bias) > MAX_BIAS_PERCENT):
        return float("inf")
    return float(figures["deviance"] or 0.0)


def calibrate(trials: Sequence[Trial], rung: str, horizon_days: int) -> ChurnCalibration | None:
    """Calibrate on a window that was over, judge on a later one, and keep only what helps."""
    raw = [trial.lapse[rung] for trial in trials]
    mapped = calibrated(trials, rung, horizon_days)
    judged = [p for p, _ in enumerate(trials) if _teacher(trials, p, horizon_days) is not None]
    if not judged:
        return None

    def brier(said: list[FloatArray]) -> float:
        return float(np.mean([((said[p] - trials[p].lapsed) ** 2).mean() for p in judged]))

    if brier(mapped) >= brier(raw):
        return None
    newest = max(trials, key=lambda trial: trial.day)
    return ChurnCalibration().fit(newest.lapse[rung], newest.lapsed)


def calibrated(trials: Sequence[Trial], rung: str, horizon_days: int) -> list[FloatArray]:
    """Return each trial's churn, calibrated on the newest trial whose window was over by then."""
    said = []
    for place, trial in enumerate(trials):
        teacher = _teacher(trials, place, horizon_days)
        probability = trial.lapse[rung]
        if teacher is not None:
            curve = ChurnCalibration().fit(teacher.lapse[rung], teacher.lapsed)
            probability = curve.predict(probability)
        said.append(probability)
    return said


def _teacher(trials: Sequence[Trial], place: int, horizon_days: int) -> Trial | None:
    over = [one for one in trials if one.day + horizon_days <= trials[place].day]
    return max(over, key=lambda one: one.day, default=None)
