"""What scores show on the customer's page and on the dashboard."""

from typing import Any

from django.db.models import Count, F, FloatField
from django.db.models.functions import Cast
from django.http import HttpRequest

from analytics.enums import RfmGroup
from analytics.models import CurrentScore, ScorePointer
from analytics.selectors.cards import score_cards

LIST = "/admin/customers/customer/"


def customer_scores(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return the cards of one customer; none while nothing was published."""
    rows = CurrentScore.objects.select_related("run")
    score = rows.filter(customer_id=customer_id or 0).first()
    if score is None:
        return {"cards": []}
    return {"cards": score_cards(score, score.run), "run": score.run}


def rfm_groups(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return how many active customers are in each RFM group."""
    counted = dict(
        CurrentScore.objects.filter(customer__lifecycle="active", rfm_group__isnull=False)
        .values_list("rfm_group")
        .annotate(count=Count("pk"))
    )
    most = max(counted.values(), default=0)
    return {
        "rows": [
            {
                "label": label,
                "count": counted.get(key, 0),
                "width": round(100 * counted.get(key, 0) / most) if most else 0,
                "url": f"{LIST}?rfm_group={key}",
            }
            for key, label in RfmGroup.choices
        ]
        if counted
        else []
    }


def churn_risk(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return who puts most money at risk: churn probability × predicted spend."""
    rows = (
        CurrentScore.objects.select_related("customer")
        .filter(customer__lifecycle="active", predicted_clv__gt=0, churn_probability__gte=0.3)
        .annotate(
            at_risk=F("churn_probability") * Cast("predicted_clv", FloatField()),
        )
        .order_by("-at_risk", "customer_id")[:10]
    )
    return {
        "rows": [
            {
                "label": str(row.customer),
                "count": f"{100 * (row.churn_probability or 0):.0f} %",
                "value": f"{row.at_risk:,.0f}",
                "url": f"{LIST}{row.customer_id}/change/",
            }
            for row in rows
        ]
    }


def clv_distribution(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return how many customers are expected to spend how much."""
    edges = [0, 25, 50, 100, 200, 400, 800, 1600]
    scores = CurrentScore.objects.filter(customer__lifecycle="active", predicted_clv__isnull=False)
    counts = scores.aggregate(
        **{f"bin{place}": Count("pk", filter=_between(edges, place)) for place in range(len(edges))}
    )
    most = max(counts.values(), default=0)
    return {
        "rows": [
            {
                "label": f"{edge}–{edges[place + 1]}" if place + 1 < len(edges) else f"{edge}+",
                "count": counts[f"bin{place}"],
                "width": round(100 * counts[f"bin{place}"] / most),
                "url": "",
            }
            for place, edge in enumerate(edges)
        ]
        if most
        else []
    }


def freshness(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return which run everybody reads."""
    pointer = ScorePointer.objects.select_related("run").first()
    return {"run": pointer.run if pointer else None}


def _between(edges: list[int], place: int) -> Any:
    from django.db.models import Q

    bounds = Q(predicted_clv__gte=edges[place])
    if place + 1 < len(edges):
        bounds &= Q(predicted_clv__lt=edges[place + 1])
    return bounds
