"""What scores show on the customer's page and on the dashboard."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.enums import RfmGroup
from analytics.models import CurrentScore, ScoreSnapshot
from analytics.selectors import charts, overview, scores, wording
from customers.selectors.shop import shop_day
from customers.selectors.timeline import money

LIST = "/admin/customers/customer/"
TICKET_CARDS = ("satisfaction", "predicted_clv", "churn_probability")
KEPT = ("churn_probability", "predicted_clv", "satisfaction", "rfm_group")
"""The scores whose history is kept, month by month."""
IN_STRIP = ("rfm_group", "churn_probability", "predicted_clv", "next_order", "satisfaction")
"""What the strip at the head of a customer's page shows of the scores, in this order."""


def customer_scores(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return the cards of one customer and their history.

    Where nothing was published the cards say why; ``caveats`` says why nothing newer was.
    """
    score = scores.scores_for([customer_id or 0]).get(customer_id or 0)
    silent = scores.silent_run()
    caveats = wording.explain_run(silent) if silent else []
    if score is None:
        run = scores.current_run()
        cards = wording.silent_cards(silent) if silent and run is None else []
        return {
            "score": None, "run": run or silent, "cards": cards, "history": [], "caveats": caveats,
        }  # fmt: skip
    months = scores.score_history(score.customer_id)
    return {
        "score": score,
        "run": score.run,
        "cards": wording.score_cards(score, score.run),
        "history": [_month(row) for row in months],
        "charts": charts.history_charts(months),
        "kept": KEPT,
        "caveats": caveats,
    }


def ticket_scores(request: HttpRequest, customer_id: int | None) -> dict[str, Any] | None:
    """Return the scores that say how a ticket's customer should be treated; none for a guest."""
    if customer_id is None:
        return None
    found = customer_scores(request, customer_id)
    cards = {card["key"]: card for card in found["cards"]}
    return {**found, "cards": [cards[key] for key in TICKET_CARDS if key in cards]}


def strip_cards(customer_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return a glance at each customer's scores; a score there is none of says why."""
    found = scores.scores_for(customer_ids)
    missing = [pk for pk in customer_ids if pk not in found]
    unscored = _unscored() if missing else []
    shown = {pk: _glance(wording.score_cards(row, row.run)) for pk, row in found.items()}
    return {**shown, **dict.fromkeys(missing, unscored)}


def _glance(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cards of the strip, each leading to what it rests on."""
    by_key = {card["key"]: card for card in cards}
    return [{**by_key[key], "url": f"#why-{key}"} for key in IN_STRIP if key in by_key]


def _unscored() -> list[dict[str, Any]]:
    """Return the cards of somebody without scores: the run's reasons, or that one is to come."""
    silent = scores.silent_run()
    if silent is not None and scores.current_run() is None:
        return _glance(wording.silent_cards(silent))
    return [
        {
            "label": _("Scores"),
            "value": "",
            "range": "",
            "silent": _("Not scored yet: the next run will."),
            "tone": "neutral",
            "url": "#panel-scores",
        }
    ]


def rfm_groups(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return how many customers are in each RFM group."""
    rows = CurrentScore.objects.filter(rfm_group__isnull=False).values_list("rfm_group")
    counted = dict(rows.annotate(count=Count("customer_id")))
    found = [
        {"label": label, "count": counted.get(key, 0), "url": _list(rfm_group=key)}
        for key, label in RfmGroup.choices
    ]
    return {"rows": _with_widths(found)}


def rfm_heatmap(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return five rows of five cells, best R first; ``level`` 0–5 says how full a cell is."""
    cells = [
        {
            "r": cell.r_score,
            "f": cell.f_score,
            "count": cell.count,
            "title": _("%(cell)s: predicted spend %(spend)s")
            % {
                "cell": f"R{cell.r_score} F{cell.f_score}",
                "spend": wording.number(float(cell.predicted_clv)),
            },
            "url": _list(r_score=cell.r_score, f_score=cell.f_score),
        }
        for cell in overview.rfm_heatmap()
    ]
    full = [{**cell, "level": -(-cell["width"] // 20)} for cell in _with_widths(cells)]
    return {"cells": full, "rows": [full[start : start + 5] for start in range(0, len(full), 5)]}


def clv_distribution(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return how many customers are expected to spend how much."""
    run = scores.current_run()
    bins = [
        {
            "label": wording.money_range(entry.low, entry.high),
            "count": entry.count,
            "url": _list(clv_range=overview.range_value(entry.low, entry.high)),
        }
        for entry in overview.clv_distribution()
    ]
    definition = wording.definition("predicted_clv", run) if run else ""
    return {"rows": _with_widths(bins), "run": run, "definition": definition}


def churn_risk(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return who is at risk and puts most money there: churn risk × predicted spend.

    Names are for those who may read customers; others see ids.
    """
    may_see = request.user.has_perm("customers.view_customer")
    return {
        "is_scored": CurrentScore.objects.filter(churn_probability__isnull=False).exists(),
        "run": scores.current_run(),
        "rows": [
            {
                "label": str(row.score.customer) if may_see else row.score.customer.public_id,
                "count": wording.percent(row.score.churn_probability),
                "value": money(row.value, row.score.run.currency),
                "reasons": wording.explain_churn(row.score),
                "url": f"{LIST}{row.score.customer_id}/change/",
            }
            for row in overview.churn_risk()
        ],
        "url": _list(churn_band="high"),
    }


def freshness(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return which run everybody reads, how old it is, and what became of the newest one."""
    found = overview.freshness(today=shop_day(timezone.now()))
    latest = found.latest if found.latest != found.run else None
    return {
        "run": found.run,
        "latest": latest,
        "age_days": found.age_days,
        "is_stale": found.is_stale,
        "sentences": wording.explain_run(latest) if latest else [],
    }


def _month(row: ScoreSnapshot) -> dict[str, Any]:
    return {
        "month": row.month,
        "run_id": row.run_id,
        "currency": row.run.currency,
        "churn": wording.percent(row.churn_probability),
        "churn_probability": row.churn_probability,
        "predicted_clv": row.predicted_clv,
        "satisfaction": row.satisfaction,
        "rfm_group": row.get_rfm_group_display() if row.rfm_group else "",
    }


def _with_widths(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add each row's share of the fullest one, 0–100; no rows where all are empty."""
    most = max((row["count"] for row in rows), default=0)
    if not most:
        return []
    return [{**row, "width": round(100 * row["count"] / most)} for row in rows]


def _list(**query: Any) -> str:
    return f"{LIST}?{urlencode(query)}"
