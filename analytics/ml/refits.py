"""Refit what is published on resampled customers, to see how far its scores would move.

A bootstrap [1]_ over customers, each with all of his landmarks. How often a customer is drawn is a
Poisson count [2]_ decided by a hash of his id and the number of the refit: no row order, and no
other customer, changes it. Of a large shop each refit draws fewer customers than there are, and
``Spread`` narrows what comes out [3]_. To be cheap,

- a refit starts at what is published: repeat buying by Newton's method to the optimum, logistic
  curves by a few Newton steps, which is as good to the order that counts [4]_;
- learners are given the features as they are, made with the published model of repeat buying
  (made anew by each refit they spread as far, within 3 % on two shops);
- trees are fewer and take larger steps (they spread as far, within a sixth on the same shops).

References
----------
.. [1] Efron (1979), "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1),
   1–26.
.. [2] Hanley & MacGibbon (2006), "Creating non-parametric bootstrap samples using Poisson
   frequencies", Computer Methods and Programs in Biomedicine 83 (1), 57–62.
.. [3] Bickel, Götze & van Zwet (1997), Statistica Sinica 7 (1), 1–31.
.. [4] Davidson & MacKinnon (1999), "Bootstrap Testing in Nonlinear Models", International Economic
   Review 40 (2), 487–508.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from scipy.stats import poisson
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.churn import ChurnCalibration
from analytics.ml.clv import NBD, RepeatBuyingModel
from analytics.ml.clv.likelihoods import BuyingLikelihood
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import EDGE, log_odds, some
from analytics.ml.learners import TREES, BoostedChance, LinearChance
from analytics.ml.spread import Spread
from analytics.ml.summary import Histogram, Summary, compress

if TYPE_CHECKING:
    from analytics.ml.blend import Blend
    from analytics.ml.past import Landmark, Past
    from analytics.ml.trials import Trial

REFITS = 20
FEWEST_REFITS = 10
MOST_DRAWN = 5_000
MOST_DRAWN_FOR_TREES = 2_000
MOST_SCORED = 3_000
NEWTON_STEPS = 3
MOST_TIMES = 12
"""Nobody is drawn more often: one Poisson count of mean 1 in ten billion is larger."""
QUICK_TREES: JsonDict = {"max_iter": 24, "learning_rate": 0.25, "max_bins": 63}
FEWEST_IN_LEAF = 5
SLIGHT_PENALTY = 1e-6
NEAR = 1e-5
"""Slope of the mean log-likelihood at which a refit of repeat buying has arrived."""
LONGEST_STEP = 1.0


@dataclass(frozen=True)
class Resample:
    """One draw of customers; ``rate`` is how often one is drawn on average, at most once."""

    number: int
    rate: float

    def counts(self, customer_ids: IntArray) -> IntArray:
        """Return how often each customer is drawn."""
        mixed = customer_ids.astype(np.uint64) + np.uint64(self.number << 48)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
        table = poisson.cdf(np.arange(MOST_TIMES), self.rate)
        uniform = (mixed >> np.uint64(11)) * 2.0**-53
        return np.asarray(np.searchsorted(table, uniform, side="right"))


@dataclass(frozen=True)
class Known:
    """A day in the past: its customers, who lapsed after it, and the model as it was then."""

    summary: Summary
    lapsed: BoolArray
    model: RepeatBuyingModel


def refit_repeat_buying(
    model: RepeatBuyingModel,
    summary: Summary,
    *,
    horizon_days: int,
    calibration: ChurnCalibration | None,
    newest: Known,
) -> Spread | None:
    """Return how far churn from repeat buying alone moves; None where refits fail.

    ``newest`` is the origin that taught the calibration; it is refitted on the same customers.
    """
    seen = summary.take(some(summary.customer_id, MOST_SCORED))

    def said(resample: Resample) -> FloatArray | None:
        refit = _refit_buying(model, _draw(summary, resample))
        if refit is None:
            return None
        odds = _lapse_odds(refit, seen, horizon_days)
        if calibration is None:
            return odds
        drawn = _draw(newest.summary, resample)
        before = _refit_buying(newest.model, drawn)
        if before is None:
            return None
        past = _lapse_odds(before, drawn.summary, horizon_days)
        return _recalibrate(calibration, past, newest.lapsed, drawn)(odds)

    score = expit(_lapse_odds(model, seen, horizon_days))
    resamples = _resamples(summary.T.size, MOST_DRAWN)
    return _spread(score, seen, calibration, resamples, said)


def refit_blend(
    past: "Past",
    blend: "Blend",
    rung: str,
    *,
    as_of_day: int,
    calibration: ChurnCalibration | None,
    newest: "Trial",
) -> Spread | None:
    """Return how far churn from a blend moves; None where refits fail.

    Without ``boosted_chance`` no trees are refitted. The calibration is learned anew from the
    customers drawn of ``newest``, the trial that taught it.
    """
    today, known = past.landmark(as_of_day), past.landmark(newest.day)
    if today is None or known is None:
        return None
    teachers, horizon = _teachers(past, as_of_day), past.horizon_days
    inside = some(today.summary.customer_id, MOST_SCORED)
    seen, features = today.summary.take(inside), today.features[inside]

    def said(resample: Resample) -> FloatArray | None:
        buying = _refit_buying(blend.base.buying, _draw(today.summary, resample))
        if buying is None:
            return None
        buy = expit(-_lapse_odds(buying, seen, horizon))
        odds = log_odds(_refit_learners(blend, teachers, resample).lapse(rung, features, buy))
        if calibration is None:
            return odds
        drawn = _draw(known.summary, resample)
        before = log_odds(newest.lapse[rung][drawn.rows])
        return _recalibrate(calibration, before, newest.lapsed, drawn)(odds)

    score = blend.lapse(rung, features, expit(-_lapse_odds(blend.base.buying, seen, horizon)))
    most = MOST_DRAWN if blend.boosted_chance is None else MOST_DRAWN_FOR_TREES
    resamples = _resamples(today.summary.T.size, most)
    return _spread(score, seen, calibration, resamples, said)


@dataclass(frozen=True)
class _Drawn:
    """Who of a summary was drawn: their rows, how often, and weights that add up to everybody."""

    rows: IntArray
    counts: IntArray
    weight: FloatArray
    summary: Summary


def _resamples(customers: int, most: int) -> list[Resample]:
    rate = min(1.0, most / customers)
    return [Resample(number, rate) for number in range(1, REFITS + 1)]


def _draw(summary: Summary, resample: Resample) -> _Drawn:
    counts = resample.counts(summary.customer_id)
    rows = np.flatnonzero(counts)
    return _Drawn(rows, counts[rows], counts[rows] / resample.rate, summary.take(rows))


def _refit_buying(model: RepeatBuyingModel, drawn: _Drawn) -> RepeatBuyingModel | None:
    """Return the model of those drawn, or that of the rung below, or None where both break down."""
    rows = drawn.summary
    history = compress(rows.frequency, rows.recency, rows.T, drawn.weight)
    try:
        return _step_to(model, history) or RepeatBuyingModel(model.model, prior=model.prior).fit(
            history, start=model
        )
    except DegenerateFitError:
        pass
    try:
        return RepeatBuyingModel(NBD).fit(history)
    except DegenerateFitError:
        return None


def _step_to(model: RepeatBuyingModel, history: Histogram) -> RepeatBuyingModel | None:
    """Return the optimum that a few Newton steps from a fitted model reach, or None."""
    names = ("r_", "alpha_") if model.model == NBD else ("r_", "alpha_", "a_", "b_")
    loss = BuyingLikelihood(model.model, history, prior=model.prior)
    point = np.log([getattr(model, name) for name in names])
    for _step in range(NEWTON_STEPS + 1):
        _value, slope, bend = loss(point)
        if float(np.abs(slope).max()) < NEAR:
            refit = copy(model)
            vars(refit).update(zip(names, np.exp(point).tolist(), strict=True))
            return refit
        if float(np.linalg.eigvalsh(bend)[0]) <= 0.0:
            return None
        step = np.linalg.solve(bend, slope)
        if float(np.abs(step).max()) > LONGEST_STEP:
            return None
        point = point - step
    return None


def _lapse_odds(model: RepeatBuyingModel, summary: Summary, horizon_days: int) -> FloatArray:
    """Return the log-odds of no order within the horizon."""
    history = (summary.frequency, summary.recency, summary.T)
    return -log_odds(model.p_buy(*history, horizon_days=horizon_days))


def _teachers(past: "Past", day: int) -> list[tuple["Landmark", BoolArray]]:
    """Return the landmarks that taught a blend, and who bought after each."""
    found = [one for one in map(past.landmark, past.training_days(day)) if one is not None]
    return [(one, past.outcome(one, known_before=day)[1]) for one in found]


def _refit_learners(
    blend: "Blend", teachers: Sequence[tuple["Landmark", BoolArray]], resample: Resample
) -> "Blend":
    """Return the blend with learners of who was drawn."""
    draws = [_draw(one.summary, resample) for one, _came in teachers]
    pairs = list(zip(teachers, draws, strict=True))
    features = np.vstack([one.features[drawn.rows] for (one, _came), drawn in pairs])
    bought = np.concatenate([came[drawn.rows] for (_one, came), drawn in pairs])
    weight = np.concatenate([drawn.weight for drawn in draws])
    linear = _refit_linear(blend.linear_chance, features, bought, weight)
    boosted = blend.boosted_chance
    if boosted is not None and 0 < int(bought.sum()) < bought.size:
        rows = np.repeat(np.arange(bought.size), np.concatenate([one.counts for one in draws]))
        boosted = _refit_trees(features[rows], bought[rows], resample.rate)
    return replace(blend, linear_chance=linear, boosted_chance=boosted)


def _refit_linear(
    published: LinearChance, features: FloatArray, bought: BoolArray, weight: FloatArray
) -> LinearChance:
    refit = copy(published)
    start = np.append(published.intercept_, published.coefficients_)
    scaled = published.scaler_.transform(features)
    found = _logistic(scaled, bought, weight, start, penalty=published.penalty)
    refit.intercept_, refit.coefficients_ = float(found[0]), found[1:]
    return refit


def _refit_trees(features: FloatArray, bought: BoolArray, rate: float) -> BoostedChance:
    """Return trees as free as the published ones: a leaf asks for the same share of the shop."""
    leaf = max(round(TREES["min_samples_leaf"] * rate), FEWEST_IN_LEAF)
    shrinkage = TREES["l2_regularization"] * leaf / TREES["min_samples_leaf"]
    options = {"min_samples_leaf": leaf, "l2_regularization": shrinkage}
    model = HistGradientBoostingClassifier(
        **TREES | QUICK_TREES | options, early_stopping=False, random_state=0
    )
    refit = _QuickTrees()
    refit.model_ = model.fit(features, bought)
    return refit


class _QuickTrees(BoostedChance):
    """Trees of a refit, all of which are held to one thread by one limit: setting it takes time."""

    model_: HistGradientBoostingClassifier

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Return the log-odds of buying."""
        return log_odds(self.model_.predict_proba(features)[:, 1])


