"""Predict orders, spend and churn of every buyer with what the backtest chose."""

from dataclasses import dataclass, field, replace

import numpy as np

from analytics.ml import ladder
from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.backtest import Backtest, run_backtest
from analytics.ml.blend import Learned
from analytics.ml.clv import NBD, NEWTON
from analytics.ml.customer_value import CustomerValueModel, finite
from analytics.ml.errors import DegenerateFitError
from analytics.ml.explain import Yardsticks, explain_churn, explain_value
from analytics.ml.explain_blend import BlendedScores
from analytics.ml.features import blocks, recent_activity
from analytics.ml.ladder import Abstention, Note
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.next_order import expect_window
from analytics.ml.reasons import ReasonColumns, join
from analytics.ml.summary import Summary, occasion_gaps
from analytics.ml.trials import MAX_BIAS_PERCENT, REPEAT_BUYING

FORECASTS = (
    "expected_orders",
    "orders_low",
    "orders_high",
    "next_order_from",
    "next_order_until",
    "predicted_clv",
    "clv_low",
    "clv_high",
    "clv_12m",
    "p_alive",
    "churn_probability",
    "churn_low",
    "churn_high",
)


@dataclass(frozen=True)
class Outlook:
    """What the models say of each buyer; empty where the run abstains.

    ``values`` holds arrays over the buyers by the names in ``FORECASTS``; a name that is missing
    is null for all.
    """

    learned: Backtest | None = None
    values: dict[str, FloatArray] = field(default_factory=dict)
    churn_reasons: ReasonColumns | None = None
    clv_reasons: ReasonColumns | None = None
    abstentions: tuple[Abstention, ...] = ()
    notes: tuple[Note, ...] = ()


def forecast(
    ledger: PurchaseLedger,
    summary: Summary,
    *,
    as_of_day: int,
    horizon_days: int,
    discount_rate: float,
    excluded_from_fit: IntArray | None = None,
    engine: str = NEWTON,
) -> Outlook:
    """Fit and backtest on everyone but the excluded, then predict for every buyer.

    A degenerate fit, or a single prediction that is not a finite number, publishes nothing.
    """
    kept = ledger
    if excluded_from_fit is not None and excluded_from_fit.size:
        kept = ledger.without(excluded_from_fit)
    scores = (ladder.CLV, ladder.CHURN)
    try:
        learned = run_backtest(kept, as_of_day=as_of_day, horizon_days=horizon_days, engine=engine)
        if learned is None:
            # Long enough on paper, but hardly anyone had bought by the first origin.
            early = kept.occasions(known_before=as_of_day - horizon_days)
            buyers = int(np.unique(early.customer_id).size)
            need = ladder.MIN_BUYERS
            return Outlook(
                abstentions=tuple(
                    Abstention(score, "too_few_early_buyers", buyers, need) for score in scores
                )
            )
        gaps = occasion_gaps(ledger.occasions(known_before=as_of_day))
        yardsticks = Yardsticks(summary, shop_gap=float(np.median(gaps)))
        outlook = _predict(learned, summary, yardsticks, horizon_days, discount_rate)
        if learned.learned is None or not learned.learned.speaks:
            return _dated(outlook, learned, summary, as_of_day)
        occasions = ledger.occasions(known_before=as_of_day)
        recent = recent_activity(occasions, as_of_day=as_of_day, horizon_days=horizon_days)
        parts = [
            BlendedScores(
                learned.learned, summary.take(rows), recent.take(rows), yardsticks.take(rows)
            )
            for rows in blocks(summary.T.size)
        ]
        blended = _blended(outlook, learned.learned, parts, discount_rate)
        return _dated(blended, learned, summary, as_of_day)
    except DegenerateFitError as error:
        return Outlook(
            abstentions=tuple(
                Abstention(score, "degenerate_fit", detail=str(error)) for score in scores
            )
        )


