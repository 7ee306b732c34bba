"""A customer's scores and a run's backtest, ready to be shown."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording import (
    definition,
    explain_abstention,
    explain_churn,
    explain_clv,
    explain_satisfaction,
)


def score_cards(score: CurrentScore, run: ScoringRun) -> list[dict[str, Any]]:
    """Return a customer's scores with interval, definition and reasons."""
    silent = explain_abstention(score.abstained)
    money = f" {run.currency}"
    return [
        {
            "label": _("Churn risk"),
            "value": _text(score.churn_probability, percent=True),
            "range": _range(score.churn_low, score.churn_high, percent=True),
            "definition": definition("churn_probability", run),
            "reasons": explain_churn(score),
            "silent": silent,
        },
        {
            "label": _("Predicted spend"),
            "value": _text(score.predicted_clv, unit=money),
            "range": _range(score.clv_low, score.clv_high, unit=money),
            "definition": definition("predicted_clv", run),
            "reasons": explain_clv(score),
            "silent": silent,
        },
        {
            "label": _("Satisfaction"),
            "value": _text(score.satisfaction),
            "range": _range(score.satisfaction_low, score.satisfaction_high),
            "definition": definition("satisfaction", run),
            "reasons": explain_satisfaction(score),
            "silent": "",
        },
        {
            "label": _("RFM group"),
            "value": score.get_rfm_group_display() if score.rfm_group else "–",
            "range": f"R {score.r_score} · F {score.f_score} · M {score.m_score}"
            if score.r_score
            else "",
            "definition": definition("rfm_group", run),
            "reasons": [],
            "silent": "" if score.rfm_group else silent,
        },
    ]


def backtest_rows(run: ScoringRun) -> list[dict[str, str]]:
    """Return the run's measures beside the naive baseline's; none without a backtest."""
    labels = {
        ("clv", "mae"): _("Spend: mean absolute error"),
        ("clv", "rmse"): _("Spend: root mean square error"),
        ("clv", "bias_percent"): _("Spend: bias in per cent"),
        ("clv", "gini"): _("Spend: ranking (normalised Gini)"),
        ("clv", "coverage_80"): _("Spend: share inside the interval meant to hold four fifths"),
        ("churn", "auc"): _("Churn: ranking (AUC)"),
        ("churn", "brier"): _("Churn: Brier score"),
        ("churn", "ece"): _("Churn: calibration error"),
    }
    return [
        {
            "label": label,
            "model": _measure(run.metrics[score].get(name)),
            "baseline": _measure(run.baseline.get(score, {}).get(name)),
        }
        for (score, name), label in labels.items()
        if run.metrics.get(score)
    ]


def _measure(value: Any) -> str:
    if value is None:
        return "–"
    return str(number_format(float(value), 3 if abs(float(value)) < 10 else 0, force_grouping=True))


def _text(value: Any, *, percent: bool = False, unit: str = "") -> str:
    if value is None:
        return "–"
    number = 100 * float(value) if percent else float(value)
    return f"{number_format(number, 0, force_grouping=True)}{' %' if percent else unit}"


def _range(low: Any, high: Any, *, percent: bool = False, unit: str = "") -> str:
    if low is None:
        return ""
    ends = (_text(end, percent=percent, unit=unit) for end in (low, high))
    return " – ".join(ends)
