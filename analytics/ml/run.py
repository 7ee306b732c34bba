"""Score every customer of a shop in one pure call.

The one function a service needs::

    result = score_customers(ScoringInput(as_of_day=..., customer_ids=..., purchases=...))

*In.* ``ScoringInput``: days are integers since 1970-01-01 in the shop's zone; ``as_of_day`` is
exclusive (a row on or after it is ignored); ``purchases`` holds one row per (customer, local
purchase day) with that day's spend in shop currency, net of refunds and cancellations. Only days
with positive net spend count as a purchase occasion; duplicate rows of one day are summed first.
``customer_ids`` lists everyone who wants an answer, also those who never bought. Rows may come in
any order: the same rows give the same bytes.

*Out.* ``ScoringResult``: arrays that all follow ``customer_id`` (ascending). Null is NaN in float
arrays, 0 in the RFM scores and −1 in code arrays; ``*_null`` says why, as an index into
``NULL_REASONS`` (0, the empty string, means "scored"). ``abstentions`` and ``notes`` speak about
the whole run. ``parameters``, ``metrics`` and ``baseline`` are JSON-able dictionaries.

Which keys:

- ``parameters``: ``horizon_days``, ``discount_rate``, ``rfm`` (cut-offs or null),
  ``satisfaction``, ``clv`` {buying, spend, intervals, churn_calibration, churn_band} or null.
- ``metrics`` (``{}`` when the run abstains): ``origins`` (days), ``clv`` {mae, rmse,
  bias_percent, gini, n, coverage_80, coverage_by, by_origin, gamma_gamma_refused} (absent when CLV
  alone abstains), ``churn`` {auc, brier, ece, base_rate, n, calibrated, by_origin}, ``candidates``
  (one entry per model that competed, or why it was refused), ``p_alive_as_churn_auc`` (why it is
  not used).
- ``baseline``: ``clv`` (name ``own_rate_times_horizon`` + same keys), ``churn`` (name
  ``recency_rule`` + same keys; no figures when the history holds no window to train it on).
- ``notes``: ``history_starts_at`` (day), ``seasonality_not_learned`` (have / need days),
  ``nobody_seen_leaving``, ``backtest_bias`` (have / need per cent),
  ``clv_not_better_than_own_rate`` (mean absolute errors),
  ``churn_not_better_than_recency_rule`` (AUCs).

Reasons: ``result.churn_reasons.row(i)`` gives
``[{"code": "days_since_last_order", "value": 212, "typical": 31, "direction": "up"}, …]`` (codes in
``analytics.ml.reasons.REASON_CODES``).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.ml import ladder, rfm, satisfaction
from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, IntArray, JsonDict
from analytics.ml.backtest import Backtest, run_backtest
from analytics.ml.churn import default_horizon
from analytics.ml.clv import NBD
from analytics.ml.columns import Spreader, rfm_columns, shop_size
from analytics.ml.customer_value import CustomerValueModel
from analytics.ml.errors import DegenerateFitError
from analytics.ml.explain import KEEP, Yardsticks, explain_churn, explain_value
from analytics.ml.ladder import NULL_REASONS, Abstention, Note
from analytics.ml.reasons import REASON_CODES, ReasonColumns, no_reasons
from analytics.ml.rfm import RFM_GROUPS
from analytics.ml.satisfaction import Deliveries, Operations, Ratings
from analytics.ml.summary import PurchaseDays, Summary, occasion_gaps, summarise

__all__ = [
    "MODEL_VERSION",
    "NULL_REASONS",
    "REASON_CODES",
    "RFM_GROUPS",
    "Abstention",
    "Deliveries",
    "Note",
    "Operations",
    "PurchaseDays",
    "Ratings",
    "ReasonColumns",
    "ScoringInput",
    "ScoringResult",
    "score_customers",
]

MODEL_VERSION = "1"
MAX_BIAS_PERCENT = 30.0


@dataclass(frozen=True)
class ScoringInput:
    """Everything one scoring run may see.

    Attributes
    ----------
    as_of_day : exclusive end of the data, in days since 1970-01-01
    customer_ids : everyone who wants an answer (unique)
    purchases : one row per customer and local purchase day
    ratings, deliveries, operations : what satisfaction may use; empty by default
    horizon_days : length of the forecast; None chooses it from the shop's own gaps
    discount_rate : annual, for ``clv_12m``
    excluded_from_fit : customers (wholesale, test accounts) that are scored but not learned from
    """

    as_of_day: int
    customer_ids: IntArray
    purchases: PurchaseDays
    ratings: Ratings = field(default_factory=Ratings.empty)
    deliveries: Deliveries = field(default_factory=Deliveries.empty)
    operations: Operations = field(default_factory=Operations.empty)
    horizon_days: int | None = None
    discount_rate: float = 0.10
    excluded_from_fit: IntArray | None = None


@dataclass(frozen=True)
class ScoringResult:
    """The scores of one run; every array follows ``customer_id``.

    Attributes
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"``, ``"nbd"``, or ``""`` when the run abstains from churn
    r_score, f_score, m_score : 1–5, 0 for null
    rfm_group : index into ``RFM_GROUPS``, −1 for null
    expected_orders : expected purchase days in the next ``horizon_days``
    predicted_clv, clv_low, clv_high : spend in the next ``horizon_days`` and its 80 % interval
    clv_12m : spend in the next 365 days, discounted at ``discount_rate`` a year
    p_alive : latent probability of the model, never a churn score; NaN for all under ``"nbd"``
    churn_probability, churn_low, churn_high : P(no order within ``horizon_days``), 80 % band
    satisfaction, satisfaction_low, satisfaction_high : 0–100
    satisfaction_n_eff : weight of the answers behind it; satisfaction_inferred_share : 1 when none
    """

    as_of_day: int
    horizon_days: int
    model: str
    model_version: str
    customer_id: IntArray
    days_since_last_order: FloatArray
    order_count: IntArray
    total_spend: FloatArray
    r_score: CodeArray
    f_score: CodeArray
    m_score: CodeArray
    rfm_group: CodeArray
    rfm_null: CodeArray
    expected_orders: FloatArray
    predicted_clv: FloatArray
    clv_low: FloatArray
    clv_high: FloatArray
    clv_12m: FloatArray
    clv_null: CodeArray
    clv_reasons: ReasonColumns
    p_alive: FloatArray
    churn_probability: FloatArray
    churn_low: FloatArray
    churn_high: FloatArray
    churn_null: CodeArray
    churn_reasons: ReasonColumns
    satisfaction: FloatArray
    satisfaction_low: FloatArray
    satisfaction_high: FloatArray
    satisfaction_n_eff: FloatArray
    satisfaction_inferred_share: FloatArray
    satisfaction_null: CodeArray
    satisfaction_reasons: ReasonColumns
    parameters: JsonDict
    metrics: JsonDict
    baseline: JsonDict
    abstentions: tuple[Abstention, ...]
    notes: tuple[Note, ...]


def score_customers(given: ScoringInput) -> ScoringResult:
    """Score every customer of ``given`` from what is known before ``as_of_day``.

    Abstains where there is too little or too odd data, and says so. Raises ValueError for input
    that breaks the contract (repeated customer ids, money that is not a number).
    """
    ids = np.unique(given.customer_ids.astype(np.int64))
    if ids.size != given.customer_ids.size:
        raise ValueError("customer_ids must be unique")
    occasions = given.purchases.before(given.as_of_day).occasions()
    summary = summarise(occasions, as_of_day=given.as_of_day)
    gaps = occasion_gaps(occasions)
    size = shop_size(summary, as_of_day=given.as_of_day)
    horizon = given.horizon_days or default_horizon(
        gaps,
        history_days=0 if size.first_day is None else given.as_of_day - size.first_day,
        slack_days=ladder.BACKTEST_SLACK_DAYS,
    )
    abstentions, notes = ladder.judge(size, as_of_day=given.as_of_day, horizon_days=horizon)
    learned: Backtest | None = None
    if all(entry.score != ladder.CHURN for entry in abstentions):
        learned, refused = _learn(given, occasions, horizon)
        abstentions, notes = abstentions + refused, notes + _caveats(learned)
    spread = Spreader(ids, summary)
    cutoffs = _cutoffs(summary, abstentions)
    shop_gap = float(np.median(gaps)) if gaps.size else float(horizon)
    satisfied, prior_weight = _satisfaction(given, ids, spread.is_buyer)
    return ScoringResult(
        as_of_day=given.as_of_day,
        horizon_days=horizon,
        model=learned.buying.model if learned else "",
        model_version=MODEL_VERSION,
        customer_id=ids,
        days_since_last_order=spread.floats(summary.days_since_last_order),
        order_count=spread.integers(summary.order_count),
        total_spend=spread.floats(summary.total_spend),
        **rfm_columns(spread, summary, cutoffs),
        rfm_null=spread.nulls(ladder.RFM, abstentions),
        **_model_columns(
            spread,
            summary,
            learned,
            horizon=horizon,
            discount_rate=given.discount_rate,
            shop_gap=shop_gap,
        ),
        clv_null=spread.nulls(ladder.CLV, abstentions),
        churn_null=spread.nulls(ladder.CHURN, abstentions),
        **satisfied,
        parameters=_parameters(learned, cutoffs, horizon, given, prior_weight),
        metrics=learned.metrics if learned else {},
        baseline=learned.baseline if learned else {},
        abstentions=abstentions,
        notes=notes,
    )


def _learn(
    given: ScoringInput, occasions: PurchaseDays, horizon: int
) -> tuple[Backtest | None, tuple[Abstention, ...]]:
    """Fit and backtest on everyone but the excluded, turning failures into abstentions."""
    kept = occasions
    if given.excluded_from_fit is not None:
        kept = occasions.where(~np.isin(occasions.customer_id, given.excluded_from_fit))
    try:
        learned = run_backtest(kept, as_of_day=given.as_of_day, horizon_days=horizon)
    except DegenerateFitError as error:
        return None, tuple(
            Abstention(score, "degenerate_fit", detail=str(error))
            for score in (ladder.CLV, ladder.CHURN)
        )
    if learned is None:
        # Long enough on paper, but hardly anyone had bought by the first origin.
        buyers = int(np.unique(kept.before(given.as_of_day - horizon).customer_id).size)
        return None, tuple(
            Abstention(score, "history_too_short", buyers, ladder.MIN_BUYERS)
            for score in (ladder.CLV, ladder.CHURN)
        )
    if learned.spend is None:
        return learned, (Abstention(ladder.CLV, "degenerate_fit", detail=learned.spend_refusal),)
    return learned, ()


def _caveats(learned: Backtest | None) -> tuple[Note, ...]:
    """Return what the backtest obliges the page to say beside the scores."""
    if learned is None:
        return ()
    found = []
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


def _cutoffs(summary: Summary, abstentions: tuple[Abstention, ...]) -> JsonDict | None:
    """Return the RFM cut-offs of this run, or None where it abstains."""
    if any(entry.score == ladder.RFM for entry in abstentions):
        return None
    return rfm.fit_cutoffs(
        summary.days_since_last_order.astype(np.float64),
        summary.order_count.astype(np.float64),
        summary.total_spend,
    )


def _model_columns(
    spread: Spreader,
    summary: Summary,
    learned: Backtest | None,
    *,
    horizon: int,
    discount_rate: float,
    shop_gap: float,
) -> dict[str, Any]:
    """Return the columns of CLV and churn; all null where the run abstains from them."""
    names = ("expected_orders", "predicted_clv", "clv_low", "clv_high", "clv_12m", "p_alive")
    columns: dict[str, Any] = {
        name: spread.floats() for name in (*names, "churn_probability", "churn_low", "churn_high")
    }
    blank = no_reasons(spread.is_buyer.size, KEEP)
    columns |= {"clv_reasons": blank, "churn_reasons": blank}
    if learned is None:
        return columns
    buying = learned.buying
    history = (summary.frequency, summary.recency, summary.T)
    churn = 1.0 - buying.p_buy(*history, horizon_days=horizon)
    if learned.calibration is not None:
        churn = learned.calibration.predict(churn)
    low, high = learned.churn_band.predict(churn)
    yardsticks = Yardsticks(summary, shop_gap=shop_gap)
    columns |= {
        "expected_orders": spread.floats(buying.expected_orders(*history, horizon_days=horizon)),
        "churn_probability": spread.floats(churn),
        "churn_low": spread.floats(low),
        "churn_high": spread.floats(high),
        "churn_reasons": spread.reasons(
            explain_churn(buying, summary, yardsticks, horizon_days=horizon)
        ),
    }
    if buying.model != NBD:  # where nobody is seen leaving, "alive" says nothing
        columns["p_alive"] = spread.floats(buying.p_alive(*history))
    if learned.spend is None or learned.intervals is None:
        return columns
    value = CustomerValueModel.join(buying, learned.spend)
    predicted = value.expected_spend(summary, horizon_days=horizon)
    clv_low, clv_high = learned.intervals.predict(predicted)
    return columns | {
        "predicted_clv": spread.floats(predicted),
        "clv_low": spread.floats(clv_low),
        "clv_high": spread.floats(clv_high),
        "clv_12m": spread.floats(value.discounted_year(summary, discount_rate=discount_rate)),
        "clv_reasons": spread.reasons(
            explain_value(buying, learned.spend, summary, yardsticks, horizon_days=horizon)
        ),
    }


def _satisfaction(
    given: ScoringInput, ids: IntArray, is_buyer: BoolArray
) -> tuple[dict[str, Any], float]:
    """Return the columns of satisfaction and the weight of the expectation behind them."""
    prior_weight = satisfaction.fit_prior_weight(
        given.ratings, given.deliveries, as_of_day=given.as_of_day
    )
    scores = satisfaction.score_satisfaction(
        ids,
        ratings=given.ratings,
        deliveries=given.deliveries,
        operations=given.operations,
        has_orders=is_buyer,
        as_of_day=given.as_of_day,
        prior_weight=prior_weight,
    )
    unknown = NULL_REASONS.index("no_orders_no_signals")
    return {
        "satisfaction": scores.score,
        "satisfaction_low": scores.low,
        "satisfaction_high": scores.high,
        "satisfaction_n_eff": scores.n_eff,
        "satisfaction_inferred_share": scores.inferred_share,
        "satisfaction_reasons": scores.reasons,
        "satisfaction_null": np.where(np.isnan(scores.score), unknown, 0).astype(np.int8),
    }, prior_weight


def _parameters(
    learned: Backtest | None,
    cutoffs: JsonDict | None,
    horizon: int,
    given: ScoringInput,
    prior_weight: float,
) -> JsonDict:
    """Return everything needed to score again, as a JSON-able dictionary."""
    return {
        "horizon_days": horizon,
        "discount_rate": given.discount_rate,
        "rfm": cutoffs,
        "satisfaction": {"prior_weight": prior_weight} | satisfaction.CONSTANTS,
        "clv": learned.to_dict() if learned else None,
    }
