"""Say in the reader's language what a score means, why it is what it is, or why there is none.

Rows hold codes and numbers; sentences are made here, when they are shown.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.ml import ladder
from analytics.models import CurrentScore, ScoringRun

__all__ = [
    "definition",
    "explain_abstention",
    "explain_churn",
    "explain_clv",
    "explain_note",
    "explain_run",
    "explain_satisfaction",
    "model_label",
]

EPOCH = date(1970, 1, 1)
Reason = Mapping[str, Any]


def explain_churn(score: CurrentScore) -> list[str]:
    """Return why the churn risk is what it is, strongest reason first."""
    effects = {"up": _("raises the risk"), "down": _("lowers the risk"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("churn", [])]


def explain_clv(score: CurrentScore) -> list[str]:
    """Return why the predicted spend is what it is, strongest reason first."""
    effects = {"up": _("raises the value"), "down": _("lowers the value"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("clv", [])]


def explain_satisfaction(score: CurrentScore) -> list[str]:
    """Return why the satisfaction is what it is, strongest reason first."""
    effects = {"up": _("raises the score"), "down": _("lowers the score"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("satisfaction", [])]


def explain_abstention(
    code: str,
    *,
    have: float | None = None,
    need: float | None = None,
    day: int | None = None,
    detail: str = "",
    score: str = "",
) -> str:
    """Return why there is no score, and what would change that; empty for an empty code."""
    values = {
        "have": _number(have or 0),
        "need": _number(need or 0),
        "day": _day(day) if day is not None else "—",
        "detail": detail,
    }
    sentences = {
        "no_orders": _("No paid order yet; the first one is scored by the next run."),
        "no_orders_no_signals": _("No order, answer or ticket yet."),
        "too_few_buyers": _(
            "%(have)s customers have bought; it takes %(need)s to tell a pattern from chance."
        ),
        "too_few_repeaters": _(
            "%(have)s customers have come back; it takes %(need)s to learn how they do."
        ),
        "no_data_since": _(
            "No data since %(day)s: that is %(have)s days before this run, and more than "
            "%(need)s days would be guessing. Import newer orders."
        ),
        "history_too_short": _(
            "%(have)s days of history; a forecast that can be proved on the past takes %(need)s."
        ),
        "too_few_early_buyers": _(
            "Only %(have)s customers had bought early enough to test a forecast on them; "
            "it takes %(need)s."
        ),
        "degenerate_fit": _(
            "The models do not describe how this shop's customers buy, so no forecast is given "
            "(%(detail)s)."
        ),
    }
    return sentences[code] % values if code in sentences else code


def explain_note(code: str, *, have: Any = None, need: Any = None, day: int | None = None) -> str:
    """Return what must be said beside all scores of a run."""
    values = {
        "have": _number(have or 0, 2),
        "need": _number(need or 0, 2),
        "day": _day(day) if day is not None else "—",
    }
    sentences = {
        "history_starts_at": _(
            "The history starts on %(day)s; earlier orders, if there were any, are not known."
        ),
        "seasonality_not_learned": _(
            "%(have)s days of history: less than 13 months, so seasons are not learned."
        ),
        "nobody_seen_leaving": _(
            "Nobody is seen leaving for good in these data, so “alive” says nothing here."
        ),
        "backtest_bias": _(
            "In the backtest the total was off by %(have)s %% (more than %(need)s %%): read the "
            "predicted spend as a ranking."
        ),
        "clv_not_better_than_own_rate": _(
            "In the backtest each customer's own past rate missed by %(need)s on average, the "
            "model by %(have)s."
        ),
        "churn_not_better_than_recency_rule": _(
            "In the backtest the days since the last order ranked churn at least as well "
            "(AUC %(need)s against %(have)s)."
        ),
    }
    return sentences[code] % values if code in sentences else code


def explain_run(run: ScoringRun) -> list[str]:
    """Return in sentences what a run did not score, and what to keep in mind about the rest."""
    refused: dict[str, list[str]] = {}
    for entry in run.abstentions:
        refused.setdefault(explain_abstention(**entry), []).append(_score_label(entry["score"]))
    sentences = [f"{', '.join(names)}: {text}" for text, names in refused.items()]
    notes = [explain_note(**entry) for entry in run.parameters.get("notes", [])]
    return [*sentences, *notes, *([run.error] if run.error else [])]


def definition(score_name: str, run: ScoringRun) -> str:
    """Return what a score means, for which period, what its interval holds, and how good it is.

    ``score_name`` is a field of the score row: churn_probability, predicted_clv, clv_12m,
    satisfaction, rfm_group or p_alive.
    """
    texts: dict[str, Callable[[ScoringRun], list[str]]] = {
        "churn_probability": _define_churn,
        "predicted_clv": _define_clv,
        "clv_12m": _define_year,
        "satisfaction": _define_satisfaction,
        "rfm_group": _define_rfm,
        "p_alive": _define_alive,
    }
    return " ".join(texts[score_name](run))


def model_label(run: ScoringRun) -> str:
    """Return the model's usual name."""
    names = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "nbd": "NBD"}
    return names.get(run.model_name, run.model_name or "—")