def _recalibrate(
    published: ChurnCalibration, odds: FloatArray, lapsed: BoolArray, drawn: _Drawn
) -> Callable[[FloatArray], FloatArray]:
    """Return the curve, in log-odds, that those drawn would have taught; it never falls."""
    start = np.array([published.curve_.intercept_, published.curve_.slope_])
    came, weight = lapsed[drawn.rows], drawn.weight
    intercept, slope = _logistic(odds[:, None], came, weight, start, penalty=SLIGHT_PENALTY)
    if slope <= 0.0:
        share = float(np.clip(weight @ came / weight.sum(), EDGE, 1.0 - EDGE))
        intercept, slope = float(logit(share)), 0.0
    return lambda said: np.asarray(intercept + slope * said)


def _logistic(
    features: FloatArray,
    outcome: BoolArray,
    weight: FloatArray,
    start: FloatArray,
    *,
    penalty: float,
) -> FloatArray:
    """Return intercept and coefficients a few Newton steps after ``start``."""
    design = np.column_stack([np.ones(outcome.size), features])
    pull = np.append(SLIGHT_PENALTY, np.full(features.shape[1], penalty))
    found = start
    for _step in range(NEWTON_STEPS):
        chance = expit(design @ found)
        slope = design.T @ (weight * (outcome - chance)) - pull * found
        bend = (design * (weight * chance * (1.0 - chance))[:, None]).T @ design
        found = found + np.linalg.solve(bend + np.diag(pull), slope)
    return found


def _spread(
    score: FloatArray,
    seen: Summary,
    calibration: ChurnCalibration | None,
    resamples: Sequence[Resample],
    said: Callable[[Resample], FloatArray | None],
) -> Spread | None:
    """Return what the refits of all resamples teach, around the score as it is published."""
    with threadpool_limits(limits=1):
        found = [odds for odds in map(said, resamples) if odds is not None]
    if len(found) < FEWEST_REFITS:
        return None
    published = score if calibration is None else calibration.predict(score)
    shrink = float(np.sqrt(resamples[0].rate))
    return Spread().fit(published, seen.order_count, np.stack(found), shrink=shrink)
