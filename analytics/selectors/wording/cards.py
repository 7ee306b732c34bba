"""Put a customer's scores, or a run's backtest, into boxes that a page shows as they are."""

from typing import Any

from django.utils.translation import gettext as _

from analytics.ml.margin import MARGIN
from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording.abstentions import explain_abstention, why_missing
from analytics.selectors.wording.definitions import definition
from analytics.selectors.wording.margin import Shown, margin_rate, margin_rows, margin_unit
from analytics.selectors.wording.numbers import amount, day_range, figure, number, percent
from analytics.selectors.wording.reasons import explain_churn, explain_clv, explain_satisfaction

Card = dict[str, Any]


def score_cards(score: CurrentScore, run: ScoringRun) -> list[Card]:
    """Return one card a score: label, value, range, unit, tone, reasons, definition.

    Numbers are texts; ``silent`` says why there is none, and is empty where there is one.
    """
    boxes = (_churn, _next_order, _orders, _clv, _margin, _satisfaction, _rfm)
    return [box(score, run) for box in boxes]


def silent_cards(run: ScoringRun) -> list[Card]:
    """Return the cards of a run that scored nobody: why, in place of the values."""
    nobody = CurrentScore(run=run)
    return [_churn(nobody, run), _clv(nobody, run), _rfm(nobody, run)]


def backtest_rows(run: ScoringRun) -> list[dict[str, Any]]:
    """Return the run's figures beside the naive baseline's; none where nothing was tested.

    ``winner`` is “model”, “baseline” or, where there is nothing to compare, empty.
    """
    shown = [*_churn_rows(run), *_order_rows(run), *_value_rows(run), *margin_rows(run)]
    return [
        {
            "label": label,
            "model": write(model[key]) if model.get(key) is not None else "—",
            "baseline": write(baseline[key]) if baseline.get(key) is not None else "—",
            "winner": _winner(model.get(key), baseline.get(key), sense),
        }
        for label, write, model, baseline, key, sense in shown
        if key in model
    ]


