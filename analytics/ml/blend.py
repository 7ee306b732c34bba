"""Blend the models of repeat buying with learners, as far as a shop's size and past carry it.

Three rungs: repeat buying alone; one third of it and two thirds of a linear learner; a third each
of repeat buying, the linear and the boosted learner. Churn is blended on the scale of log-odds,
spend on its own. A shop climbs only as high as its size allows and its own past shows to be no
worse: each rung is tried at the origins of the backtest, with learners that saw nothing of the
window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.churn import ChurnCalibration, RecencyRule
from analytics.ml.clv import NEWTON
from analytics.ml.features import (
    OF_LAST_YEAR,
    Base,
    forecasts,
    log_odds,
)
from analytics.ml.learners import BoostedChance, BoostedSpend, LinearChance, LinearSpend, chance
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.levels import LastYear, shrunk_ratio
from analytics.ml.metrics import average, churn_metrics, spend_metrics
from analytics.ml.past import Landmark, Past
from analytics.ml.refits import refit_blend
from analytics.ml.spread import Spread
from analytics.ml.trials import (
    ADJUSTMENTS,
    LEVELLED,
    PLAIN,
    REPEAT_BUYING,
    RUNGS,
    SEASONAL,
    WITH_LINEAR,
    WITH_TREES,
    Trial,
    best_level,
    calibrate,
    calibrated,
    earned,
    spend_losses,
    squared_losses,
    total_holds,
)

LINEAR_NEEDS = (500, 180)
TREES_NEED = (4000, 270)
"""Buyers and days of history that a rung asks for."""
SEASONAL_FROM_DAYS = 760
"""25 months: then each landmark of today looks back on the same days a year before it."""


@dataclass(frozen=True)
class Blend:
    """What was learned at one landmark day from those before it.

    ``boosted_*`` are None below the highest rung. ``level`` brings the spend that repeat buying
    foretells to what its landmarks showed; ``season`` is what the same days came to a year earlier,
    over what was said of them, None where that is not known.
    """

    base: Base
    linear_chance: LinearChance
    linear_spend: LinearSpend
    boosted_chance: BoostedChance | None
    boosted_spend: BoostedSpend | None
    level: float = 1.0
    season: float | None = None

    def lapse(self, rung: str, features: FloatArray, buy: FloatArray) -> FloatArray:
        """Return P(no order within the horizon) from features and the P(buy) of repeat buying."""
        if rung == REPEAT_BUYING:
            return 1.0 - buy
        parts, weights = [log_odds(buy), self.linear_chance.log_odds(features)], [1.0, 2.0]
        if rung == WITH_TREES and self.boosted_chance is not None:
            parts, weights = [*parts, self.boosted_chance.log_odds(features)], [1.0, 1.0, 1.0]
        return 1.0 - chance(parts, weights)

    def spend(self, rung: str, features: FloatArray, worth: FloatArray) -> FloatArray:
        """Return the expected spend from features and the forecast of repeat buying."""
        if rung == REPEAT_BUYING:
            return worth
        season = 1.0 if self.season is None else self.season
        linear = self.linear_spend.predict(features)
        parts, weights = [self.level * worth, linear], [1.0, 2.0]
        if rung == WITH_TREES and self.boosted_spend is not None:
            parts, weights = [*parts, self.boosted_spend.predict(features, linear)], [1.0, 1.0, 1.0]
        return np.asarray(season * np.average(np.stack(parts), axis=0, weights=weights))

    def adjusted(self, adjustment: str) -> "Blend":
        """Return the blend with no more done to its spend than the adjustment allows."""
        level = 1.0 if adjustment == PLAIN else self.level
        return replace(self, level=level, season=self.season if adjustment == SEASONAL else None)

    def to_dict(self) -> JsonDict:
        """Return what was learned as a JSON-able dictionary."""
        chance_trees, spend_trees = self.boosted_chance, self.boosted_spend
        return {
            "base": self.base.to_dict(),
            "churn": self.linear_chance.to_dict(),
            "spend": self.linear_spend.to_dict(),
            "churn_trees": chance_trees.to_dict() if chance_trees else None,
            "spend_trees": spend_trees.to_dict() if spend_trees else None,
            "level": self.level,
            "season": self.season,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild what was learned from ``to_dict``."""
        chance_trees, spend_trees = stored["churn_trees"], stored["spend_trees"]
        return cls(
            base=Base.from_dict(stored["base"]),
            linear_chance=LinearChance.from_dict(stored["churn"]),
            linear_spend=LinearSpend.from_dict(stored["spend"]),
            boosted_chance=BoostedChance.from_dict(chance_trees) if chance_trees else None,
            boosted_spend=BoostedSpend.from_dict(spend_trees) if spend_trees else None,
            level=stored["level"],
            season=stored["season"],
        )


