"""The first page of the web admin: panels, each also by itself and as a file."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import structlog
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.errors import TooSlowError
from crm.core.registry import Panel, Table, registry
from crm.core.selectors.bounded import bounded
from crm.core.selectors.reach import is_limited, reached
from crm.core.services.audit import record_audit
from customers.connectors.tables.harmless import guard
from customers.models import Customer, Source
from customers.selectors.choice import PERIODS, Choice, choice_for
from customers.selectors.revenue import Week, revenue_by_week
from customers.selectors.shop import demo_label, demo_notice, shop_day, shop_settings
from customers.selectors.timeline import money

log = structlog.get_logger(__name__)

DASHBOARD = "dashboard"
FRAGMENT = "X-Huike-Fragment"
"""The header by which the page's own script asks for a panel alone."""
PANEL_SECONDS = 10.0
HEADLINE_WEEKS = 4
STEPS = {"week": gettext_lazy("Week"), "month": gettext_lazy("Month")}
DISOBEYS = {
    frozenset({"period"}): gettext_lazy("This panel does not follow the period."),
    frozenset({"source"}): gettext_lazy("This panel does not follow the source."),
    frozenset({"period", "source"}): gettext_lazy(
        "This panel follows neither the period nor the source."
    ),
}


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the headline, the filters and the registered panels to the admin index."""
    shop, choice = shop_settings(), choice_for(request)
    context["demo_notice"] = demo_notice(shop)
    context["shop"] = shop
    context["is_empty"] = not reached(Customer.objects.order_by(), request.user).exists()
    context["choice"] = choice
    context["periods"] = PERIODS
    context["steps"] = STEPS
    context["sources"] = list(reached(Source.objects.order_by("name"), request.user))
    context["takes_all_sources"] = not is_limited(request.user)
    if request.user.has_perm("customers.view_order"):
        context["headline"] = _headline(choice, shop.currency)
    context["panels"] = [
        _late(panel, choice) if panel.is_late else _drawn(panel, request, choice)
        for panel in allowed(request, DASHBOARD)
    ]
    context["panels"] = [shown for shown in context["panels"] if shown is not None]
    return context


def panel_view(request: HttpRequest, key: str) -> HttpResponse:
    """Show one panel: alone for the dashboard's script, else on a page of its own."""
    panel, choice = _asked(request, key), choice_for(request)
    shown = _drawn(panel, request, choice)
    if FRAGMENT in request.headers:
        response = TemplateResponse(request, "customers/panel.html", {"panel": shown})
    else:
        page = {**admin.site.each_context(request), "title": panel.title, "panel": shown}
        response = TemplateResponse(request, "customers/panel_page.html", page)
    response["Cache-Control"] = "no-store, private"
    response["Vary"] = FRAGMENT
    return response


def panel_file(request: HttpRequest, key: str) -> HttpResponse:
    """Send a panel's table as CSV to who may see the panel; on record where it names people."""
    panel, choice = _asked(request, key), choice_for(request)
    try:
        with bounded(PANEL_SECONDS):
            data = panel.context(request, None) or {}
    except TooSlowError:
        return HttpResponse(_too_slow(), status=503, content_type="text/plain; charset=utf-8")
    table: Table | None = data.get("table")
    if table is None:
        raise Http404
    if panel.names_people:
        record_audit(
            actor_id=request.user.pk,
            action="panel.saved",
            object_type="core.panel",
            object_id=panel.key,
            details={"rows": len(table.rows), "address": choice.query},
        )
    now = timezone.localtime()
    name = f"huike-{panel.key}-{now:%Y-%m-%d-%H%M}.csv"
    return HttpResponse(
        as_csv(table),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store, private",
        },
    )


def as_csv(table: Table) -> str:
    """Write a table as spreadsheets read it: with a mark of UTF-8, and no cell is a formula."""
    text = StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow([guard(str(words)) for words in table.head])
    for row in table.rows:
        writer.writerow([_plain(cell.text if cell.value is None else cell.value) for cell in row])
    return text.getvalue()


def _plain(value: Any) -> str:
    """Write a value for a file: numbers and days bare, texts so that none acts as a formula."""
    return str(value) if isinstance(value, (int, float, Decimal)) else guard(str(value))