def _sides(run: ScoringRun, score: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of a score and those of its naive baseline; empty where there are none."""
    return run.metrics.get(score) or {}, run.baseline.get(score) or {}


def _churn_rows(run: ScoringRun) -> list[Shown]:
    churn, rule = _sides(run, "churn")
    return [
        (_("Churn: AUC (1 ranks perfectly, 0.5 guesses)"), figure, churn, rule, "auc", 1),
        (_("Churn: AUC of who bought in the last 120 days"), figure, churn, rule, "auc_recent", 1),
        (_("Churn: the riskiest tenth lapsed, times the average"), figure, churn, rule, "lift", 1),
        (_("Churn: Brier score (0 is perfect)"), figure, churn, rule, "brier", -1),
        (_("Churn: calibration error"), figure, churn, rule, "ece", -1),
        (_("Churn: share that lapsed"), figure, churn, {}, "base_rate", 0),
    ]


def _order_rows(run: ScoringRun) -> list[Shown]:
    window, gap = _sides(run, "next_order")
    orders, rate = _sides(run, "orders")
    held = _("Next order: share within the days foretold")
    days = _("Next order: days foretold, on average")
    total = _("Orders: total too high (+) or low (−), %")
    return [
        (held, figure, window, gap, "share_inside", 0),
        (_("Next order: share the model had said"), figure, window, {}, "expected_share", 0),
        (days, _tenths, window, gap, "mean_width_days", 0),
        (_("Orders: mean error per customer"), figure, orders, rate, "mae", -1),
        (_("Orders: root mean squared error"), figure, orders, rate, "rmse", -1),
        (total, _bias, orders, rate, "bias_percent", -1),
        (_("Orders: share inside the 80 % band"), figure, orders, {}, "coverage_80", 0),
    ]


def _value_rows(run: ScoringRun) -> list[Shown]:
    clv, naive = _sides(run, "clv")
    year, own = _sides(run, "clv_12m")
    total = _("Value in 12 months: total too high (+) or low (−), %")
    return [
        (_("Spend: mean error per customer"), amount, clv, naive, "mae", -1),
        (_("Spend: root mean squared error"), amount, clv, naive, "rmse", -1),
        (_("Spend: total too high (+) or low (−), %"), _bias, clv, naive, "bias_percent", -1),
        (_("Spend: Gini of the ranking (1 is perfect)"), figure, clv, naive, "gini", 1),
        (_("Spend: share inside the 80 % band"), figure, clv, {}, "coverage_80", 0),
        (_("Value in 12 months: mean error"), amount, year, own, "mae", -1),
        (total, _bias, year, own, "bias_percent", -1),
    ]


def _winner(model: float | None, baseline: float | None, sense: int) -> str:
    """Say whose figure is better; with ``sense`` −1 the one nearer to zero."""
    if model is None or baseline is None or sense == 0:
        return ""
    ahead = model - baseline if sense > 0 else abs(baseline) - abs(model)
    return "model" if ahead > 0 else "baseline" if ahead < 0 else ""


def _churn(score: CurrentScore, run: ScoringRun) -> Card:
    return _card(
        "churn_probability",
        _("Churn risk"),
        run,
        value=percent(score.churn_probability),
        low=percent(score.churn_low),
        high=percent(score.churn_high),
        unit=_within(run),
        tone=_tone(score.churn_probability, bad_from=0.7, fair_from=0.4),
        reasons=explain_churn(score),
        silent=why_missing("churn", run, score.abstained),
    )


def _next_order(score: CurrentScore, run: ScoringRun) -> Card:
    first, last = score.next_order_from, score.next_order_until
    silent = why_missing("churn", run, score.abstained)
    if not silent:  # the customer is scored, but an order is unlikely or far away
        reason = {"code": score.next_order_abstained, "need": run.horizon_days}
        silent = explain_abstention(reason)
    return _card(
        "next_order",
        _("Next order"),
        run,
        value=day_range(first, last, year=run.as_of_day.year) if first and last else "",
        unit=_("if there is one, with a chance of one half"),
        reasons=[],
        silent=silent,
    )


def _orders(score: CurrentScore, run: ScoringRun) -> Card:
    return _card(
        "expected_orders",
        _("Expected orders"),
        run,
        value="" if score.expected_orders is None else number(score.expected_orders, 1),
        low=_whole(score.orders_low),
        high=_whole(score.orders_high),
        unit=_within(run),
        reasons=[],
        silent=why_missing("churn", run, score.abstained),
    )


def _clv(score: CurrentScore, run: ScoringRun) -> Card:
    return _card(
        "predicted_clv",
        _("Predicted spend"),
        run,
        value=amount(score.predicted_clv),
        low=amount(score.clv_low),
        high=amount(score.clv_high),
        unit=f"{run.currency} {_within(run)}",
        reasons=explain_clv(score),
        silent=why_missing("clv", run, score.abstained),
        more=_year(score, run),
    )


def _year(score: CurrentScore, run: ScoringRun) -> list[str]:
    """Return the value in 12 months in a line, and what it stands on."""
    if score.clv_12m is None:
        return []
    value = {"amount": amount(score.clv_12m), "currency": run.currency}
    line = (
        _("In 12 months: %(amount)s %(currency)s.")
        if run.metrics.get("clv_12m")
        else _("In 12 months: %(amount)s %(currency)s, extrapolated.")
    )
    return [line % value, definition("clv_12m", run)]


def _margin(score: CurrentScore, run: ScoringRun) -> Card:
    return _card(
        "margin_12m",
        _("Margin in 12 months"),
        run,
        value=amount(score.margin_12m),
        unit=margin_unit(run),
        reasons=margin_rate(score, run),
        silent=why_missing("clv", run, score.abstained) or why_missing(MARGIN, run, ""),
    )


def _satisfaction(score: CurrentScore, run: ScoringRun) -> Card:
    value, inferred = score.satisfaction, score.satisfaction_inferred
    reasons = explain_satisfaction(score)
    if inferred is not None:
        share = number(100 * inferred)
        reasons.append(_("%(share)s %% is inferred, the rest is from answers.") % {"share": share})
    return _card(
        "satisfaction",
        _("Satisfaction"),
        run,
        value=_whole(value),
        low=_whole(score.satisfaction_low),
        high=_whole(score.satisfaction_high),
        unit=_("of 100"),
        tone=_tone(None if value is None else 100 - value, bad_from=50, fair_from=30),
        reasons=reasons,
        silent=explain_abstention({"code": "no_orders_no_signals"}),
    )


def _rfm(score: CurrentScore, run: ScoringRun) -> Card:
    return _card(
        "rfm_group",
        _("RFM group"),
        run,
        value=score.get_rfm_group_display() if score.rfm_group else "",
        unit=f"R{score.r_score} F{score.f_score} M{score.m_score}" if score.r_score else "",
        reasons=[],
        silent=why_missing("rfm", run, score.abstained),
    )


def _card(key: str, label: str, run: ScoringRun, **values: Any) -> Card:
    card = {"low": "", "high": "", "tone": "neutral", **values}
    if card["value"]:
        card["silent"] = ""
    band = f"{card['low']} – {card['high']}" if card["value"] and card["low"] else ""
    card["range"] = " · ".join(part for part in (band, card["unit"]) if part and card["value"])
    return {"key": key, "label": label, "definition": definition(key, run), **card}


def _within(run: ScoringRun) -> str:
    return _("in %(days)s days") % {"days": run.horizon_days or "—"}


def _tone(value: float | None, *, bad_from: float, fair_from: float) -> str:
    if value is None:
        return "neutral"
    return "bad" if value >= bad_from else "fair" if value >= fair_from else "good"


def _whole(value: float | None) -> str:
    return "" if value is None else number(value)


def _tenths(value: float) -> str:
    return number(value, 1)


def _bias(value: float) -> str:
    return f"{value:+.1f}"
