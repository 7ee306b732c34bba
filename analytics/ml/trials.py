"""Choose between candidates by what each said at origins of the past, and what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray
from analytics.ml.churn import ChurnCalibration
from analytics.ml.metrics import average, poisson_losses, spend_metrics

REPEAT_BUYING, WITH_LINEAR, WITH_TREES = "repeat_buying", "with_linear", "with_trees"
RUNGS = (REPEAT_BUYING, WITH_LINEAR, WITH_TREES)
PLAIN, LEVELLED, SEASONAL = "plain", "levelled", "seasonal"
ADJUSTMENTS = (PLAIN, LEVELLED, SEASONAL)
"""What may be done to the spend of a blend, each on top of the one before."""
MAX_BIAS_PERCENT = 30.0
ONE_SIDED = 1.645
"""The quantile of the normal distribution that a one-sided test at 5 % asks for."""


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
    trials: Sequence[Trial],
    highest: str,
    losses: Callable[[Trial, str], FloatArray],
    is_sound: Callable[[Sequence[Trial], str], bool] = lambda _trials, _rung: True,
) -> str:
    """Return the highest rung that is sound and not plainly worse than the best below it."""
    best = REPEAT_BUYING
    for rung in RUNGS[1 : RUNGS.index(highest) + 1]:
        pairs = [(losses(trial, rung), losses(trial, best)) for trial in trials]
        if is_sound(trials, rung) and not plainly_worse(pairs):
            best = rung
    return best


def plainly_worse(pairs: Sequence[tuple[FloatArray, FloatArray]]) -> bool:
    """Tell whether the first of two candidates erred more than customers chosen by chance explain.

    Each pair holds the losses of both, customer by customer, in one window. The mean difference is
    held against its standard error, one-sided at 5 %; windows of the same customers overlap, so
    theirs are averaged as if they were one window seen again. In a history of one or two windows
    hardly anything is plain, and the order of the rungs, which shops with long histories taught,
    stands.
    """
    differences = [challenger - holder for challenger, holder in pairs]
    excess = np.mean([one.mean() for one in differences])
    standard_error = np.mean([one.std() / np.sqrt(one.size) for one in differences])
    return bool(excess > ONE_SIDED * standard_error)


def squared_losses(trial: Trial, rung: str) -> FloatArray:
    """Return each customer's squared error of the churn, uncalibrated."""
    return np.asarray((trial.lapse[rung] - trial.lapsed) ** 2)


def spend_losses(trial: Trial, rung: str) -> FloatArray:
    """Return each customer's deviance of the spend; 0 where nobody spent, which tells nothing."""
    return np.nan_to_num(poisson_losses(trial.spent, trial.spend[rung]))


def total_holds(trials: Sequence[Trial], rung: str) -> bool:
    """Tell whether the total spend is not off by so much that the rung is unsound."""
    bias = average([spend_metrics(one.spent, one.spend[rung]) for one in trials])["bias_percent"]
    return bias is not None and abs(bias) <= MAX_BIAS_PERCENT


def best_level(trials: Sequence[Trial], rung: str) -> str:
    """Return whether the level of the landmarks lowered the error of ``rung``."""
    return min((PLAIN, LEVELLED), key=lambda adjustment: _misses(trials, adjustment, rung))


def _misses(trials: Sequence[Trial], adjustment: str, rung: str) -> float:
    """Return the mean deviance of the spend under an adjustment."""
    rows = [spend_metrics(trial.spent, trial.blended[adjustment][rung]) for trial in trials]
    return float(average(rows)["deviance"] or 0.0)


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
