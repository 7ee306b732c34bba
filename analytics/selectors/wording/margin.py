"""Say what the margin in 12 months means, how good it was, and which rate is behind it."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from analytics.ml.margin import MARGIN
from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording.numbers import amount, number, percent

Shown = tuple[str, Callable[[float], str], dict[str, Any], dict[str, Any], str, int]


def define_margin(run: ScoringRun) -> list[str]:
    """Return what the margin means, what its rate stands on, and how far it was foretold."""
    text = [
        _(
            "The margin in the value in 12 months, discounted like it: what is left of the spend "
            "after the costs of the goods, platform fees and shipping. It is that value times the "
            "customer's margin rate on orders as they were placed. There is no interval."
        )
    ]
    known = run.parameters.get(MARGIN)
    if not known:
        return text
    own = (
        _(
            "The customer's own rate counts half at a spend of %(half)s %(currency)s, more at a "
            "larger one; the rest is the usual rate."
        )
        if known["is_own"]
        else _("Every customer is given the shop's rate.")
    )
    share = _("The costs of the goods are known for %(share)s %% of the last 365 days' spend.")
    return [
        *text,
        own % {"half": number(known["half_spend"] or 0), "currency": run.currency},
        share % {"share": number(100 * known["known_share"])},
        *_proof_of_rates(run),
        _proof_of_year(run),
    ]


def margin_rate(score: CurrentScore, run: ScoringRun) -> list[str]:
    """Return the customer's margin rate beside the shop's."""
    shop_rate = (run.parameters.get(MARGIN) or {}).get("shop_rate")
    if score.margin_12m is None or not score.clv_12m or shop_rate is None:
        return []
    rates = {"rate": percent(float(score.margin_12m / score.clv_12m)), "shop": percent(shop_rate)}
    return [_("Margin rate %(rate)s; that of the whole shop is %(shop)s.") % rates]


def margin_unit(run: ScoringRun) -> str:
    """Return the currency, and whether no year could be held against what came."""
    if _figures(run.metrics, "year"):
        return run.currency
    return _("%(currency)s, extrapolated") % {"currency": run.currency}


def margin_rows(run: ScoringRun) -> list[Shown]:
    """Return the backtest's rows of the margin: label, form, figures, naive ones, key, sense."""
    rate, shop_rate = _figures(run.metrics, "rate"), _figures(run.baseline, "rate")
    year, own = _figures(run.metrics, "year"), _figures(run.baseline, "year")
    return [
        (_("Margin rate: mean error, points"), _points, rate, shop_rate, "mae", -1),
        (_("Margin rate: root mean squared error"), _points, rate, shop_rate, "rmse", -1),
        (_("Margin in 12 months: mean error"), amount, year, own, "mae", -1),
        (_("Margin in 12 months: root mean squared error"), amount, year, own, "rmse", -1),
        (
            _("Margin in 12 months: total too high (+) or low (−), %"),
            _signed,
            year,
            own,
            "bias_percent",
            -1,
        ),
    ]


def _proof_of_rates(run: ScoringRun) -> list[str]:
    model, naive = _figures(run.metrics, "rate"), _figures(run.baseline, "rate")
    if not model:
        return []
    return [
        _(
            "In the last backtest the customers' own rates missed those of later purchases by "
            "%(model)s points on average, the shop's rate by %(naive)s."
        )
        % {"model": number(100 * model["mae"], 1), "naive": number(100 * naive["mae"], 1)}
    ]


def _proof_of_year(run: ScoringRun) -> str:
    model, naive = _figures(run.metrics, "year"), _figures(run.baseline, "year")
    if not model:
        return _("Extrapolated: no margin of a whole year could be held against what came.")
    return _(
        "Held against the last 365 days, undiscounted margins of a year ago missed by %(model)s on "
        "average, each customer's own past margin by %(naive)s; their total was off by %(bias)s %%."
    ) % {
        "model": number(model["mae"], 2),
        "naive": number(naive["mae"], 2),
        "bias": number(model["bias_percent"] or 0, 1),
    }


def _figures(side: dict[str, Any], part: str) -> dict[str, Any]:
    """Return the figures of the margin rate or of the margin of a year; none where untested."""
    return (side.get(MARGIN) or {}).get(part) or {}


def _points(share: float) -> str:
    return number(100 * share, 2)


def _signed(value: float) -> str:
    return f"{value:+.1f}"
