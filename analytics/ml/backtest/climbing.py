"""Let the blend of repeat buying and learners speak where it has earned it."""

from dataclasses import replace

import numpy as np

from analytics.ml.arrays import IntArray, JsonDict
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
from analytics.ml.trials import REPEAT_BUYING


def climb(alone: Backtest, learned: Learned, origins: list[Origin]) -> Backtest:
    """Let the blend speak for those scores in which it errs no more than repeat buying alone."""
    churn, spend = learned.figures()
    found = _climb_churn(replace(alone, learned=learned), learned, origins)
    found = _climb_spend(found, learned)
    assert found.learned is not None
    rungs = {
        "churn": churn,
        "spend": spend,
        "published": {"churn": found.learned.churn_rung, "spend": found.learned.spend_rung},
        "origins": [trial.day for trial in learned.trials],
    }
    return replace(found, metrics=found.metrics | {"rungs": rungs})


def _climb_churn(found: Backtest, learned: Learned, origins: list[Origin]) -> Backtest:
    """Take churn from the blend, with figures and band, or send it back to repeat buying."""
    said = learned.lapse_at_origins()
    pairs = zip(learned.trials, said, strict=True)
    rows = [churn_metrics(t.lapsed, p, t.silent_days) for t, p in pairs]
    held = _same_origins(found, "churn", learned)
    if learned.churn_rung == REPEAT_BUYING or average(rows)["brier"] > held["brier"]:
        return replace(found, learned=replace(learned, churn_rung=REPEAT_BUYING, calibration=None))
    came = [trial.lapsed for trial in learned.trials]
    counts = _order_counts(learned, origins)
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


def _climb_spend(found: Backtest, learned: Learned) -> Backtest:
    """Take spend from the blend, with figures and intervals, or send it back to repeat buying."""
    worth = [trial.spend[learned.spend_rung] for trial in learned.trials]
    spent = [trial.spent for trial in learned.trials]
    rows = [spend_metrics(actual, said) for actual, said in zip(spent, worth, strict=True)]
    held = _same_origins(found, "clv", learned)
    figures = average(rows)
    if learned.spend_rung == REPEAT_BUYING or not held or figures["deviance"] > held["deviance"]:
        assert found.learned is not None
        return replace(found, learned=replace(found.learned, spend_rung=REPEAT_BUYING))
    covered, how = coverage_elsewhere(spent, worth)
    figures |= {
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


def _same_origins(found: Backtest, score: str, learned: Learned) -> JsonDict:
    """Return the mean figures of repeat buying alone at the origins that the blend was tried at."""
    figures = found.metrics.get(score)
    if figures is None:
        return {}
    days = {trial.day for trial in learned.trials}
    rows = zip(found.metrics["origins"], figures["by_origin"], strict=True)
    return average([row for day, row in rows if day in days])


def _naive(learned: Learned, name: str) -> JsonDict:
    """Return how the naive candidate of that name did at the origins of the blend."""
    if name == "recency_rule":
        rows = [churn_metrics(t.lapsed, t.lapse[name], t.silent_days) for t in learned.trials]
    else:
        rows = [spend_metrics(trial.spent, trial.spend[name]) for trial in learned.trials]
    return {"name": name} | average(rows) | {"by_origin": rows}
