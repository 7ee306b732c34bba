"""Say what a score means, for which period, and how good it was on the past."""

from collections.abc import Callable

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.models import ScoringRun
from analytics.selectors.wording.margin import define_margin
from analytics.selectors.wording.numbers import figure, number, sentences
from analytics.selectors.wording.validation import band_words


def definition(score_name: str, run: ScoringRun) -> str:
    """Return what a score means, for which period, what its interval holds, and how good it is.

    ``score_name`` is a field of the score row: churn_probability, expected_orders, predicted_clv,
    clv_12m, margin_12m, satisfaction, rfm_group or p_alive; or next_order.
    """
    texts: dict[str, Callable[[ScoringRun], list[str]]] = {
        "churn_probability": _define_churn,
        "next_order": _define_next_order,
        "expected_orders": _define_orders,
        "predicted_clv": _define_clv,
        "clv_12m": _define_year,
        "margin_12m": define_margin,
        "satisfaction": _define_satisfaction,
        "rfm_group": _define_rfm,
        "p_alive": _define_alive,
    }
    return sentences(texts[score_name](run))


def model_label(run: ScoringRun) -> str:
    """Return the usual name of the model of repeat buying, and what its scores are blended with."""
    names = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "nbd": "NBD"}
    name = names.get(run.model_name, run.model_name or "—")
    published = set(run.metrics.get("rungs", {}).get("published", {}).values())
    if "with_trees" in published:
        return _("%(model)s, linear learner, trees") % {"model": name}
    if "with_linear" in published:
        return _("%(model)s, linear learner") % {"model": name}
    return name


def _define_churn(run: ScoringRun) -> list[str]:
    text = [
        _("Probability of no paid order in the %(days)s days from %(day)s on.") % _span(run),
        _(
            "The band is as wide as the score moves when it is learned anew from customers drawn "
            "at random, and holds the share that lapsed among customers with such a score in the "
            "backtest; both with a certainty of 80 %."
        ),
    ]
    model, rule = run.metrics.get("churn"), run.baseline.get("churn", {})
    if model and model.get("auc") is not None:
        text.append(
            _("In the last backtest the model's AUC was %(model)s (%(n)s customers).")
            % {"model": figure(model["auc"]), "n": number(model["n"])}
            if rule.get("auc") is None
            else _(
                "In the last backtest the model's AUC was %(model)s, the recency rule's %(rule)s; "
                "its Brier score %(brier)s, the rule's %(rule_brier)s."
            )
            % {
                "model": figure(model["auc"]),
                "rule": figure(rule["auc"]),
                "brier": figure(model["brier"]),
                "rule_brier": figure(rule["brier"]),
            }
        )
    return text


def _define_next_order(run: ScoringRun) -> list[str]:
    text = [
        _(
            "If this customer orders again, the next order comes before these days with a chance "
            "of one quarter, and after them with a chance of one quarter."
        ),
        _(
            "There is no date where the chance of an order in the %(days)s days from %(day)s on is "
            "below one half."
        )
        % _span(run),
    ]
    model, naive = run.metrics.get("next_order"), run.baseline.get("next_order")
    if model and naive and model.get("n"):
        text.append(
            _(
                "In the last backtest %(share)s %% of %(n)s customers ordered next within such "
                "days, %(width)s on average, where the model had said %(expected)s %%; one usual "
                "gap after the last order, half a gap either way, held %(naive)s %% within "
                "%(naive_width)s days."
            )
            % {
                "share": number(100 * model["share_inside"]),
                "n": number(model["n"]),
                "width": number(model["mean_width_days"]),
                "expected": number(100 * model["expected_share"]),
                "naive": number(100 * naive["share_inside"]),
                "naive_width": number(naive["mean_width_days"]),
            }
        )
    return text


def _define_orders(run: ScoringRun) -> list[str]:
    text = [
        _("Expected number of days with an order in the %(days)s days from %(day)s on.")
        % _span(run),
        _(
            "8 of 10 customers with such a prediction ordered on a number of days within the band; "
            "as counts are whole, it may be more."
        ),
    ]
    model, naive = run.metrics.get("orders"), run.baseline.get("orders")
    if model and naive:
        text.append(
            _(
                "In the last backtest it missed by %(model)s on average, each customer's own past "
                "rate by %(naive)s; the bands held %(coverage)s %%."
            )
            % {
                "model": figure(model["mae"]),
                "naive": figure(naive["mae"]),
                "coverage": number(100 * model["coverage_80"]),
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
                "model": number(model["mae"], 2),
                "naive": number(naive["mae"], 2),
                "gini": figure(model.get("gini")),
                "naive_gini": figure(naive.get("gini")),
                "coverage": number(100 * model["coverage_80"], 0),
            }
        )
    return text


def _define_year(run: ScoringRun) -> list[str]:
    rate = number(100 * float(run.discount_rate or 0), 1)
    text = [
        _(
            "Expected spend in the 365 days from %(day)s on, discounted to that day at "
            "%(rate)s %% a year."
        )
        % {**_span(run), "rate": rate}
    ]
    year, naive = run.metrics.get("clv_12m"), run.baseline.get("clv_12m")
    if not (year and naive):
        return [
            *text,
            _(
                "Extrapolated: the history is too short to hold a year against what came; "
                "%(days)s days were tested."
            )
            % _span(run),
        ]
    return [
        *text,
        _(
            "Held against the last 365 days, undiscounted values of a year ago missed by "
            "%(model)s on average, each customer's own past rate by %(naive)s; their total was "
            "off by %(bias)s %%."
        )
        % {
            "model": number(year["mae"], 2),
            "naive": number(naive["mae"], 2),
            "bias": number(year["bias_percent"] or 0, 1),
        },
    ]


def _define_satisfaction(run: ScoringRun) -> list[str]:
    text = [
        _(
            "Satisfaction from 0 to 100 as of %(day)s, from ratings and answers, newer ones "
            "counting more (half after 180 days)."
        )
        % _span(run),
        _(
            "Where answers are few, what delivery delays, returns and tickets let one expect "
            "fills in; the share of that is shown."
        ),
        band_words(),
    ]
    model, naive = run.metrics.get("satisfaction"), run.baseline.get("satisfaction")
    if model and naive:
        text.append(
            _(
                "Hidden last answers were missed by %(model)s points on average, by the mean of "
                "the shop's answers by %(naive)s; the bands held %(coverage)s %%."
            )
            % {
                "model": number(model["mae"], 1),
                "naive": number(naive["mae"], 1),
                "coverage": number(100 * model["coverage_80"]),
            }
        )
    else:
        text.append(_("It is not validated in this shop, and the width of the band is assumed."))
    return text


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


def _span(run: ScoringRun) -> dict[str, str]:
    return {
        "days": number(run.horizon_days) if run.horizon_days else "—",
        "day": date_format(run.as_of_day, "DATE_FORMAT"),
        "currency": run.currency,
    }