def _predict(
    learned: Backtest,
    summary: Summary,
    yardsticks: Yardsticks,
    horizon_days: int,
    discount_rate: float,
) -> Outlook:
    """Return the predictions with their bands and reasons."""
    buying = learned.buying
    history = (summary.frequency, summary.recency, summary.T)
    churn = finite(1.0 - buying.p_buy(*history, horizon_days=horizon_days))
    if learned.calibration is not None:
        churn = learned.calibration.predict(churn)
    low, high = learned.churn_band.predict(churn)
    values = {
        "expected_orders": finite(buying.expected_orders(*history, horizon_days=horizon_days)),
        "churn_probability": churn,
        "churn_low": low,
        "churn_high": high,
    }
    fewest, most = learned.order_intervals.predict(values["expected_orders"])
    values["orders_low"], values["orders_high"] = fewest, most
    if buying.model != NBD:  # where nobody is seen leaving, "alive" says nothing
        values["p_alive"] = finite(buying.p_alive(*history))
    churn_reasons = explain_churn(buying, summary, yardsticks, horizon_days=horizon_days)
    if learned.spend is None or learned.intervals is None:
        refused = Abstention(ladder.CLV, "degenerate_fit", detail=learned.spend_refusal)
        return Outlook(learned, values, churn_reasons, None, (refused,), _caveats(learned, summary))
    value = CustomerValueModel.join(buying, learned.spend)
    season = learned.season or 1.0
    values["predicted_clv"] = season * value.expected_spend(summary, horizon_days=horizon_days)
    values["clv_low"], values["clv_high"] = learned.intervals.predict(values["predicted_clv"])
    values["clv_12m"] = value.discounted_year(summary, discount_rate=discount_rate)
    clv_reasons = explain_value(
        buying, learned.spend, summary, yardsticks, horizon_days=horizon_days
    )
    return Outlook(learned, values, churn_reasons, clv_reasons, (), _caveats(learned, summary))


def _blended(
    outlook: Outlook, learned: Learned, parts: list[BlendedScores], discount_rate: float
) -> Outlook:
    """Return the predictions in which the blend, where it has earned it, speaks for a score."""
    has_churn = learned.churn_rung != REPEAT_BUYING
    has_spend = learned.spend_rung != REPEAT_BUYING and "predicted_clv" in outlook.values
    backtest = outlook.learned
    if backtest is None or not parts:
        return outlook
    values = dict(outlook.values)
    churn_reasons, clv_reasons = outlook.churn_reasons, outlook.clv_reasons
    if has_churn:
        churn = finite(np.concatenate([part.lapse for part in parts]))
        if learned.calibration is not None:
            churn = learned.calibration.predict(churn)
        values["churn_probability"] = churn
        values["churn_low"], values["churn_high"] = backtest.churn_band.predict(churn)
        churn_reasons = join([part.churn_reasons for part in parts])
    if has_spend and backtest.intervals is not None:
        spend = finite(np.concatenate([part.spend for part in parts]))
        # Within the horizon the blend, beyond it repeat buying, which alone can look so far. A
        # whole year holds every season, so that of the horizon is taken out.
        days = learned.blend.base.horizon_days
        usual = spend / (learned.blend.season or 1.0)
        alone = values["predicted_clv"] / (backtest.season or 1.0)
        discounted = (usual - alone) / (1.0 + discount_rate) ** (days / 365.0)
        values["clv_12m"] = np.maximum(values["clv_12m"] + discounted, 0.0)
        values["predicted_clv"] = spend
        values["clv_low"], values["clv_high"] = backtest.intervals.predict(spend)
        clv_reasons = join([part.value_reasons for part in parts])
    return replace(outlook, values=values, churn_reasons=churn_reasons, clv_reasons=clv_reasons)


def _dated(outlook: Outlook, learned: Backtest, summary: Summary, as_of_day: int) -> Outlook:
    """Return the predictions with the days of the next order, as the published churn allows."""
    window = expect_window(learned.buying, summary, outlook.values["churn_probability"])
    days = {
        "next_order_from": as_of_day + window.first,
        "next_order_until": as_of_day + window.last,
    }
    return replace(outlook, values=outlook.values | days)


def _caveats(learned: Backtest, summary: Summary) -> tuple[Note, ...]:
    """Return what the backtest obliges the page to say beside the scores."""
    found = _season_notes(learned, summary)
    if learned.buying.model == NBD:
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