def _asked(request: HttpRequest, key: str) -> Panel:
    """Return a panel of the dashboard; 404 where there is none, 403 where it is not for them."""
    if key not in registry.panels or registry.panels.get(key).page != DASHBOARD:
        raise Http404
    panel = registry.panels.get(key)
    if is_limited(request.user) and not may_see(request, panel):
        raise Http404
    if not may_see(request, panel):
        raise PermissionDenied
    return panel


def _late(panel: Panel, choice: Choice) -> dict[str, Any]:
    """Return the frame of a panel that is asked for once the page is there."""
    return {
        "key": panel.key,
        "title": panel.title,
        "width": panel.width,
        "is_late": True,
        "query": choice.query,
    }


def _drawn(panel: Panel, request: HttpRequest, choice: Choice) -> dict[str, Any] | None:
    """Return what a panel shows; words where it would take too long, None where it has nothing."""
    too_slow = ""
    data: Any = {}
    try:
        if panel.is_late:
            with bounded(PANEL_SECONDS):
                data = panel.context(request, None)
        else:
            data = panel.context(request, None)
    except TooSlowError:
        log.warning("panel_too_slow", panel=panel.key)
        too_slow = _too_slow()
    if data is None:
        return None
    followed = {"period", "source"} if panel.obeys is None else panel.obeys
    asked = {"period", "source"} if choice.source else {"period"}
    missing = frozenset(asked - followed)
    return {
        "key": panel.key,
        "title": panel.title,
        "width": panel.width,
        "template": panel.template,
        "data": data,
        "too_slow": too_slow,
        "query": choice.query,
        "as_of": (data.get("as_of") or as_of_now()) if panel.is_late else "",
        "disobeys": DISOBEYS.get(missing, "") if panel.is_late else "",
        "file": bool(data.get("table")),
    }


def as_of_now() -> str:
    """Say when figures that are counted while one looks were counted, and in which zone."""
    now = timezone.localtime()
    return _("As of %(at)s, %(zone)s.") % {
        "at": date_format(now, "DATETIME_FORMAT"),
        "zone": timezone.get_current_timezone_name(),
    }


def _too_slow() -> str:
    return _(
        "These figures took more than %(seconds)s seconds and were given up. Choose a shorter "
        "period or a source, or try again later."
    ) % {"seconds": round(PANEL_SECONDS)}


def _headline(choice: Choice, currency: str) -> list[dict[str, str]]:
    weeks = revenue_by_week(
        until=shop_day(timezone.now()), weeks=2 * HEADLINE_WEEKS + 1, source_id=choice.source_id
    )
    return headline(weeks, currency, choice) if any(week.orders for week in weeks) else []


def environment_label(request: HttpRequest) -> list[str] | None:
    """Return what stands in the head of every page of a shop that is not, or not all, real."""
    label = demo_label(getattr(request, "shop", None) or shop_settings())
    return [label, "warning"] if label else None


def headline(weeks: list[Week], currency: str, choice: Choice) -> list[dict[str, str]]:
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
            "counted": "1",
            **({"source__id__exact": choice.source_id} if choice.source else {}),
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


def allowed(request: HttpRequest, page: str) -> Iterable[Panel]:
    """Return the panels of a page that this person may see."""
    return [panel for panel in registry.panels if panel.page == page and may_see(request, panel)]


def may_see(request: HttpRequest, panel: Panel) -> bool:
    """Tell whether a panel is for this person.

    Figures of the whole shop are for nobody whose roles are limited to sources.
    """
    if panel.permission and not request.user.has_perm(panel.permission):
        return False
    follows = panel.page == DASHBOARD and panel.obeys is not None and "source" in panel.obeys
    return panel.keeps_reach or follows or not is_limited(request.user)


def panels(request: HttpRequest, page: str, customer_id: int | None) -> list[dict[str, Any]]:
    """Return the boxes other apps put on a page, for this person."""
    shown = [(panel, panel.context(request, customer_id)) for panel in allowed(request, page)]
    return [
        {"key": panel.key, "title": panel.title, "template": panel.template, "data": data}
        for panel, data in shown
        if data is not None
    ]
