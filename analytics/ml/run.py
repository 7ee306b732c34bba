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
  order_intervals, season, blend} or null, ``margin_12m`` (rates, and the share of the spend whose
  costs are known) or null.
- ``metrics`` (satisfaction alone when the run abstains): ``origins`` (days), ``clv`` {mae, rmse,
  bias_percent, gini, n, coverage_80, coverage_by, by_origin, deciles, gamma_gamma_refused} (absent
  when CLV alone abstains), ``clv_12m`` (the year that is over, where there was one), ``margin_12m``
  {rate {mae, rmse, bias, n, by_origin}, year {mae, rmse, bias_percent, n, origin}}, each where it
  could be held against something, ``orders``
  {mae, rmse, bias_percent, n, coverage_80, coverage_by, by_origin}, ``next_order`` {share_inside,
  expected_share, mean_width_days, given_share, cut_share_inside, cut_expected_share, n, by_origin},
  ``churn`` {auc, auc_recent, lift, brier, ece, base_rate, n, calibrated, by_origin, reliability,
  band_coverage {share_inside, expected_share, bins, by}}, ``candidates`` (one entry per model of
  repeat buying that competed, or why it was refused), ``rungs`` (every candidate of the blends,
  and which are published), ``p_alive_as_churn_auc`` (why it is not used), ``satisfaction`` (see
  ``satisfaction.Proof``; absent below 50 hidden answers).
- ``baseline``: ``clv`` and ``orders`` (name ``own_rate_times_horizon`` + same keys),
  ``margin_12m`` (rate: name ``shop_rate`` + same keys, and ``own_rate``; year: name
  ``own_margin_so_far`` + same keys), ``next_order`` (name ``own_gap_half_either_way``,
  share_inside, mean_width_days, n, by_origin), ``churn`` (name
  ``recency_rule`` + same keys; no figures when the history holds no window to train it on),
  ``satisfaction`` (name ``shop_mean_so_far`` + same keys, and ``own_mean``).
- ``notes``: ``history_starts_at`` (day), ``seasonality_not_learned`` (have / need days),
  ``season_of_last_year`` (the factor) or ``season_not_used`` from 13 months on,
  ``nobody_seen_leaving``, ``backtest_bias`` (have / need per cent),
  ``clv_not_better_than_own_rate`` (mean absolute errors),
  ``churn_not_better_than_recency_rule`` (AUCs), ``satisfaction_unvalidated`` (hidden answers),
  ``satisfaction_not_better_than_shop_mean`` (root mean squared errors),
  ``margin_rates_untested``, ``margin_rates_not_better_than_shop_rate`` (root mean squared errors in
  points), ``margin_not_better_than_own_margin`` (mean absolute errors).

Reasons: ``result.churn_reasons.row(i)`` gives
``[{"code": "days_since_last_order", "value": 212, "typical": 31, "direction": "up"}, …]`` (codes in
``analytics.ml.reasons.REASON_CODES``).
"""

from dataclasses import dataclass
from typing import Any

from analytics.ml.arrays import JsonDict
from analytics.ml.errors import DegenerateFitError
from analytics.ml.fitted import FittedShop, fit_shop
from analytics.ml.inputs import ScoringInput
from analytics.ml.ladder import NULL_REASONS, Abstention, Note
from analytics.ml.ledger import Refunds
from analytics.ml.margin import Costs
from analytics.ml.reasons import REASON_CODES, ReasonColumns
from analytics.ml.rfm import RFM_GROUPS
from analytics.ml.satisfaction import Deliveries, Operations, Ratings
from analytics.ml.scores import Scores, score_part
from analytics.ml.summary import PurchaseDays

__all__ = [
    "MODEL_VERSION",
    "NULL_REASONS",
    "REASON_CODES",
    "RFM_GROUPS",
    "Abstention",
    "Costs",
    "Deliveries",
    "FittedShop",
    "Note",
    "Operations",
    "PurchaseDays",
    "Ratings",
    "ReasonColumns",
    "Refunds",
    "Scores",
    "ScoringInput",
    "ScoringResult",
    "fit_shop",
    "score_customers",
    "score_part",
]

MODEL_VERSION = "3"


@dataclass(frozen=True)
class ScoringResult(Scores):
    """The scores of all customers and what they stand on.

    Attributes
    ----------
    model : ``"bg_nbd"``, ``"mbg_nbd"``, ``"nbd"``, or ``""`` when the run abstains from churn
    """

    as_of_day: int
    horizon_days: int
    model: str
    model_version: str
    parameters: JsonDict
    metrics: JsonDict
    baseline: JsonDict
    abstentions: tuple[Abstention, ...]
    notes: tuple[Note, ...]


def score_customers(given: ScoringInput) -> ScoringResult:
    """Fit on all customers of ``given`` and score every one of them in one go."""
    fitted = fit_shop(given)
    try:
        scores = score_part(fitted, given)
    except DegenerateFitError as error:
        fitted = fitted.without_forecasts(str(error))
        scores = score_part(fitted, given)
    told: dict[str, Any] = {
        name: getattr(fitted, name)
        for name in (
            "as_of_day",
            "horizon_days",
            "model",
            "parameters",
            "metrics",
            "baseline",
            "abstentions",
            "notes",
        )
    }
    return ScoringResult(**vars(scores), **told, model_version=MODEL_VERSION)
