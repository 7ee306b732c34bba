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

- ``parameters``: ``clv`` (``CustomerValueModel.to_dict``), ``churn`` (calibration), ``rfm``
  (cut-offs), ``satisfaction``, ``horizon_days``, ``discount_rate``.
- ``metrics``: ``origins`` (days), ``clv`` {mae, rmse, bias_percent, gini, coverage_80, n},
  ``churn`` {auc, brier, ece, base_rate, n}, ``candidates`` (one entry per model that competed).
- ``baseline``: ``clv`` (name ``own_rate_times_horizon`` + same keys), ``churn`` (name
  ``recency_rule`` + same keys).

Reasons: ``result.churn_reasons.row(i)`` gives
``[{"code": "days_since_last_order", "value": 212, "typical": 31, "direction": "up"}, …]`` (codes in
``analytics.ml.reasons.REASON_CODES``).
"""

from dataclasses import dataclass, field

from analytics.ml.arrays import CodeArray, FloatArray, IntArray, JsonDict
from analytics.ml.ladder import NULL_REASONS, Abstention, Note
from analytics.ml.reasons import REASON_CODES, ReasonColumns
from analytics.ml.rfm import RFM_GROUPS
from analytics.ml.satisfaction import Deliveries, Operations, Ratings
from analytics.ml.summary import PurchaseDays

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
]

MODEL_VERSION = "1"


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
    model : ``"bg_nbd"``, ``"mbg_nbd"``, or ``""`` when the run abstains from CLV and churn
    r_score, f_score, m_score : 1–5, 0 for null
    rfm_group : index into ``RFM_GROUPS``, −1 for null
    expected_orders : expected purchase days in the next ``horizon_days``
    predicted_clv, clv_low, clv_high : spend in the next ``horizon_days`` and its 80 % interval
    clv_12m : spend in the next 365 days, discounted at ``discount_rate`` a year
    p_alive : latent probability of the model; never a churn score
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
