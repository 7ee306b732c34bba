"""Fit and backtest what predicts the orders, the spend and the churn of every buyer."""

from dataclasses import dataclass

import numpy as np

from analytics.ml import ladder
from analytics.ml.arrays import IntArray
from analytics.ml.backtest import Backtest, run_backtest
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.explain import Usual
from analytics.ml.forecaster import Forecaster
from analytics.ml.ladder import Abstention, Note
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.summary import Summary, occasion_gaps
from analytics.ml.trials import MAX_BIAS_PERCENT, REPEAT_BUYING


@dataclass(frozen=True)
class Fit:
    """What was fitted and how it did; None where the run abstains."""

    backtest: Backtest | None = None
    forecaster: Forecaster | None = None
    abstentions: tuple[Abstention, ...] = ()
    notes: tuple[Note, ...] = ()


def fit_forecaster(
    ledger: PurchaseLedger,
    summary: Summary,
    *,
    as_of_day: int,
    horizon_days: int,
    discount_rate: float,
    excluded_from_fit: IntArray | None = None,
    engine: str = NEWTON,
) -> Fit:
    """Fit and backtest on everyone but the excluded, or abstain from value and churn."""
    kept = ledger
    if excluded_from_fit is not None and excluded_from_fit.size:
        kept = ledger.without(excluded_from_fit)
    try:
        found = run_backtest(kept, as_of_day=as_of_day, horizon_days=horizon_days, engine=engine)
    except DegenerateFitError as error:
        return Fit(abstentions=refuse_forecasts("degenerate_fit", detail=str(error)))
    if found is None:
        # Long enough on paper, but hardly anyone had bought by the first origin.
        early = kept.occasions(known_before=as_of_day - horizon_days)
        buyers = int(np.unique(early.customer_id).size)
        return Fit(abstentions=refuse_forecasts("too_few_early_buyers", buyers, ladder.MIN_BUYERS))
    gaps = occasion_gaps(ledger.occasions(known_before=as_of_day))
    forecaster = Forecaster.of(
        found,
        as_of_day=as_of_day,
        horizon_days=horizon_days,
        discount_rate=discount_rate,
        usual=Usual.of(summary, gaps, found.spend),
    )
    refused: tuple[Abstention, ...] = ()
    if found.spend is None or found.intervals is None:
        refused = (Abstention(ladder.CLV, "degenerate_fit", detail=found.spend_refusal),)
    return Fit(found, forecaster, refused, _caveats(found, summary))


def refuse_forecasts(
    code: str, have: float | None = None, need: float | None = None, detail: str = ""
) -> tuple[Abstention, ...]:
    """Return the refusals of value and churn for one and the same reason."""
    scores = (ladder.CLV, ladder.CHURN)
    return tuple(Abstention(score, code, have, need, detail=detail) for score in scores)


def _caveats(learned: Backtest, summary: Summary) -> tuple[Note, ...]:
    """Return what the backtest obliges the page to say beside the scores."""
    found = _season_notes(learned, summary)
    if not learned.buying.sees_leaving:
        found.append(Note("nobody_seen_leaving"))
    clv = learned.metrics.get("clv")
    if clv is not None:
        bias, naive = clv["bias_percent"], learned.baseline["clv"]
        if bias is not None and abs(bias) > MAX_BIAS_PERCENT:
            found.append(Note("backtest_bias", round(bias, 1), MAX_BIAS_PERCENT))
        if clv["mae"] > naive["mae"]:
            found.append(
                Note("clv_not_better_than_own_rate", round(clv["mae"], 2), round(naive["mae"], 2))
            )
    auc, rule = learned.metrics["churn"]["auc"], learned.baseline["churn"].get("auc")
    if auc is not None and rule is not None and auc < rule:
        found.append(Note("churn_not_better_than_recency_rule", round(auc, 4), round(rule, 4)))
    return tuple(found)


def _season_notes(learned: Backtest, summary: Summary) -> list[Note]:
    """Say whether predicted spend knows the season; of a younger shop the ladder says it."""
    if int(summary.T.max()) + 1 < ladder.SEASON_DAYS or learned.intervals is None:
        return []
    blend = learned.learned
    is_blended = blend is not None and blend.spend_rung != REPEAT_BUYING
    season = blend.blend.season if blend is not None and is_blended else learned.season
    if season is None:
        return [Note("season_not_used")]
    return [Note("season_of_last_year", round(season, 2))]
