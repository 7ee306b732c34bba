"""Score every customer of a shop in one pure call.

The one function a service needs::

    result = score_customers(ScoringInput(as_of_day=..., customer_ids=..., purchases=...))

*In.* ``ScoringInput``: days are integers since 1970-01-01 in the shop's zone; ``as_of_day`` is
exclusive (a row on or after it is ignored); ``purchases`` holds one row per (customer, local
purchase day) with that day's spend in shop currency; ``refunds`` what came back of it, each with
the day on which that was known: the backtest sees it from then on only. Only days with positive net
spend count as a purchase occasion; duplicate rows of one day are summed first.
``customer_ids`` lists everyone who wants an answer, also those who never bought. Rows may come in
any order: the same rows give the same bytes.

*Out.* ``ScoringResult``: arrays that all follow ``customer_id`` (ascending). Null is NaN in float
arrays, 0 in the RFM scores and −1 in code arrays; ``*_null`` says why, as an index into
``NULL_REASONS`` (0, the empty string, means "scored"). ``abstentions`` and ``notes`` speak about
the whole run. ``parameters``, ``metrics`` and ``baseline`` are JSON-able dictionaries.

Which keys:

- ``parameters``: ``horizon_days``, ``discount_rate``, ``rfm`` (cut-offs or null),
  ``satisfaction``, ``clv`` {buying, spend, intervals, churn_calibration, churn_band,
  order_intervals, season, blend} or null.
- ``metrics`` (satisfaction alone when the run abstains): ``origins`` (days), ``clv`` {mae, rmse,
  bias_percent, gini, n, coverage_80, coverage_by, by_origin, deciles, gamma_gamma_refused} (absent
  when CLV alone abstains), ``clv_12m`` (the year that is over, where there was one), ``orders``
  {mae, rmse, bias_percent, n, coverage_80, coverage_by, by_origin}, ``next_order`` {share_inside,
  expected_share, mean_width_days, given_share, cut_share_inside, cut_expected_share, n, by_origin},
  ``churn`` {auc, brier, ece, base_rate, n, calibrated, by_origin, reliability}, ``candidates`` (one
  entry per model of repeat buying that competed, or why it was refused), ``rungs`` (every candidate
  of the blends, and which are published), ``p_alive_as_churn_auc`` (why it is not used),
  ``satisfaction`` (see ``satisfaction.Proof``; absent below 50 hidden answers).
- ``baseline``: ``clv`` and ``orders`` (name ``own_rate_times_horizon`` + same keys),
  ``next_order`` (name ``own_gap_half_either_way``, share_inside, mean_width_days, n, by_origin),
  ``churn`` (name
  ``recency_rule`` + same keys; no figures when the history holds no window to train it on),
  ``satisfaction`` (name ``shop_mean_so_far`` + same keys, and ``own_mean``).
- ``notes``: ``history_starts_at`` (day), ``seasonality_not_learned`` (have / need days),
  ``season_of_last_year`` (the factor) or ``season_not_used`` from 13 months on,
  ``nobody_seen_leaving``, ``backtest_bias`` (have / need per cent),
  ``clv_not_better_than_own_rate`` (mean absolute errors),
  ``churn_not_better_than_recency_rule`` (AUCs), ``satisfaction_unvalidated`` (hidden answers),
  ``satisfaction_not_better_than_shop_mean`` (root mean squared errors).

Reasons: ``result.churn_reasons.row(i)`` gives
``[{"code": "days_since_last_order", "value": 212, "typical": 31, "direction": "up"}, …]`` (codes in
``analytics.ml.reasons.REASON_CODES``).
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analytics.ml import ladder, rfm, satisfaction
from analytics.ml.arrays import CodeArray, FloatArray, IntArray, JsonDict
from analytics.ml.churn import default_horizon
from analytics.ml.clv import ENGINES, NEWTON
from analytics.ml.columns import Spreader, rfm_columns, shop_size
from analytics.ml.explain import KEEP
from analytics.ml.forecast import FORECASTS, Outlook, forecast
from analytics.ml.ladder import NULL_REASONS, Abstention, Note
from analytics.ml.ledger import PurchaseLedger, Refunds
from analytics.ml.next_order import null_codes
from analytics.ml.reasons import REASON_CODES, ReasonColumns
from analytics.ml.rfm import RFM_GROUPS
from analytics.ml.satisfaction import Deliveries, Habits, Operations, Proof, Ratings, Signals
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
    "Refunds",
    "ScoringInput",
    "ScoringResult",
    "score_customers",
]

MODEL_VERSION = "2"


@dataclass(frozen=True)
class ScoringInput:
    """Everything one scoring run may see.

    Attributes
    ----------
    as_of_day : exclusive end of the data, in days since 1970-01-01
    customer_ids : everyone who wants an answer (unique)
    purchases : one row per customer and local purchase day
    refunds : what came back of them; empty where the purchases are net already
    ratings, deliveries, operations : what satisfaction may use; empty by default
    horizon_days : length of the forecast; None chooses it from the shop's own gaps
    discount_rate : annual, for ``clv_12m``
    engine : who maximises the likelihoods, ``"newton"`` or ``"lifetimes"``
    excluded_from_fit : customers (wholesale, test accounts) that are scored but not learned from
    withheld : customers of sources that hardly tell buyers apart: neither learned from nor scored
    """

    as_of_day: int
    customer_ids: IntArray
    purchases: PurchaseDays
    refunds: Refunds = field(default_factory=Refunds.empty)
    ratings: Ratings = field(default_factory=Ratings.empty)
    deliveries: Deliveries = field(default_factory=Deliveries.empty)
    operations: Operations = field(default_factory=Operations.empty)
    horizon_days: int | None = None
    discount_rate: float = 0.10
    engine: str = NEWTON
    excluded_from_fit: IntArray | None = None
    withheld: IntArray | None = None

    def without_withheld(self) -> "ScoringInput":
        """Return the input as if those who are withheld had done nothing."""
        if self.withheld is None or not self.withheld.size:
            return self
        kept: dict[str, Any] = {}
        for name in ("purchases", "refunds", "ratings", "deliveries", "operations"):
            rows = getattr(self, name)
            stays = ~np.isin(rows.customer_id, self.withheld)
            kept[name] = type(rows)(*(column[stays] for column in vars(rows).values()))
        return replace(self, **kept)


@dataclass(frozen=True)
class ScoringResult:
    """The scores of one run; every array follows ``customer_id``.

    Attributes
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"``, ``"nbd"``, or ``""`` when the run abstains from churn
    r_score, f_score, m_score : 1–5, 0 for null
    rfm_group : index into ``RFM_GROUPS``, −1 for null
    expected_orders : expected purchase days in the next ``horizon_days``
    orders_low, orders_high : its 80 % interval, whole numbers
    next_order_from, next_order_until : first and last day of the window in which half of the next
        orders are expected that come at all, in days since 1970-01-01
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
    orders_low: FloatArray
    orders_high: FloatArray
    next_order_from: FloatArray
    next_order_until: FloatArray
    next_order_null: CodeArray
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
    that breaks the contract (repeated customer ids, money that is not a number, no such engine).
    """
    if given.engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}")
    given = given.without_withheld()
    ids = np.unique(given.customer_ids.astype(np.int64))
    if ids.size != given.customer_ids.size:
        raise ValueError("customer_ids must be unique")
    ledger = PurchaseLedger(given.purchases, given.refunds)
    occasions = ledger.occasions(known_before=given.as_of_day)
    summary = summarise(occasions, as_of_day=given.as_of_day)
    size = shop_size(summary, as_of_day=given.as_of_day)
    horizon = given.horizon_days or default_horizon(
        occasion_gaps(occasions),
        history_days=0 if size.first_day is None else given.as_of_day - size.first_day,
        slack_days=ladder.BACKTEST_SLACK_DAYS,
    )
    abstentions, notes = ladder.judge(size, as_of_day=given.as_of_day, horizon_days=horizon)
    outlook = Outlook()
    if all(entry.score != ladder.CHURN for entry in abstentions):
        outlook = forecast(
            ledger,
            summary,
            as_of_day=given.as_of_day,
            horizon_days=horizon,
            discount_rate=given.discount_rate,
            excluded_from_fit=given.excluded_from_fit,
            engine=given.engine,
        )
    return _assemble(
        given,
        horizon,
        summary,
        Spreader(ids, summary, given.withheld),
        replace(
            outlook, abstentions=abstentions + outlook.abstentions, notes=notes + outlook.notes
        ),
    )


def _assemble(
    given: ScoringInput, horizon: int, summary: Summary, spread: Spreader, outlook: Outlook
) -> ScoringResult:
    """Spread everything over all customers and write down what it stands on."""
    learned, abstentions = outlook.learned, outlook.abstentions
    cutoffs = _cutoffs(summary, abstentions)
    satisfied, habits, proof = _satisfaction(given, spread)
    predicted: dict[str, Any] = {
        name: spread.floats(outlook.values.get(name)) for name in FORECASTS
    }
    unscored = spread.nulls(ladder.CHURN, abstentions)
    return ScoringResult(
        as_of_day=given.as_of_day,
        horizon_days=horizon,
        model=learned.buying.model if learned else "",
        model_version=MODEL_VERSION,
        customer_id=spread.customer_ids,
        days_since_last_order=spread.floats(summary.days_since_last_order),
        order_count=spread.integers(summary.order_count),
        total_spend=spread.floats(summary.total_spend),
        **rfm_columns(spread, summary, cutoffs),
        rfm_null=spread.nulls(ladder.RFM, abstentions),
        **predicted,
        clv_reasons=spread.reasons(outlook.clv_reasons, KEEP),
        churn_reasons=spread.reasons(outlook.churn_reasons, KEEP),
        clv_null=spread.nulls(ladder.CLV, abstentions),
        churn_null=unscored,
        next_order_null=null_codes(
            predicted["churn_probability"], predicted["next_order_from"], unscored
        ),
        **satisfied,
        parameters={
            "horizon_days": horizon,
            "discount_rate": given.discount_rate,
            "rfm": cutoffs,
            "satisfaction": habits.to_dict() | satisfaction.CONSTANTS,
            "clv": learned.to_dict() if learned else None,
        },
        metrics=(learned.metrics if learned else {}) | proof.metrics,
        baseline=(learned.baseline if learned else {}) | proof.baseline,
        abstentions=abstentions,
        notes=outlook.notes + proof.notes,
    )


def _cutoffs(summary: Summary, abstentions: tuple[Abstention, ...]) -> JsonDict | None:
    """Return the RFM cut-offs of this run, or None where it abstains."""
    if any(entry.score == ladder.RFM for entry in abstentions):
        return None
    return rfm.fit_cutoffs(
        summary.days_since_last_order.astype(np.float64),
        summary.order_count.astype(np.float64),
        summary.total_spend,
    )


def _satisfaction(given: ScoringInput, spread: Spreader) -> tuple[dict[str, Any], Habits, Proof]:
    """Return the columns of satisfaction, the habits of the shop behind them, and their proof."""
    signals = Signals(given.ratings, given.deliveries, given.operations)
    known = signals.before(given.as_of_day)
    teachers = known.without(given.excluded_from_fit)
    habits = satisfaction.learn(teachers)
    scores = satisfaction.score_satisfaction(
        spread.customer_ids,
        known,
        has_orders=spread.is_buyer,
        as_of_day=given.as_of_day,
        habits=habits,
    )
    unknown = NULL_REASONS.index("no_orders_no_signals")
    columns = {
        "satisfaction": scores.score,
        "satisfaction_low": scores.low,
        "satisfaction_high": scores.high,
        "satisfaction_n_eff": scores.n_eff,
        "satisfaction_inferred_share": scores.inferred_share,
        "satisfaction_reasons": scores.reasons,
        "satisfaction_null": spread.withhold(np.where(np.isnan(scores.score), unknown, 0)).astype(
            np.int8
        ),
    }
    return columns, habits, satisfaction.validate(teachers)
