"""A customer's scores month by month, as the theme's line charts take them."""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.models import ScoreSnapshot

FEWEST_MONTHS = 2
"""A line takes two points."""
GREY = "#737c8c"
"""Readable on light and on dark paper."""


def history_charts(months: Sequence[ScoreSnapshot]) -> list[dict[str, str]]:
    """Return up to two charts, oldest month first: shares of 100, and money; none for one month."""
    rows = list(reversed(months))
    if len(rows) < FEWEST_MONTHS:
        return []
    labels = [date_format(row.month, "YEAR_MONTH_FORMAT") for row in rows]
    risk = [_whole(row.churn_probability, 100) for row in rows]
    content = [_whole(row.satisfaction, 1) for row in rows]
    spend = [_whole(row.predicted_clv, 1) for row in rows]
    currency = rows[-1].run.currency
    shares = [
        _line(_("Churn risk in per cent"), risk, "var(--color-primary-600)"),
        _line(_("Satisfaction of 100"), content, "var(--color-base-400)"),
    ]
    money = _line(
        _("Predicted spend, %(currency)s") % {"currency": currency},
        spend,
        "var(--color-primary-600)",
    )
    return [
        chart
        for chart in (
            _chart(_("Churn risk and satisfaction, month by month"), labels, shares, most=100),
            _chart(_("Predicted spend, month by month"), labels, [money], most=None),
        )
        if chart
    ]


def _whole(value: Any, factor: int) -> float | None:
    return None if value is None else round(float(value) * factor, 1)


def _line(label: str, data: list[float | None], colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": data,
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2,
        "pointRadius": 3,
        "spanGaps": True,
    }


def _chart(
    label: str, labels: list[str], lines: list[dict[str, Any]], *, most: int | None
) -> dict[str, str] | None:
    """Return one chart with the lines that have two points or more."""
    drawn = [
        line for line in lines if sum(value is not None for value in line["data"]) >= FEWEST_MONTHS
    ]
    if not drawn:
        return None
    scale: dict[str, Any] = {
        "beginAtZero": True,
        "border": {"display": False},
        "grid": {"color": "rgba(128, 128, 128, 0.15)"},
        "ticks": {"color": GREY, "maxTicksLimit": 5},
    }
    if most is not None:
        scale["max"] = most
    options = {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"position": "bottom", "labels": {"color": GREY, "boxWidth": 12}}},
        "scales": {
            "x": {
                "grid": {"display": False},
                "ticks": {"color": GREY, "maxRotation": 0, "autoSkipPadding": 12},
            },
            "y": scale,
        },
    }
    data = {"labels": labels, "datasets": drawn}
    return {
        "label": label,
        "data": json.dumps(data, ensure_ascii=False),
        "options": json.dumps(options),
    }
