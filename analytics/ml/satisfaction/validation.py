"""Prove satisfaction on answers that were hidden from it.

Each customer's last answer is hidden and foretold from what was known before its day: by the
customer's own earlier answers, deliveries, returns and tickets, and by habits of the shop learned
from other answers still. For that the hidden answers are cut by day into up to sixteen parts, and
each part is foretold with what ``learn`` made of everything known before the part's first day.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.ladder import Note
from analytics.ml.satisfaction.expectation import PUBLISHED
from analytics.ml.satisfaction.learning import Hidden, hide, learn
from analytics.ml.satisfaction.signals import Ratings, Signals

MIN_HIDDEN = 50
PARTS = 16
UNHAPPY = 0.25  # two stars
SHOP_MEAN = "shop_mean_so_far"
OWN_MEAN = "own_mean_so_far"


@dataclass(frozen=True)
class Proof:
    """What the run stores: its metrics, its baseline, and what has to be said beside the scores.

    Both hold their figures under ``satisfaction``, or nothing with fewer than 50 hidden answers.
    The figures stand for everybody, and again under ``answered_before`` and ``silent_before`` (left
    out where there is nobody): n; mae, rmse and bias in points of 0–100; auc for “two stars or
    fewer”; unhappy_share; and for the model coverage_80.
    """

    metrics: JsonDict
    baseline: JsonDict
    notes: tuple[Note, ...]


def validate(known: Signals) -> Proof:
    """Hide each customer's last answer and foretell it; ``known`` is what ``before`` gave."""
    hidden = hide(known)
    size = int(hidden.truth.size)
    if size < MIN_HIDDEN:
        return Proof({}, {}, (Note("satisfaction_unvalidated", size, MIN_HIDDEN),))
    predicted, is_held = _foretell(known, hidden)
    shop = _shop_mean_before(known.ratings, hidden.day)
    model = _by_group(hidden, predicted, is_held)
    naive: JsonDict = {"name": SHOP_MEAN} | _by_group(hidden, shop)
    spoke = ~hidden.is_silent
    if spoke.any():
        own = _figures(hidden.truth[spoke], hidden.own_mean[spoke])
        naive["own_mean"] = {"name": OWN_MEAN} | own
    notes: tuple[Note, ...] = ()
    if model["rmse"] >= naive["rmse"]:
        notes = (Note("satisfaction_not_better_than_shop_mean", model["rmse"], naive["rmse"]),)
    return Proof({"satisfaction": model}, {"satisfaction": naive}, notes)


def _foretell(known: Signals, hidden: Hidden) -> tuple[FloatArray, BoolArray]:
    """Return each customer's score before the hidden answer, and whether its band held it."""
    levels = np.arange(PARTS) / PARTS
    starts = np.unique(np.quantile(hidden.day, levels, method="inverted_cdf"))
    part = np.searchsorted(starts, hidden.day, side="right") - 1
    predicted = np.empty(hidden.truth.size)
    is_held = np.empty(hidden.truth.size, dtype=bool)
    for index, start in enumerate(starts.tolist()):
        mine = part == index
        rows = hidden.take(mine)
        habits = learn(known.earlier(start))
        mean = habits.foretell(rows)
        low, high = habits.bands.of(mean, rows.is_silent)
        predicted[mine] = mean
        is_held[mine] = (low - 1e-9 <= rows.truth) & (rows.truth <= high + 1e-9)
    return predicted, is_held


def _shop_mean_before(ratings: Ratings, day: IntArray) -> FloatArray:
    """Return the mean of all answers of the shop before each day; the published one before any."""
    order = np.argsort(ratings.day, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(ratings.score[order])])
    count = np.searchsorted(ratings.day[order], day, side="left")
    return np.where(count > 0, sums[count] / np.maximum(count, 1), PUBLISHED.base)


def _by_group(hidden: Hidden, predicted: FloatArray, is_held: BoolArray | None = None) -> JsonDict:
    """Return the figures of all, of those who had said something, and of the silent."""
    out: JsonDict = {}
    for name, mine in (("answered_before", ~hidden.is_silent), ("silent_before", hidden.is_silent)):
        if mine.any():
            held = None if is_held is None else is_held[mine]
            out[name] = _figures(hidden.truth[mine], predicted[mine], held)
    return _figures(hidden.truth, predicted, is_held) | out


def _figures(
    truth: FloatArray, predicted: FloatArray, is_held: BoolArray | None = None
) -> JsonDict:
    """Return how far off predictions were, in points, and how well they rank the unhappy."""
    error = 100.0 * (predicted - truth)
    unhappy = truth <= UNHAPPY + 1e-9
    figures: JsonDict = {
        "n": int(truth.size),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
        "auc": _auc(unhappy, -predicted),
        "unhappy_share": float(unhappy.mean()),
    }
    return figures if is_held is None else figures | {"coverage_80": float(is_held.mean())}


def _auc(positive: BoolArray, score: FloatArray) -> float | None:
    """Return the chance that a positive outranks a negative; null where one of them is missing."""
    hits = int(positive.sum())
    misses = positive.size - hits
    if hits == 0 or misses == 0:
        return None
    above = float(rankdata(score)[positive].sum()) - hits * (hits + 1) / 2
    return above / (hits * misses)
