"""Say why there is no score, and what must be said beside the scores there are."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.ml import ladder
from analytics.ml.margin import MARGIN
from analytics.models import ScoringRun
from analytics.selectors.wording.numbers import day as written_day
from analytics.selectors.wording.numbers import number

ABSTENTIONS = {
    "no_orders": gettext_lazy("No paid order yet; the first one is scored by the next run."),
    "no_orders_no_signals": gettext_lazy("No order, answer or ticket yet."),
    "too_few_buyers": gettext_lazy(
        "%(have)s customers have bought; it takes %(need)s to tell a pattern from chance."
    ),
    "too_few_repeaters": gettext_lazy(
        "%(have)s customers have come back; it takes %(need)s to learn how they do."
    ),
    "no_data_since": gettext_lazy(
        "No data since %(day)s: that is %(have)s days before this run, and after more than "
        "%(need)s days a forecast would be guessing. Import newer orders."
    ),
    "history_too_short": gettext_lazy(
        "%(have)s days of history; a forecast that can be proved on the past takes %(need)s."
    ),
    "too_few_early_buyers": gettext_lazy(
        "%(have)s customers had bought early enough to test a forecast on them; it takes %(need)s."
    ),
    "source_without_keys": gettext_lazy(
        "Too few orders of this source name their buyer, so nobody can be seen coming back."
    ),
    "degenerate_fit": gettext_lazy(
        "The models do not describe how this shop's customers buy, so there is no forecast "
        "(%(detail)s)."
    ),
    "costs_unknown": gettext_lazy(
        "The costs of the goods are known for %(have)s %% of the spend of the last 365 days; "
        "%(need)s %% is needed."
    ),
    "too_few_costed_buyers": gettext_lazy(
        "The costs of the goods are known for the orders of %(have)s customers; it takes %(need)s."
    ),
    "order_unlikely": gettext_lazy(
        "No date: the chance of an order within %(need)s days is below one half."
    ),
    "order_too_far": gettext_lazy("No date: it would lie more than two years away."),
}
NOTES = {
    "history_starts_at": gettext_lazy(
        "The history starts on %(day)s; earlier orders, if there were any, are not known."
    ),
    "seasonality_not_learned": gettext_lazy(
        "%(have)s days of history: less than 13 months, so seasons are not learned."
    ),
    "season_of_last_year": gettext_lazy(
        "Predicted spend knows the season: it is multiplied by %(have)s, which comes of the same "
        "days a year ago."
    ),
    "season_not_used": gettext_lazy(
        "Predicted spend does not know the season: the same days a year ago could not be tried, "
        "or made the backtest no better."
    ),
    "orders_without_rate": gettext_lazy(
        "%(have)s paid orders are left out: the exchange rate of their day is missing."
    ),
    "source_without_keys": gettext_lazy(
        "Customers of “%(detail)s” are not scored: %(have)s %% of its orders name their buyer by a "
        "key that stays, and it takes %(need)s %%."
    ),
    "nobody_seen_leaving": gettext_lazy(
        "Nobody is seen leaving for good in these data, so “alive” says nothing here."
    ),
    "backtest_bias": gettext_lazy(
        "In the backtest the total was off by %(have)s %%, more than %(need)s %%: read the "
        "predicted spend as a ranking."
    ),
    "clv_not_better_than_own_rate": gettext_lazy(
        "In the backtest each customer's own past rate missed by %(need)s on average, the model "
        "by %(have)s."
    ),
    "churn_not_better_than_recency_rule": gettext_lazy(
        "In the backtest the days since the last order ranked churn at least as well "
        "(AUC %(need)s against %(have)s)."
    ),
    "margin_rates_untested": gettext_lazy(
        "Fewer than %(need)s margin rates of single customers could be held against later "
        "purchases, so every customer is given the shop's rate."
    ),
    "margin_rates_not_better_than_shop_rate": gettext_lazy(
        "In the backtest the margin rates of single customers foretold later purchases no better "
        "than the shop's (root mean squared error %(have)s against %(need)s points), so every "
        "customer is given the shop's rate."
    ),
    "margin_not_better_than_own_margin": gettext_lazy(
        "Over the last year each customer's own past margin missed by %(need)s on average, the "
        "predicted one by %(have)s."
    ),
    "satisfaction_unvalidated": gettext_lazy(
        "Satisfaction is not validated in this shop: it takes %(need)s customers whose last answer "
        "can be hidden and foretold, and %(have)s have answered."
    ),
    "satisfaction_not_better_than_shop_mean": gettext_lazy(
        "Hidden answers were foretold no better by satisfaction than by the mean of the shop's "
        "answers (root mean squared error %(have)s against %(need)s points)."
    ),
}

NOTE_PLACES = {
    "season_of_last_year": 2,
    "backtest_bias": 1,
    "clv_not_better_than_own_rate": 2,
    "churn_not_better_than_recency_rule": 4,
    "margin_rates_not_better_than_shop_rate": 2,
    "margin_not_better_than_own_margin": 2,
    "satisfaction_not_better_than_shop_mean": 2,
}


def explain_abstention(entry: Mapping[str, Any]) -> str:
    """Return why a score is missing and what would change that, or a note about all scores.

    ``entry`` holds a ``code`` and what it counts: have, need, day, detail. What nobody has words
    for is returned as its code.
    """
    code = str(entry.get("code", ""))
    # What a run says of a source names it; a customer's own reason need not.
    first, second = (NOTES, ABSTENTIONS) if entry.get("detail") else (ABSTENTIONS, NOTES)
    sentence = first.get(code) or second.get(code)
    if sentence is None:
        return code
    places = 0 if code in ABSTENTIONS else NOTE_PLACES.get(code, 0)
    day = entry.get("day")
    return str(sentence) % {
        "have": number(entry.get("have") or 0, places),
        "need": number(entry.get("need") or 0, places),
        "day": written_day(day) if day is not None else "—",
        "detail": entry.get("detail", ""),
    }


def explain_run(run: ScoringRun, sources: Collection[str] | None = None) -> list[str]:
    """Return in sentences what a run did not score, and what to keep in mind about the rest.

    Of sources only those of these names are told of, if some are given.
    """
    refused: dict[str, list[str]] = {}
    for entry in [*run.abstentions, *run.parameters.get("notes", [])]:
        if sources is not None and entry.get("detail") and entry["detail"] not in sources:
            continue
        label = _score_label(entry.get("score", ""))
        refused.setdefault(explain_abstention(entry), []).extend([label] if label else [])
    return [
        _("%(scores)s: %(reason)s") % {"scores": _(", ").join(names), "reason": text}
        if names
        else text
        for text, names in refused.items()
    ]


def why_missing(score: str, run: ScoringRun, code: str) -> str:
    """Return why a customer has no ``score``: the run's refusal, or else the customer's code."""
    for entry in run.abstentions:
        if entry.get("score") == score:
            return explain_abstention(entry)
    return explain_abstention({"code": code})


def _score_label(score: str) -> str:
    labels = {
        ladder.RFM: _("RFM"),
        ladder.CLV: _("Predicted spend"),
        ladder.CHURN: _("Churn risk"),
        MARGIN: _("Margin in 12 months"),
    }
    return labels.get(score, score)