@dataclass(frozen=True)
class Learned:
    """The blend of today, the rung each score has earned, and the trials that say so."""

    blend: Blend
    churn_rung: str
    spend_rung: str
    calibration: ChurnCalibration | None
    trials: tuple[Trial, ...] = ()
    churn_spread: Spread | None = None

    @property
    def speaks(self) -> bool:
        """Tell whether any score comes from the blend."""
        return (self.churn_rung, self.spend_rung) != (REPEAT_BUYING, REPEAT_BUYING)

    def lapse_at_origins(self) -> list[FloatArray]:
        """Return what the published churn would have been at each trial."""
        raw = [trial.lapse[self.churn_rung] for trial in self.trials]
        if self.calibration is None:
            return raw
        return calibrated(self.trials, self.churn_rung, self.blend.base.horizon_days)

    def to_dict(self) -> JsonDict:
        """Return what scores are made with as a JSON-able dictionary; the trials are left out."""
        curve = self.calibration.to_dict() if self.calibration else None
        rungs = {"churn_rung": self.churn_rung, "spend_rung": self.spend_rung}
        return {**rungs, "churn_calibration": curve, **self.blend.to_dict()}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild what scores are made with from ``to_dict``."""
        curve = stored["churn_calibration"]
        return cls(
            blend=Blend.from_dict(stored),
            churn_rung=stored["churn_rung"],
            spend_rung=stored["spend_rung"],
            calibration=ChurnCalibration.from_dict(curve) if curve else None,
        )

    def to_parameters(self) -> JsonDict:
        """Return what people may read of it: of the trees, how many there are."""
        told = self.to_dict()
        for name in ("churn_trees", "spend_trees"):
            told[name] = len(told[name]["trees"]["trees"]) if told[name] else 0
        return told

    def figures(self) -> tuple[JsonDict, JsonDict]:
        """Return the mean figures of every candidate for churn and for spend."""
        churn = {
            name: average(
                [churn_metrics(t.lapsed, t.lapse[name], t.silent_days) for t in self.trials]
            )
            for name in self.trials[0].lapse
        }
        spend = {
            name: average([spend_metrics(t.spent, t.spend[name]) for t in self.trials])
            for name in self.trials[0].spend
        }
        return churn, spend


def highest_rung(buyers: int, history_days: int) -> str:
    """Return the highest rung that a shop of this size may be tried on."""
    if buyers >= TREES_NEED[0] and history_days >= TREES_NEED[1]:
        return WITH_TREES
    if buyers >= LINEAR_NEEDS[0] and history_days >= LINEAR_NEEDS[1]:
        return WITH_LINEAR
    return REPEAT_BUYING


def learn(
    ledger: PurchaseLedger,
    *,
    as_of_day: int,
    horizon_days: int,
    origin_days: Sequence[int],
    engine: str = NEWTON,
    last_year: LastYear | None = None,
) -> Learned | None:
    """Fit the blend as of a day, and try every rung at the origins; None where that is impossible.

    Nothing of an origin's window reaches its learners: not a purchase, and not a refund that became
    known in it.
    """
    occasions = ledger.occasions(known_before=as_of_day)
    if occasions.day.size == 0:
        return None
    first_day = int(occasions.day.min())
    buyers = int(np.unique(occasions.customer_id).size)
    rung = highest_rung(buyers, as_of_day - first_day)
    if rung == REPEAT_BUYING:
        return None
    past = Past(
        ledger,
        first_day=first_day,
        horizon_days=horizon_days,
        engine=engine,
        last_year=last_year,
    )
    past.prepare_to_learn([*origin_days, as_of_day])
    tried = [try_rungs(past, day, as_of_day=as_of_day, rung=rung) for day in origin_days]
    trials = [trial for trial in tried if trial is not None]
    blend = _fit(past, as_of_day, rung)
    if blend is None or not trials:
        return None
    adjustment = SEASONAL if past.last_year.helped(as_of_day) else best_level(trials, rung)
    learned = _choose(
        blend.adjusted(adjustment), [trial.adjusted(adjustment) for trial in trials], rung
    )
    return replace(learned, churn_spread=_churn_spread(past, as_of_day, learned))


def _choose(blend: Blend, trials: list[Trial], highest: str) -> Learned:
    """Return the blend with the rung and the calibration that each score has earned."""
    churn_rung = earned(trials, highest, squared_losses)
    return Learned(
        blend=blend,
        churn_rung=churn_rung,
        spend_rung=earned(trials, highest, spend_losses, total_holds),
        calibration=calibrate(trials, churn_rung, blend.base.horizon_days),
        trials=tuple(trials),
    )


def _churn_spread(past: Past, day: int, learned: Learned) -> Spread | None:
    """Return how far the churn of a blend moves from refit to refit."""
    blend, rung = learned.blend, learned.churn_rung
    if rung == REPEAT_BUYING:
        return None
    return refit_blend(
        past,
        blend if rung == WITH_TREES else replace(blend, boosted_chance=None),
        rung,
        as_of_day=day,
        calibration=learned.calibration,
        newest=max(learned.trials, key=lambda trial: trial.day),
    )


def _fit(past: Past, day: int, rung: str) -> Blend | None:
    """Return what could be learned by a day, or None where no window was over by then."""
    here = past.landmark(day)
    found = [one for one in map(past.landmark, past.training_days(day)) if one is not None]
    if here is None or not found:
        return None
    outcomes = [past.outcome(one, known_before=day) for one in found]
    features = np.vstack([one.features for one in found])
    if day - past.first_day < SEASONAL_FROM_DAYS:
        features[:, OF_LAST_YEAR] = 0.0
    spend = np.concatenate([spent for spent, _ in outcomes])
    bought = np.concatenate([came for _, came in outcomes])
    if not 0 < int(bought.sum()) < bought.size:
        return None
    has_trees = rung == WITH_TREES
    linear = LinearSpend().fit(features, spend)
    foretold = linear.predict(features)
    return Blend(
        base=here.base,
        linear_chance=LinearChance().fit(features, bought),
        linear_spend=linear,
        boosted_chance=BoostedChance().fit(features, bought) if has_trees else None,
        boosted_spend=BoostedSpend().fit(features, spend, foretold) if has_trees else None,
        level=shrunk_ratio(
            [(spent, one.worth) for one, (spent, _came) in zip(found, outcomes, strict=True)]
        ),
        season=past.last_year.factor(day),
    )


def try_rungs(past: Past, day: int, *, as_of_day: int, rung: str) -> Trial | None:
    """Let every candidate speak at an origin, and note what came."""
    here, blend = past.landmark(day), _fit(past, day, rung)
    if here is None or blend is None:
        return None
    spent, came = past.outcome(here, known_before=as_of_day)
    buy, _orders, _worth = forecasts(here.summary, here.base)
    rungs = RUNGS[: RUNGS.index(rung) + 1]
    lapse = {name: blend.lapse(name, here.features, buy) for name in rungs}
    spend = {REPEAT_BUYING: here.worth}
    known = ADJUSTMENTS if blend.season is not None else ADJUSTMENTS[:-1]
    blended = {
        adjustment: {
            name: blend.adjusted(adjustment).spend(name, here.features, here.worth)
            for name in rungs[1:]
        }
        for adjustment in known
    }
    lapse["linear"] = 1.0 - chance([blend.linear_chance.log_odds(here.features)], [1.0])
    spend["linear"] = blend.linear_spend.predict(here.features)
    if blend.boosted_chance is not None and blend.boosted_spend is not None:
        lapse["trees"] = 1.0 - chance([blend.boosted_chance.log_odds(here.features)], [1.0])
        spend["trees"] = blend.boosted_spend.predict(here.features, spend["linear"])
    lapse["recency_rule"] = _recency_rule(past, here)
    age = np.maximum(here.summary.T + 1, past.horizon_days)
    spend["own_rate_times_horizon"] = here.summary.total_spend / age * past.horizon_days
    spend |= blended[LEVELLED]
    silent = here.summary.days_since_last_order
    return Trial(day, ~came, spent, lapse, spend, blended, silent)


def _recency_rule(past: Past, here: Landmark) -> FloatArray:
    """Return what the recency rule says, learned from the newest window that was over."""
    days = past.training_days(here.day)
    teacher = next(one for one in map(past.landmark, days) if one is not None)
    _, came = past.outcome(teacher, known_before=here.day)
    rule = RecencyRule().fit(teacher.summary.days_since_last_order, ~came)
    return rule.predict(here.summary.days_since_last_order)
