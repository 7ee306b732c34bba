"""Score some of a shop's customers with what was fitted on all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.ml import ladder, satisfaction
from analytics.ml.arrays import CodeArray, FloatArray, IntArray
from analytics.ml.columns import Spreader, rfm_columns
from analytics.ml.explain import KEEP
from analytics.ml.fitted import FittedShop
from analytics.ml.forecaster import FORECASTS, Outlook
from analytics.ml.inputs import ScoringInput
from analytics.ml.ladder import NULL_REASONS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.margin import margin_in
from analytics.ml.next_order import null_codes
from analytics.ml.reasons import ReasonColumns
from analytics.ml.summary import summarise


@dataclass(frozen=True)
class Scores:
    """The scores of some customers; every array follows ``customer_id``, which ascends.

    Attributes
    ----------
    r_score, f_score, m_score : 1–5, 0 for null
    rfm_group : index into ``RFM_GROUPS``, −1 for null
    expected_orders : expected purchase days in the next ``horizon_days``
    orders_low, orders_high : its 80 % interval, whole numbers
    next_order_from, next_order_until : first and last day of the window in which half of the next
        orders are expected that come at all, in days since 1970-01-01
    predicted_clv, clv_low, clv_high : spend in the next ``horizon_days`` and its 80 % interval
    clv_12m : spend in the next 365 days, discounted at ``discount_rate`` a year
    margin_12m : the margin in it
    p_alive : latent probability of the model, never a churn score; NaN for all under ``"nbd"``
    churn_probability, churn_low, churn_high : P(no order within ``horizon_days``), 80 % band
    satisfaction, satisfaction_low, satisfaction_high : 0–100
    satisfaction_n_eff : weight of the answers behind it; satisfaction_inferred_share : 1 when none
    """

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
    margin_12m: FloatArray
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


def score_part(fitted: FittedShop, given: ScoringInput) -> Scores:
    """Score the customers of ``given``, whose rows are all that is looked at.

    However the customers are divided into parts, each gets the same score. Raises
    DegenerateFitError when a single prediction is not a finite number, ValueError for repeated
    customer ids.
    """
    given = given.without_withheld()
    ids = np.unique(given.customer_ids.astype(np.int64))
    if ids.size != given.customer_ids.size:
        raise ValueError("customer_ids must be unique")
    ledger = PurchaseLedger(given.purchases, given.refunds)
    occasions = ledger.occasions(known_before=fitted.as_of_day)
    summary = summarise(occasions, as_of_day=fitted.as_of_day)
    outlook = Outlook({})
    if fitted.forecaster is not None:
        outlook = fitted.forecaster.predict(summary, occasions)
    spread = Spreader(ids, summary, given.withheld)
    predicted: dict[str, Any] = {
        name: spread.floats(outlook.values.get(name)) for name in FORECASTS
    }
    unscored = spread.nulls(ladder.CHURN, fitted.abstentions)
    return Scores(
        customer_id=ids,
        days_since_last_order=spread.floats(summary.days_since_last_order),
        order_count=spread.integers(summary.order_count),
        total_spend=spread.floats(summary.total_spend),
        **rfm_columns(spread, summary, fitted.cutoffs),
        rfm_null=spread.nulls(ladder.RFM, fitted.abstentions),
        **predicted,
        margin_12m=margin_in(fitted.margin, predicted["clv_12m"], ids, given.costs_known),
        clv_reasons=spread.reasons(outlook.clv_reasons, KEEP),
        churn_reasons=spread.reasons(outlook.churn_reasons, KEEP),
        clv_null=spread.nulls(ladder.CLV, fitted.abstentions),
        churn_null=unscored,
        next_order_null=null_codes(
            predicted["churn_probability"], predicted["next_order_from"], unscored
        ),
        **_satisfaction(fitted, given, spread),
    )


def _satisfaction(fitted: FittedShop, given: ScoringInput, spread: Spreader) -> dict[str, Any]:
    """Return the columns of satisfaction."""
    scores = satisfaction.score_satisfaction(
        spread.customer_ids,
        given.signals,
        has_orders=spread.is_buyer,
        as_of_day=fitted.as_of_day,
        habits=fitted.habits,
    )
    unknown = NULL_REASONS.index("no_orders_no_signals")
    nulls = spread.withhold(np.where(np.isnan(scores.score), unknown, 0))
    return {
        "satisfaction": scores.score,
        "satisfaction_low": scores.low,
        "satisfaction_high": scores.high,
        "satisfaction_n_eff": scores.n_eff,
        "satisfaction_inferred_share": scores.inferred_share,
        "satisfaction_reasons": scores.reasons,
        "satisfaction_null": nulls.astype(np.int8),
    }
