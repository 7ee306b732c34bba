"""Charts in Chart.js' own words; colours are names that the page looks up, light or dark.

Two rows of one chart differ by their form too: bars stand for now, a dashed line with squares for
then, and what is not over yet is hatched.
"""

import json
from collections.abc import Sequence
from typing import Any

NOW, NOW_OPEN, THEN, MORE = "fill", "hatch", "then", "more"


def bars(label: str, data: Sequence[float | None], *, last_is_open: bool = False) -> dict[str, Any]:
    """Return bars; the last is hatched where its time is not over."""
    colours = [NOW] * len(data)
    if last_is_open and colours:
        colours[-1] = NOW_OPEN
    return {
        "type": "bar",
        "label": label,
        "data": list(data),
        "backgroundColor": colours,
        "borderColor": NOW,
        "borderRadius": 3,
        "order": 2,
    }


def line(
    label: str,
    data: Sequence[float | None],
    *,
    colour: str = THEN,
    dashed: bool = True,
    axis: str = "y",
) -> dict[str, Any]:
    """Return a line with a square on each point, over the bars."""
    return {
        "type": "line",
        "label": label,
        "data": list(data),
        "borderColor": colour,
        "backgroundColor": colour,
        "borderWidth": 2,
        "borderDash": [5, 4] if dashed else [],
        "pointStyle": "rect" if dashed else "circle",
        "pointRadius": 3,
        "order": 1,
        "yAxisID": axis,
    }


def chart(
    labels: Sequence[str],
    rows: Sequence[dict[str, Any]],
    *,
    stacked: bool = False,
    top: float | None = None,
) -> str:
    """Return a whole chart as text for the page's script."""
    options: dict[str, Any] = {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {
            "legend": {
                "display": len(rows) > 1,
                "position": "bottom",
                "labels": {"boxWidth": 14, "usePointStyle": True},
            }
        },
        "scales": {
            "x": {
                "stacked": stacked,
                "grid": {"display": False},
                "ticks": {"maxRotation": 0, "autoSkipPadding": 12},
            },
            "y": {
                "stacked": stacked,
                "beginAtZero": True,
                "border": {"display": False},
                "ticks": {"maxTicksLimit": 6, "precision": 0},
                **({} if top is None else {"max": top}),
            },
        },
    }
    data = {"labels": list(labels), "datasets": list(rows)}
    return json.dumps({"type": "bar", "data": data, "options": options}, ensure_ascii=False)