def _define_churn(run: ScoringRun) -> list[str]:
    text = [
        _("Probability of no paid order in the %(days)s days from %(day)s on.") % _span(run),
        _(
            "With 80 % certainty the band holds the share that lapsed among customers with such "
            "a score in the backtest."
        ),
    ]
    model, rule = run.metrics.get("churn"), run.baseline.get("churn", {})
    if model and model.get("auc") is not None:
        text.append(
            _("In the last backtest the model's AUC was %(model)s (%(n)s customers).")
            % {"model": _figure(model["auc"]), "n": _number(model["n"])}
            if rule.get("auc") is None
            else _(
                "In the last backtest the model's AUC was %(model)s, the recency rule's %(rule)s; "
                "its Brier score %(brier)s, the rule's %(rule_brier)s."
            )
            % {
                "model": _figure(model["auc"]),
                "rule": _figure(rule["auc"]),
                "brier": _figure(model["brier"]),
                "rule_brier": _figure(rule["brier"]),
            }
        )
    return text


def _define_clv(run: ScoringRun) -> list[str]:
    text = [
        _(
            "Expected spend in %(currency)s in the %(days)s days from %(day)s on, "
            "net of what is returned."
        )
        % _span(run),
        _("8 of 10 customers with such a prediction spent an amount within the band."),
    ]
    model, naive = run.metrics.get("clv"), run.baseline.get("clv")
    if model and naive:
        text.append(
            _(
                "In the last backtest it missed by %(model)s on average, each customer's own past "
                "rate by %(naive)s; its ranking reached a Gini of %(gini)s, the rate's "
                "%(naive_gini)s; the bands held %(coverage)s %%."
            )
            % {
                "model": _number(model["mae"], 2),
                "naive": _number(naive["mae"], 2),
                "gini": _figure(model.get("gini")),
                "naive_gini": _figure(naive.get("gini")),
                "coverage": _number(100 * model["coverage_80"], 0),
            }
        )
    return text


def _define_year(run: ScoringRun) -> list[str]:
    rate = _number(100 * float(run.discount_rate or 0), 1)
    return [
        _(
            "Expected spend in the 365 days from %(day)s on, discounted to that day at "
            "%(rate)s %% a year."
        )
        % {**_span(run), "rate": rate}
    ]


def _define_satisfaction(run: ScoringRun) -> list[str]:
    return [
        _(
            "Satisfaction from 0 to 100 as of %(day)s, from ratings and answers, newer ones "
            "counting more (half after 180 days)."
        )
        % _span(run),
        _(
            "Where answers are few, what delivery delays, returns and tickets let one expect "
            "fills in; the share of that is shown. The band holds 8 of 10."
        ),
    ]


def _define_rfm(run: ScoringRun) -> list[str]:
    return [
        _(
            "R: days since the last order, F: days with an order, M: spend, each from 1 (lowest "
            "fifth of the customers) to 5 (best fifth) as of %(day)s; the group follows from the "
            "three."
        )
        % _span(run)
    ]


def _define_alive(run: ScoringRun) -> list[str]:
    return [
        _(
            "The model's probability that the customer has not left for good by %(day)s. It is "
            "not one minus the churn risk, and ranks it badly."
        )
        % _span(run)
    ]


