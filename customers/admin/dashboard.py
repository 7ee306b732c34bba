"""The first page of the web admin."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.core.registry import registry
from customers.models import Customer
from customers.selectors.revenue import Week, revenue_by_week
from customers.selectors.shop import demo_label, demo_notice, shop_day, shop_settings

CHART_OPTIONS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "animation": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"position": "bottom", "labels": {"boxWidth": 12}}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"maxRotation": 0, "autoSkipPadding": 12}},
        "y": {"beginAtZero": True, "border": {"display": False}},
    },
}


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add revenue and the registered panels to the admin index."""
    shop = shop_settings()
    context["demo_notice"] = demo_notice(shop)
    context["shop"] = shop
    context["is_empty"] = not Customer.objects.exists()
    context["provisional"] = shop.refund_window_days
    if request.user.has_perm("customers.view_order"):
        weeks = revenue_by_week(until=shop_day(timezone.now()))
        context["weeks"] = weeks
        if any(week.orders for week in weeks):
            context["chart"] = json.dumps(_chart(weeks), ensure_ascii=False)
            context["chart_options"] = json.dumps(CHART_OPTIONS)
    context["panels"] = panels(request, "dashboard", None)
    return context


def environment_label(request: HttpRequest) -> list[str] | None:
    """Return what stands in the head of every page of a shop that is not, or not all, real."""
    label = demo_label(getattr(request, "shop", None) or shop_settings())
    return [label, "warning"] if label else None


def _chart(weeks: list[Week]) -> dict[str, Any]:
    """Return the bars: each week, the running one paler, beside the same week a year before."""
    full, running = "var(--color-primary-600)", "var(--color-primary-300)"
    sets = [
        {
            "label": _("Revenue"),
            "data": [float(week.revenue) for week in weeks],
            "backgroundColor": [full] * (len(weeks) - 1) + [running],
            "borderRadius": 3,
        }
    ]
    if sum(week.year_before is not None for week in weeks) > len(weeks) / 2:
        before = [None if week.year_before is None else float(week.year_before) for week in weeks]
        sets.append(
            {
                "label": _("52 weeks before"),
                "data": before,
                "backgroundColor": "var(--color-base-300)",
                "borderRadius": 3,
            }
        )
    labels = [date_format(week.monday, "MONTH_DAY_FORMAT") for week in weeks]
    return {"labels": labels, "datasets": sets}


def panels(request: HttpRequest, page: str, customer_id: int | None) -> list[dict[str, Any]]:
    """Return the boxes other apps put on a page, for this person."""
    shown = [
        (panel, panel.context(request, customer_id))
        for panel in registry.panels
        if panel.page == page and (not panel.permission or request.user.has_perm(panel.permission))
    ]
    return [
        {"key": panel.key, "title": panel.title, "template": panel.template, "data": data}
        for panel, data in shown
        if data is not None
    ]
