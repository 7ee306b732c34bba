"""The first page of the web admin."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from crm.core.registry import registry
from customers.selectors.revenue import revenue_by_week
from customers.selectors.shop import demo_notice, shop_day, shop_settings


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add revenue and the registered panels to the admin index."""
    shop = shop_settings()
    context["demo_notice"] = demo_notice()
    context["shop"] = shop
    if request.user.has_perm("customers.view_order"):
        weeks = revenue_by_week(until=shop_day(timezone.now()))
        most = max((week.revenue for week in weeks), default=0)
        context["weeks"] = [
            {"week": week, "height": max(0, round(100 * week.revenue / most)) if most else 0}
            for week in weeks
        ]
        context["has_revenue"] = bool(most)
    context["panels"] = panels(request, "dashboard", None)
    return context


def panels(request: HttpRequest, page: str, customer_id: int | None) -> list[dict[str, Any]]:
    """Return the boxes other apps put on a page, for this person."""
    return [
        {
            "key": panel.key,
            "title": panel.title,
            "template": panel.template,
            "data": panel.context(request, customer_id),
        }
        for panel in registry.panels
        if panel.page == page and (not panel.permission or request.user.has_perm(panel.permission))
    ]