def _sentence(entry: Reason, effects: Mapping[str, str]) -> str:
    """Word one reason and the way it pushes."""
    words = _WORDS.get(entry.get("code", ""))
    if words is None:
        return str(entry.get("code", ""))
    text = words(entry.get("value"), entry.get("typical"))
    effect = effects.get(entry.get("direction", "flat"), "")
    return f"{text}: {effect}." if effect else f"{text}."


def _last_order(value: Any, typical: Any) -> str:
    ago = ngettext("Last order %(n)s day ago", "Last order %(n)s days ago", int(value)) % {
        "n": _number(value)
    }
    usual = ngettext(
        "a new one is usual after %(n)s day",
        "a new one is usual after %(n)s days",
        max(1, round(typical)),
    ) % {"n": _number(max(1, round(typical)))}
    return f"{ago}; {usual}"


def _gap(value: Any, typical: Any) -> str:
    return _("Usually orders every %(value)s days, the shop's customers every %(typical)s") % {
        "value": _number(round(value)),
        "typical": _number(round(typical)),
    }


def _orders(value: Any, typical: Any) -> str:
    return ngettext(
        "Ordered on %(value)s day, the middle customer on %(typical)s",
        "Ordered on %(value)s days, the middle customer on %(typical)s",
        int(value),
    ) % {"value": _number(value), "typical": _number(typical)}


def _order_value(value: Any, typical: Any) -> str:
    return _("Spends %(value)s a day of ordering, the middle customer %(typical)s") % {
        "value": _number(value, 2),
        "typical": _number(typical, 2),
    }


def _rating(value: Any, typical: Any) -> str:
    return _(
        "Answers average %(value)s of 5 stars; %(typical)s is usual after an order on time"
    ) % {
        "value": _number(1 + 4 * value, 1),
        "typical": _number(1 + 4 * typical, 1),
    }


def _delay(value: Any, _typical: Any) -> str:
    if value <= 0:
        return _("Parcels came %(days)s days before the promised day") % {
            "days": _number(-value, 1)
        }
    return _("Parcels came %(days)s days after the promised day") % {"days": _number(value, 1)}


def _returns(value: Any, _typical: Any) -> str:
    return _("Something came back from %(share)s %% of the orders") % {
        "share": _number(100 * value, 0)
    }


def _tickets(value: Any, _typical: Any) -> str:
    return ngettext("%(n)s request for help", "%(n)s requests for help", int(value)) % {
        "n": _number(value)
    }


def _silence(_value: Any, _typical: Any) -> str:
    return _("No answer yet; this is what is usual after orders like these")


_WORDS: dict[str, Callable[[Any, Any], str]] = {
    "days_since_last_order": _last_order,
    "own_usual_gap": _gap,
    "order_count": _orders,
    "average_order_value": _order_value,
    "rating": _rating,
    "delivery_delay": _delay,
    "return_share": _returns,
    "ticket_count": _tickets,
    "no_answer_yet": _silence,
}


def _score_label(score: str) -> str:
    labels = {
        ladder.RFM: _("RFM"),
        ladder.CLV: _("Predicted spend"),
        ladder.CHURN: _("Churn risk"),
    }
    return labels.get(score, score)


def _span(run: ScoringRun) -> dict[str, str]:
    return {
        "days": _number(run.horizon_days) if run.horizon_days else "—",
        "day": date_format(run.as_of_day, "DATE_FORMAT"),
        "currency": run.currency,
    }


def _day(day: int) -> str:
    return date_format(EPOCH + timedelta(days=day), "DATE_FORMAT")


def _number(value: float, places: int = 0) -> str:
    """Write a number as readers write it; whole numbers without a fraction."""
    return number_format(round(value, places), places if places else 0, force_grouping=True)


def _figure(value: float | None) -> str:
    return "—" if value is None else number_format(value, 3)


def money_range(low: Decimal | None, high: Decimal | None) -> str:
    """Write a range of amounts whose ends may be open."""
    if low is None:
        return _("below %(high)s") % {"high": _amount(high)}
    if high is None:
        return _("%(low)s and more") % {"low": _amount(low)}
    return f"{_amount(low)}–{_amount(high)}"


def _amount(value: Decimal | None) -> str:
    whole = value is not None and value == value.to_integral_value()
    return number_format(value or 0, 0 if whole else 2, force_grouping=True)
