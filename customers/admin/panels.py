"""What the record itself puts on the dashboard."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm.core.registry import Cell, Table
from customers.selectors import charts
from customers.selectors.choice import Choice, choice_for
from customers.selectors.revenue import YEAR, Week, revenue_by_week
from customers.selectors.shop import shop_settings


def revenue(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return revenue and orders by week, beside the same weeks a year before."""
    choice, shop = choice_for(request), shop_settings()
    weeks = revenue_by_week(
        until=timezone.localdate(), weeks=choice.weeks, source_id=choice.source_id
    )
    if not any(week.orders or week.orders_before for week in weeks):
        return {
            "empty": _("No paid orders in these weeks."),
            "empty_url": reverse("admin:customers_importbatch_add"),
            "empty_words": _("Bring a file in"),
        }
    labels = [date_format(week.monday, "MONTH_DAY_FORMAT") for week in weeks]
    money = charts.chart(
        labels,
        _beside_the_year_before(
            _("Revenue"),
            [float(week.revenue) for week in weeks],
            [None if week.year_before is None else float(week.year_before) for week in weeks],
        ),
    )
    counts = charts.chart(
        labels,
        _beside_the_year_before(
            _("Orders"), [week.orders for week in weeks], [week.orders_before for week in weeks]
        ),
    )
    notes = [
        _("Net of refunds and cancellations. The last week is not over yet."),
        _("Of the running week a year before, the same days are counted."),
    ]
    if shop.refund_window_days:
        notes.append(
            _("Orders of the last %(days)s days may still come back.")
            % {"days": shop.refund_window_days}
        )
    return {
        "charts": [
            {"title": _("Revenue, %(currency)s") % {"currency": shop.currency}, "config": money},
            {"title": _("Orders"), "config": counts},
        ],
        "notes": notes,
        "table": _table(weeks, choice),
    }


def _beside_the_year_before(
    label: str, now: list[Any], before: list[Any | None]
) -> list[dict[str, Any]]:
    rows = [charts.bars(label, now, last_is_open=True)]
    if sum(value is not None for value in before) > len(before) / 2:
        rows.append(charts.line(_("52 weeks before"), before))
    return rows


def _table(weeks: list[Week], choice: Choice) -> Table:
    head = [
        _("Week from"),
        _("Revenue"),
        _("Revenue 52 weeks before"),
        _("Revenue against the year before"),
        _("Orders"),
        _("Orders 52 weeks before"),
        _("Orders against the year before"),
    ]
    return Table(head, [_row(week, choice, week is weeks[-1]) for week in reversed(weeks)])


def _row(week: Week, choice: Choice, is_open: bool) -> list[Cell]:
    today = timezone.localdate()
    last = today if is_open else week.last_day
    now = orders_url(week.monday, last, choice.source_id)
    then = orders_url(week.monday - YEAR, last - YEAR, choice.source_id)
    return [
        Cell(date_format(week.monday, "DATE_FORMAT"), week.monday, is_open=is_open),
        Cell(whole(week.revenue), week.revenue, now),
        Cell("–", "") if week.year_before is None else _linked(week.year_before, then),
        _change(week.revenue, week.year_before),
        Cell(whole(week.orders), week.orders, now),
        Cell("–", "") if week.orders_before is None else _linked(week.orders_before, then),
        _change(week.orders, week.orders_before),
    ]


def _linked(value: Decimal | int, url: str) -> Cell:
    return Cell(whole(value), value, url)


def whole(value: Decimal | int) -> str:
    """Write a number without what is behind its point, thousands grouped."""
    return number_format(round(value), 0, force_grouping=True)


def _change(now: Decimal | int, before: Decimal | int | None) -> Cell:
    """Write how much more or less that is, in per cent; nothing where there is no before."""
    if not before or before < 0:
        return Cell("")
    share = float((now - before) / before)
    percent = round(100 * share)
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    shown = _("%(share)s %%") % {"share": f"{sign}{number_format(abs(percent))}"}
    return Cell(shown, round(share, 4))


def orders_url(first: Any, last: Any, source_id: int | None) -> str:
    """Return the list of the orders that count in these days."""
    words = {
        "placed_day__gte": first.isoformat(),
        "placed_day__lte": last.isoformat(),
        "counted": "1",
        **({} if source_id is None else {"source__id__exact": source_id}),
    }
    return f"{reverse('admin:customers_order_changelist')}?{urlencode(words)}"
