"""What scores show on the customer's page and on the dashboard."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.enums import RfmGroup
from analytics.models import CurrentScore, ScoreSnapshot, ScoringRun
from analytics.selectors import charts, movement, overview, scores, wording
from crm.core.registry import Cell, Table
from customers.models import FactsMark, ImportBatch, Order
from customers.selectors.choice import Choice, choice_for
from customers.selectors.reach import named_sources
from customers.selectors.shop import shop_day
from customers.selectors.timeline import money

MOST_WAITING = 1000
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
    caveats = wording.explain_run(silent, _told_of(request)) if silent else []
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


def _told_of(request: HttpRequest) -> list[str] | None:
    """Return the names of the sources whose faults a person is told; None for all."""
    sources = named_sources(request.user)
    return [source.name for source in sources] if sources else None


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
    """Return how many customers are in each RFM group, and who came and went since a month."""
    choice, run = choice_for(request), scores.current_run()
    snapshot = movement.last_snapshot(run)
    moved = movement.movements(snapshot=snapshot, source_id=choice.source_id) if snapshot else {}
    counted = overview.rfm_groups(choice.source_id)
    own = source_words(choice)
    rows = []
    for key, label in RfmGroup.choices:
        row: dict[str, Any] = {
            "label": label,
            "count": counted.get(key, 0),
            "url": customers_list(rfm_group=key, **own),
        }
        if snapshot:
            step = moved.get(key, movement.Movement(key, 0, 0, 0, 0))
            row["came"] = Cell(step.came, url=customers_list(rfm_moved=f"in-{key}", **own))
            row["left"] = Cell(step.left, url=customers_list(rfm_moved=f"out-{key}", **own))
        rows.append(row)
    shown = _with_widths(rows)
    head = [_("RFM group"), _("Customers")]
    cells = [[Cell(row["label"]), Cell(row["count"])] for row in shown]
    note = ""
    if snapshot:
        head += [_("Came in"), _("Went out")]
        for row, line in zip(shown, cells, strict=True):
            line += [row["came"], row["left"]]
        note = _("Came in and went out since the first scores of %(month)s, of %(day)s.") % {
            "month": date_format(snapshot.as_of_day, "YEAR_MONTH_FORMAT"),
            "day": date_format(snapshot.as_of_day, "DATE_FORMAT"),
        }
    elif shown:
        note = _("Who came in and went out is told once the scores of an earlier month were kept.")
    return {
        "rows": shown,
        "run": run,
        "moves": snapshot is not None,
        "note": note,
        "table": Table(head, cells) if shown else None,
        "as_of": _as_of(run),
    }


def rfm_heatmap(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return five rows of five cells, best R first; ``level`` 0–5 says how full a cell is."""
    choice, run = choice_for(request), scores.current_run()
    cells = [
        {
            "r": cell.r_score,
            "f": cell.f_score,
            "count": cell.count,
            "spend": cell.predicted_clv,
            "title": _("%(cell)s: predicted spend %(spend)s")
            % {
                "cell": f"R{cell.r_score} F{cell.f_score}",
                "spend": wording.number(float(cell.predicted_clv)),
            },
            "url": customers_list(
                r_score=cell.r_score, f_score=cell.f_score, **source_words(choice)
            ),
        }
        for cell in overview.rfm_heatmap(choice.source_id)
    ]
    full = [{**cell, "level": -(-cell["width"] // 20)} for cell in _with_widths(cells)]
    head = [_("R (recency)"), _("F (frequency)"), _("Customers"), _("Predicted spend")]
    twin = [[Cell(cell[name]) for name in ("r", "f", "count", "spend")] for cell in full]
    return {
        "cells": full,
        "rows": [full[start : start + 5] for start in range(0, len(full), 5)],
        "run": run,
        "table": Table(head, twin) if full else None,
        "as_of": _as_of(run),
    }


def clv_distribution(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return how many customers are expected to spend how much."""
    choice, run = choice_for(request), scores.current_run()
    bins = [
        {
            "label": wording.money_range(entry.low, entry.high),
            "count": entry.count,
            "spend": entry.predicted_clv,
            "url": customers_list(
                clv_range=overview.range_value(entry.low, entry.high), **source_words(choice)
            ),
        }
        for entry in overview.clv_distribution(choice.source_id)
    ]
    definition = wording.definition("predicted_clv", run) if run else ""
    shown = _with_widths(bins)
    head = [_("Predicted spend"), _("Customers"), _("Sum of predicted spend")]
    twin = [[Cell(row[name]) for name in ("label", "count", "spend")] for row in shown]
    return {
        "rows": shown,
        "run": run,
        "definition": definition,
        "table": Table(head, twin) if shown else None,
        "as_of": _as_of(run),
    }


def churn_risk(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return who is at risk and puts most money there: churn risk × predicted spend.

    Names are for those who may read customers; others see ids.
    """
    choice, run = choice_for(request), scores.current_run()
    may_see = request.user.has_perm("customers.view_customer")
    found = overview.churn_risk(source_id=choice.source_id)
    rows = [
        {
            "label": shown_name(row.score.customer) if may_see else row.score.customer.public_id,
            "id": row.score.customer.public_id,
            "count": wording.percent(row.score.churn_probability),
            "churn_probability": row.score.churn_probability,
            "value": money(row.value, row.score.run.currency),
            "amount": round(row.value, 2),
            "reasons": wording.explain_churn(row.score),
            "url": f"{LIST}{row.score.customer_id}/change/",
        }
        for row in found
    ]
    head = [_("Customer"), _("Customer id"), _("Churn risk"), _("Value at risk")]
    names = ("label", "id", "churn_probability", "amount")
    twin = [[Cell(row[name]) for name in names] for row in rows]
    return {
        "is_scored": CurrentScore.objects.filter(churn_probability__isnull=False).exists(),
        "run": run,
        "rows": rows,
        "url": customers_list(churn_band="at_risk", **source_words(choice)),
        "table": Table(head, twin) if rows else None,
        "as_of": _as_of(run),
    }


def shown_name(customer: Any) -> str:
    """Return what a customer is called where no e-mail and no phone may stand."""
    return customer.name or customer.public_id


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
        "record": _record_words(),
    }


def _record_words() -> list[str]:
    """Say how new the record itself is: orders, imports, and what is still to be computed."""
    words = []
    newest = Order.objects.order_by("-placed_at", "-pk").values_list("placed_at", flat=True).first()
    if newest is not None:
        words.append(_("The record's newest order: %(at)s.") % {"at": _moment(newest)})
    ended = ImportBatch.objects.filter(job__finished_at__isnull=False).order_by("-pk")
    last = ended.values_list("job__finished_at", flat=True).first()
    if last is not None:
        words.append(_("The last import ended %(at)s.") % {"at": _moment(last)})
    # Counted only so far: an import marks everybody.
    waiting = len(FactsMark.objects.values("customer_id").distinct()[:MOST_WAITING])
    if waiting:
        count = f"{wording.number(waiting)}{'+' if waiting == MOST_WAITING else ''}"
        told = _("The figures of %(count)s customers are being brought up to date.")
        words.append(told % {"count": count})
    return words


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


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


def source_words(choice: Choice) -> dict[str, Any]:
    """Return the word by which the customers' list keeps those who came with the source."""
    return {} if choice.source is None else {"source__id__exact": choice.source_id}


def _as_of(run: ScoringRun | None) -> str:
    """Say as of which day scores are, and in whose zone that day is."""
    if run is None:
        return ""
    return _("Scores as of %(day)s, %(zone)s.") % {
        "day": date_format(run.as_of_day, "DATE_FORMAT"),
        "zone": timezone.get_current_timezone_name(),
    }


def customers_list(**query: Any) -> str:
    return f"{LIST}?{urlencode(query)}"
