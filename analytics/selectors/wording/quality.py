"""Lay a run's candidates and its hits and misses side by side, as a page shows them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from analytics.models import ScoringRun
from analytics.selectors.wording.numbers import amount, figure, number, percent

Figures = Mapping[str, Any]
DIAGRAM = 100
"""Sides of the reliability diagram, in its own units."""


def candidate_tables(run: ScoringRun) -> list[dict[str, Any]]:
    """Return, for churn and spend, every candidate with its figures; empty where none competed.

    ``is_published`` marks the candidate whose scores staff see, ``why`` says how it was chosen.
    """
    rungs = run.metrics.get("rungs") or {}
    churn: list[tuple[str, str, Callable[[float], str]]] = [
        (_("AUC"), "auc", figure),
        (_("AUC, last order under 120 days ago"), "auc_recent", figure),
        (_("Brier score"), "brier", figure),
        (_("Calibration error"), "ece", figure),
    ]
    spend: list[tuple[str, str, Callable[[float], str]]] = [
        (_("Mean error"), "mae", amount),
        (_("Root mean squared error"), "rmse", amount),
        (_("Total off by, %"), "bias_percent", _signed),
        (_("Gini"), "gini", figure),
    ]
    judge, measure = "deviance", _("Poisson deviance")
    if all(row.get(judge) is not None for row in rungs.get("spend", {}).values()):
        spend.append((_("Poisson deviance"), judge, figure))
    else:  # a run from before that was measured
        judge, measure = "rmse", _("root mean squared error")
    shown = [
        (_("Churn risk"), "churn", "churn", churn, "brier", _("Brier score")),
        (_("Predicted spend"), "spend", "clv", spend, judge, measure),
    ]
    tables = []
    for title, key, score, columns, judge, measure in shown:
        if not rungs.get(key) or not run.metrics.get(score):
            continue
        published = str(rungs["published"][key])
        # What is published may have been calibrated since the candidates competed.
        figures = {**rungs[key], published: run.metrics[score]}
        tables.append(
            {
                "title": title,
                "columns": [label for label, _key, _write in columns],
                "rows": _rows(figures, published, columns),
                "why": _why(figures, published, judge, measure),
            }
        )
    return tables


def _rows(
    figures: Mapping[str, Figures],
    published: str,
    columns: list[tuple[str, str, Callable[[float], str]]],
) -> list[dict[str, Any]]:
    return [
        {
            "label": _(label),
            "is_published": name == published,
            "cells": [
                write(figures[name][key]) if figures[name].get(key) is not None else "—"
                for _label, key, write in columns
            ],
        }
        for name, label in _LABELS.items()
        if name in figures
    ]


def _why(figures: Mapping[str, Figures], published: str, judge: str, measure: str) -> list[str]:
    """Return why the published candidate was chosen, and why richer ones were not."""
    said = [
        _(
            "Published: %(name)s. The richest blend that the shop's size allows is taken, "
            "unless its %(measure)s was plainly larger than that of a simpler one: by more than "
            "customers chosen by chance explain (one-sided, 5 %%)."
        )
        % {"name": _(_LABELS[published]), "measure": measure}
    ]
    own = figures[published][judge]
    for name in (name for name in _BLENDS if name in figures and name != published):
        other, is_richer = figures[name][judge], _BLENDS.index(name) > _BLENDS.index(published)
        told = {
            "name": _(_LABELS[name]),
            "measure": measure,
            "other": _precise(other),
            "own": _precise(own),
        }
        if is_richer:
            said.append(
                _("%(name)s lost: its %(measure)s is %(other)s, that of the published %(own)s.")
                % told
            )
        elif other < own:
            said.append(
                _(
                    "%(name)s did better on these windows, but by no more than chance explains: "
                    "its %(measure)s is %(other)s, that of the published %(own)s."
                )
                % told
            )
    return said


def reliability_rows(run: ScoringRun) -> list[dict[str, Any]]:
    """Return, for tenths of the customers by churn risk, what was said and what came.

    ``x`` and ``y`` place the tenth in the diagram.
    """
    rows = (run.metrics.get("churn") or {}).get("reliability") or []
    return [
        {
            "said": percent(row["predicted"]),
            "came": percent(row["observed"]),
            "customers": number(row["n"]),
            "x": round(DIAGRAM * row["predicted"], 1),
            "y": round(DIAGRAM * (1 - row["observed"]), 1),
        }
        for row in rows
    ]


def churn_band_words(run: ScoringRun) -> str:
    """Return how often the band of churn held what happened; empty where no run has judged it."""
    found = (run.metrics.get("churn") or {}).get("band_coverage")
    if not found:
        return ""
    return _(
        "In %(share)s %% of %(bins)s groups of customers with similar scores the share that lapsed "
        "lay inside their mean band. The shares of such groups scatter by chance: had every score "
        "been exactly right, it would have been %(expected)s %%."
    ) % {
        "share": number(100 * found["share_inside"]),
        "bins": number(found["bins"]),
        "expected": number(100 * found["expected_share"]),
    }


def decile_rows(run: ScoringRun) -> list[dict[str, str]]:
    """Return, for tenths of the customers by predicted spend, the mean foretold and spent."""
    rows = (run.metrics.get("clv") or {}).get("deciles") or []
    return [
        {
            "place": number(place),
            "said": amount(row["predicted"]),
            "came": amount(row["actual"]),
            "customers": number(row["n"]),
        }
        for place, row in enumerate(rows, start=1)
    ]


def _signed(value: float) -> str:
    return f"{value:+.1f}"


def _precise(value: float) -> str:
    """Write a figure so that two that differ look different."""
    return number(value, 4) if value < 10 else number(value, 2)


_LABELS = {
    "recency_rule": gettext_noop("Days since the last order, calibrated (naive)"),
    "own_rate_times_horizon": gettext_noop("Own spending rate so far (naive)"),
    "repeat_buying": gettext_noop("Model of repeat buying"),
    "linear": gettext_noop("Linear learner alone"),
    "trees": gettext_noop("Boosted trees alone"),
    "with_linear": gettext_noop("Blend of repeat buying and linear learner"),
    "with_trees": gettext_noop("Blend of repeat buying, linear learner and trees"),
}
_BLENDS = ("repeat_buying", "with_linear", "with_trees")
