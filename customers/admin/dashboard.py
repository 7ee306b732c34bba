"""The first page of the web admin."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm.core.registry import registry
from customers.models import Customer
from customers.selectors.revenue import Week, revenue_by_week
from customers.selectors.shop import demo_label, demo_notice, shop_day, shop_settings
from customers.selectors.timeline import money

HEADLINE_WEEKS = 4
GREY = "#737c8c"
"""Readable on light and on dark paper."""
CHART_OPTIONS: dict[str, Any] = {
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
        "y": {
            "beginAtZero": True,
            "border": {"display": False},
            "grid": {"color": "rgba(128, 128, 128, 0.15)"},
            "ticks": {"color": GREY, "maxTicksLimit": 6},
        },
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
            chart = _chart(weeks)
            context["headline"] = headline(weeks, shop.currency)
            context["chart"] = json.dumps(chart, ensure_ascii=False)
            context["chart_options"] = json.dumps(_chart_options(len(chart["datasets"])))
    context["panels"] = panels(request, "dashboard", None)
    return context


def environment_label(request: HttpRequest) -> list[str] | None:
    """Return what stands in the head of every page of a shop that is not, or not all, real."""
    label = demo_label(getattr(request, "shop", None) or shop_settings())
    return [label, "warning"] if label else None


def headline(weeks: list[Week], currency: str) -> list[dict[str, str]]:
    """Return cards on the last four whole weeks, each held against the four before."""
    whole = weeks[:-1]
    now, before = whole[-HEADLINE_WEEKS:], whole[-2 * HEADLINE_WEEKS : -HEADLINE_WEEKS]
    revenue, earlier_revenue = (
        sum((week.revenue for week in span), Decimal(0)) for span in (now, before)
    )
    orders, earlier_orders = (sum(week.orders for week in span) for span in (now, before))
    average = revenue / orders if orders else None
    earlier_average = earlier_revenue / earlier_orders if earlier_orders else None
    days = "?" + urlencode(
        {
            "placed_day__gte": now[0].monday.isoformat(),
            "placed_day__lte": now[-1].last_day.isoformat(),
        }
    )
    return [
        {
            "label": _("Revenue"),
            "value": whole_money(revenue, currency),
            "change": _change(revenue, earlier_revenue),
            "query": days,
        },
        {
            "label": _("Orders"),
            "value": number_format(orders, force_grouping=True),
            "change": _change(orders, earlier_orders),
            "query": days,
        },
        {
            "label": _("Average order"),
            "value": "–" if average is None else money(average, currency),
            "change": _change(average, earlier_average),
            "query": days,
        },
    ]


def whole_money(amount: Decimal | int, currency: str) -> str:
    """Write an amount without its pennies: a sum over weeks has too many digits to read them."""
    return f"{number_format(amount, 0, force_grouping=True)} {currency}"


def _change(now: Decimal | int | None, before: Decimal | int | None) -> str:
    """Say how much more or less that is than the weeks before; nothing where that is unknown."""
    if now is None or not before:
        return ""
    percent = round(100 * (now - before) / before)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    return _("%(change)s %% against the 4 weeks before") % {"change": f"{sign}{abs(percent)}"}


def _chart_options(sets: int) -> dict[str, Any]:
    """Return the chart's options; a single row of bars needs no key, the heading names it."""
    plugins = {**CHART_OPTIONS["plugins"]}
    plugins["legend"] = {**plugins["legend"], "display": sets > 1}
    return {**CHART_OPTIONS, "plugins": plugins}


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
