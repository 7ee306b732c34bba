"""Let the blend of repeat buying and learners speak where it has earned it."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.backtest.origins import Origin
from analytics.ml.backtest.result import Backtest
from analytics.ml.blend import Learned
from analytics.ml.features import some
from analytics.ml.intervals import (
    ProbabilityBand,
    SpendIntervals,
    band_coverage,
    coverage_elsewhere,
)
from analytics.ml.metrics import (
    average,
    churn_metrics,
    deciles,
    reliability,
    spend_metrics,
)
from analytics.ml.past import MOST_ROWS
from analytics.ml.trials import REPEAT_BUYING, Trial, plainly_worse, spend_losses


@dataclass(frozen=True)
class Alone:
    """What repeat buying alone would have had published at each origin; no spend where it has none.

    Rows are those of the origins.
    """

    origins: list[Origin]
    churn: list[FloatArray]
    spend: list[FloatArray]

    def at(self, trial: Trial, said: list[FloatArray]) -> FloatArray:
        """Return what was said of the customers of a trial: of a large shop, some of its buyers."""
        place = [origin.day for origin in self.origins].index(trial.day)
        return said[place][some(self.origins[place].summary.customer_id, MOST_ROWS)]


def climb(found: Backtest, alone: Alone, learned: Learned) -> Backtest:
    """Let the blend speak for those scores in which it is not plainly worse than repeat buying."""
    churn, spend = learned.figures()
    churn[REPEAT_BUYING] = average(
        [
            churn_metrics(one.lapsed, alone.at(one, alone.churn), one.silent_days)
            for one in learned.trials
        ]
    )
    if alone.spend:
        rows = [(one.spent, alone.at(one, alone.spend)) for one in learned.trials]
        spend[REPEAT_BUYING] = average([spend_metrics(spent, said) for spent, said in rows])
    found = _climb_churn(replace(found, learned=learned), alone, learned)
    found = _climb_spend(found, alone, learned)
    assert found.learned is not None
    rungs = {
        "churn": churn,
        "spend": spend,
        "published": {"churn": found.learned.churn_rung, "spend": found.learned.spend_rung},
        "origins": [trial.day for trial in learned.trials],
    }
    return replace(found, metrics=found.metrics | {"rungs": rungs})


def _climb_churn(found: Backtest, alone: Alone, learned: Learned) -> Backtest:
    """Take churn from the blend, with figures and band, or send it back to repeat buying."""
    said = learned.lapse_at_origins()
    pairs = list(zip(learned.trials, said, strict=True))
    losses = [((p - t.lapsed) ** 2, (alone.at(t, alone.churn) - t.lapsed) ** 2) for t, p in pairs]
    if learned.churn_rung == REPEAT_BUYING or plainly_worse(losses):
        return replace(found, learned=replace(learned, churn_rung=REPEAT_BUYING, calibration=None))
    rows = [churn_metrics(t.lapsed, p, t.silent_days) for t, p in pairs]
    came = [trial.lapsed for trial in learned.trials]
    counts = _order_counts(learned, alone.origins)
    figures = average(rows) | {
        "by_origin": rows,
        "band_coverage": band_coverage(said, came, counts, learned.churn_spread),
        "calibrated": learned.calibration is not None,
        "reliability": reliability(np.concatenate(came), np.concatenate(said)),
    }
    return replace(
        found,
        metrics=found.metrics | {"churn": figures},
        baseline=found.baseline | {"churn": _naive(learned, "recency_rule")},
        churn_band=ProbabilityBand(spread=learned.churn_spread).fit_windows(said, came),
    )


def _order_counts(learned: Learned, origins: list[Origin]) -> list[IntArray]:
    """Return how many orders each customer of a trial had: of a large shop, some customers."""
    found = {origin.day: origin.summary for origin in origins}
    summaries = [found[trial.day] for trial in learned.trials]
    return [one.take(some(one.customer_id, MOST_ROWS)).order_count for one in summaries]


def _climb_spend(found: Backtest, alone: Alone, learned: Learned) -> Backtest:
    """Take spend from the blend, with figures and intervals, or send it back to repeat buying."""
    if learned.spend_rung == REPEAT_BUYING or not alone.spend or _spends_worse(alone, learned):
        assert found.learned is not None
        return replace(found, learned=replace(found.learned, spend_rung=REPEAT_BUYING))
    worth = [trial.spend[learned.spend_rung] for trial in learned.trials]
    spent = [trial.spent for trial in learned.trials]
    rows = [spend_metrics(actual, said) for actual, said in zip(spent, worth, strict=True)]
    covered, how = coverage_elsewhere(spent, worth)
    figures = average(rows) | {
        "by_origin": rows,
        "coverage_80": covered,
        "coverage_by": how,
        "gamma_gamma_refused": found.spend_refusal,
        "deciles": deciles(np.concatenate(spent), np.concatenate(worth)),
    }
    return replace(
        found,
        metrics=found.metrics | {"clv": figures},
        baseline=found.baseline | {"clv": _naive(learned, "own_rate_times_horizon")},
        intervals=SpendIntervals().fit(np.concatenate(worth), np.concatenate(spent)),
    )


def _spends_worse(alone: Alone, learned: Learned) -> bool:
    """Tell whether the spend of the blend was plainly worse than that of repeat buying alone."""
    pairs = []
    for trial in learned.trials:
        there = replace(trial, spend=trial.spend | {"alone": alone.at(trial, alone.spend)})
        pairs.append((spend_losses(trial, learned.spend_rung), spend_losses(there, "alone")))
    return plainly_worse(pairs)


def _naive(learned: Learned, name: str) -> JsonDict:
    """Return how the naive candidate of that name did at the origins of the blend."""
    if name == "recency_rule":
        rows = [churn_metrics(t.lapsed, t.lapse[name], t.silent_days) for t in learned.trials]
    else:
        rows = [spend_metrics(trial.spent, trial.spend[name]) for trial in learned.trials]
    return {"name": name} | average(rows) | {"by_origin": rows}
