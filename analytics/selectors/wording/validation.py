"""Say how well satisfaction foretold the answers that were hidden from it."""

from typing import Any

from django.utils.translation import gettext as _

from analytics.models import ScoringRun
from analytics.selectors.wording.abstentions import explain_abstention
from analytics.selectors.wording.numbers import figure, number, percent

Figures = dict[str, Any]
KEYS = ("mae", "rmse", "bias", "auc", "coverage_80")


def satisfaction_proof(run: ScoringRun) -> dict[str, Any]:
    """Return sentences, and the head and rows of a table; no rows where nothing was validated.

    A row is a ``label`` and ``cells`` of ``text``; ``is_ahead`` marks a baseline's figure that is
    better than that of satisfaction.
    """
    model, naive = run.metrics.get("satisfaction"), run.baseline.get("satisfaction")
    if not model or not naive:
        return {"sentences": [_why_unproven(run)], "head": [], "rows": []}
    head = [
        _("Answers"), _("Mean error"), _("Root mean squared error"), _("Too high (+) or low (−)"),
        _("AUC for two stars or fewer"), _("Inside the band"),
    ]  # fmt: skip
    return {"sentences": _sentences(run, model, naive), "head": head, "rows": _rows(model, naive)}


def band_words() -> str:
    """Return what the band of satisfaction covers."""
    return _(
        "The band is for one single new answer, not for the customer's mean: of 10 customers with "
        "such a score about 8 answer within it."
    )


def _why_unproven(run: ScoringRun) -> str:
    for note in run.parameters.get("notes", []):
        if note.get("code") == "satisfaction_unvalidated":
            return explain_abstention(note)
    return _("This run did not validate satisfaction.")


def _sentences(run: ScoringRun, model: Figures, naive: Figures) -> list[str]:
    groups = {
        name: model.get(name, {}).get("n", 0) for name in ("answered_before", "silent_before")
    }
    said = [
        _(
            "The last answers of %(n)s customers were hidden, and foretold from what was known "
            "before their day: %(spoke)s had answered before, %(silent)s had said nothing, so that "
            "deliveries, returns and tickets alone had to do."
        )
        % {
            "n": number(model["n"]),
            "spoke": number(groups["answered_before"]),
            "silent": number(groups["silent_before"]),
        },
        _("%(share)s %% of them were two stars of five, or fewer.")
        % {"share": number(100 * model["unhappy_share"], 1)},
        _(
            "Of 100 points satisfaction missed by %(model)s on average; the mean of all earlier "
            "answers in the shop missed by %(naive)s."
        )
        % {"model": number(model["mae"], 1), "naive": number(naive["mae"], 1)},
        band_words(),
        _(
            "It held %(coverage)s %% of the hidden answers; answers come in whole stars, so that "
            "exactly 80 %% is rarely possible."
        )
        % {"coverage": number(100 * model["coverage_80"])},
    ]
    return [
        *said,
        *_what_is_learned(run),
        _(
            "Customers who never answer cannot be checked; they may be less content than those who "
            "do."
        ),
    ]


def _what_is_learned(run: ScoringRun) -> list[str]:
    """Return whose effects the expectation has, and how much chance is in what was learned."""
    said = []
    parameters = run.parameters.get("satisfaction", {})
    expectation, spread = parameters.get("expectation", {}), parameters.get("score_spread")
    if expectation.get("is_learned"):
        said.append(_("What delays, returns and tickets cost is learned from this shop's answers."))
    elif expectation:
        said.append(
            _(
                "What delays, returns and tickets cost is the published prior: this shop's answers "
                "are too few, or did not foretell better. Its base is the shop's own."
            )
        )
    if spread is not None:
        said.append(
            _(
                "Learned anew from customers drawn at random of those who answered, a score moves: "
                "8 of 10 times within a range of %(points)s points, on average."
            )
            % {"points": number(100 * spread, 1)}
        )
    return said


def _rows(model: Figures, naive: Figures) -> list[dict[str, Any]]:
    shop, own = _("the shop's mean"), _("own mean so far")
    spoke, silent = model.get("answered_before"), model.get("silent_before")
    groups: list[tuple[str, Figures, list[tuple[str, Figures | None]]]] = [
        (_("All"), model, [(shop, naive)])
    ]
    if spoke and silent:
        own_rule = (own, naive.get("own_mean"))
        groups += [
            (_("Answered before"), spoke, [(shop, naive.get("answered_before")), own_rule]),
            (_("Silent before"), silent, [(shop, naive.get("silent_before"))]),
        ]
    elif spoke:
        groups[0][2].append((own, naive.get("own_mean")))
    rows = []
    for name, figures, baselines in groups:
        for label, shown in [(_("satisfaction"), figures), *baselines]:
            if shown:
                words = _("%(group)s: %(label)s") % {"group": name, "label": label}
                rows.append({"label": words, "cells": _cells(shown, figures)})
    return rows


def _cells(shown: Figures, model: Figures) -> list[dict[str, Any]]:
    cells = [{"text": number(shown["n"]), "is_ahead": False}]
    for key in KEYS:
        value = shown.get(key)
        text = "—" if value is None else _write(key, value)
        cells.append({"text": text, "is_ahead": _is_ahead(key, value, model.get(key))})
    return cells


def _write(key: str, value: float) -> str:
    if key == "auc":
        return figure(value)
    if key == "coverage_80":
        return percent(value)
    return f"{value:+.1f}" if key == "bias" else number(value, 1)


def _is_ahead(key: str, value: float | None, model: float | None) -> bool:
    if value is None or model is None or key == "coverage_80":
        return False
    return value > model if key == "auc" else abs(value) < abs(model)
