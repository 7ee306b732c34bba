"""What purchases and answers over time show on the dashboard."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.enums import Step
from analytics.models import ActivityMark
from analytics.selectors import activity
from analytics.selectors.panels import customers_list, source_words
from analytics.selectors.wording import number, percent
from crm.core.registry import Cell, Table
from customers.models import Order
from customers.selectors import charts
from customers.selectors.choice import Choice, choice_for, month_starts, week_starts

FEW = 30
"""Below so many answers a mean says little, and the panel says that."""
SURE = 1.96


def new_and_returning(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return buyers by week or month: who bought for the first time, and who had before."""
    choice, mark = choice_for(request), activity.activity_mark()
    if mark is None:
        return {"empty": _not_counted()}
    starts = _starts(choice, mark)
    rows = activity.new_and_returning(step=choice.step, starts=starts, source_id=choice.source_id)
    if not any(row.new or row.returning for row in rows):
        return {"empty": _("Nobody bought in this period."), "as_of": as_of(mark)}
    drawn = charts.chart(
        [_label(row.starts_on, choice.step) for row in rows],
        [
            charts.bars(_("New customers"), [row.new for row in rows]),
            charts.bars(_("Returning customers"), [row.returning for row in rows])
            | {"backgroundColor": charts.MORE, "borderColor": charts.NOW, "borderWidth": 1},
        ],
        stacked=True,
    )
    table = Table(
        [
            _("Month") if choice.step == Step.MONTH else _("Week from"),
            _("New customers"),
            _("Returning customers"),
            _("Share of returning"),
        ],
        [_buyers_row(row, choice, row is rows[-1]) for row in reversed(rows)],
    )
    return {
        "charts": [{"title": "", "config": drawn}],
        "notes": [
            _("A customer counts once in each span. New: the first purchase ever known."),
            *_guests(choice, starts),
        ],
        "table": table,
        "as_of": as_of(mark),
    }


def _starts(choice: Choice, mark: ActivityMark) -> list[date]:
    if choice.step == Step.MONTH:
        return month_starts(until=mark.until_day, months=choice.months)
    return week_starts(until=mark.until_day, weeks=choice.weeks)


def _buyers_row(row: activity.Buyers, choice: Choice, is_open: bool) -> list[Cell]:
    span = activity.span_value(row.starts_on, row.ends_before)
    before = activity.span_value(date(1970, 1, 1), row.starts_on)
    own = source_words(choice)
    everybody = row.new + row.returning
    share = row.returning / everybody if everybody else None
    return [
        Cell(_label(row.starts_on, choice.step, whole=True), row.starts_on, is_open=is_open),
        Cell(number(row.new), row.new, customers_list(first_purchase=span, **own)),
        Cell(
            number(row.returning),
            row.returning,
            customers_list(first_purchase=before, purchased=span, **own),
        ),
        Cell(percent(share) or "–", "" if share is None else round(share, 4)),
    ]


def _guests(choice: Choice, starts: list[date]) -> list[str]:
    """Say how many orders are nobody's: guests are in no count of customers."""
    orders = Order.objects.counted().filter(
        customer__isnull=True, placed_day__gte=starts[0], placed_day__lt=starts[-1]
    )
    if choice.source_id is not None:
        orders = orders.filter(source_id=choice.source_id)
    count = orders.count()
    told = _("%(orders)s orders of guests in this period belong to no customer and are left out.")
    return [told % {"orders": number(count)}] if count else []


def retention(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return the triangle: month of the first purchase × months since, the share that bought."""
    choice, mark = choice_for(request), activity.activity_mark()
    if mark is None:
        return {"empty": _not_counted()}
    months = month_starts(until=mark.until_day, months=choice.months)
    found = activity.cohorts(months=months, source_id=choice.source_id)
    if not any(cohort.size for cohort in found):
        return {
            "empty": _("Nobody bought for the first time in these months."),
            "as_of": as_of(mark),
        }
    head = [_("First purchase"), _("Customers"), *(f"+{place}" for place in range(1, len(found)))]
    rows = [_cohort_row(place, cohort, months, choice) for place, cohort in enumerate(found)]
    return {
        "table": Table(head, rows),
        "is_triangle": True,
        "notes": [
            _(
                "Of those whose first purchase was in a month: the share that bought again so many "
                "months later. Months are the shop's; a cell opens its customers."
            ),
            _("Cells in a dashed frame are of the running month, which is not over yet."),
        ],
        "as_of": as_of(mark),
    }


def _cohort_row(
    place: int, cohort: activity.Cohort, months: list[date], choice: Choice
) -> list[Cell]:
    own, last = source_words(choice), len(months) - 2
    first = activity.span_value(months[place], months[place + 1])
    size = Cell(
        number(cohort.size),
        cohort.size,
        customers_list(first_purchase=first, **own),
        is_open=place == last,
    )
    cells = [Cell(_label(cohort.month, Step.MONTH, whole=True), f"{cohort.month:%Y-%m}"), size]
    for since, count in enumerate(cohort.bought[1:], start=1):
        later = place + since
        share = count / cohort.size if cohort.size else None
        span = activity.span_value(months[later], months[later + 1])
        cells.append(
            Cell(
                percent(share) or "–",
                "" if share is None else round(share, 4),
                customers_list(first_purchase=first, purchased=span, **own) if count else "",
                level=0 if not share else min(5, 1 + int(share * 10)),
                is_open=later == last,
            )
        )
    return cells


def satisfaction_trend(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return what customers answered by month: the mean, how sure it is, and of how many."""
    choice = choice_for(request)
    months = month_starts(until=timezone.localdate(), months=choice.months)
    rows = activity.answers_by_month(months=months, source_id=choice.source_id)
    if not any(row.count for row in rows):
        return {"empty": _("Nobody rated or answered in these months.")}
    means = [None if row.mean is None else round(row.mean, 1) for row in rows]
    labels = [
        f"{_label(row.month, Step.MONTH)} · n {number(row.count)}" for row in rows
    ]  # a mean without its n is none
    drawn = charts.chart(
        labels,
        [charts.line(_("Mean of the answers"), means, colour=charts.NOW, dashed=False)],
        top=100,
    )
    head = [_("Month"), _("Mean, 0–100"), _("Give or take"), _("Answers"), _("Customers"), ""]
    table = Table(head, [_answers_row(row, choice, row is rows[-1]) for row in reversed(rows)])
    return {
        "charts": [{"title": "", "config": drawn}],
        "notes": [
            _(
                "Ratings of reviews and answers to surveys, each brought to 0–100; measured, not "
                "estimated. n is the number of answers."
            ),
            _("Months with fewer than %(few)s answers say little.") % {"few": FEW},
        ],
        "table": table,
    }


def _answers_row(row: activity.Answers, choice: Choice, is_open: bool) -> list[Cell]:
    span = activity.span_value(row.month, _next_month(row.month))
    url = customers_list(answered=span, **source_words(choice)) if row.customers else ""
    give = None if row.error is None else SURE * row.error
    return [
        Cell(_label(row.month, Step.MONTH, whole=True), f"{row.month:%Y-%m}", is_open=is_open),
        Cell("–", "") if row.mean is None else Cell(number(row.mean, 1), round(row.mean, 2)),
        Cell("–", "") if give is None else Cell(f"± {number(give, 1)}", round(give, 2)),
        Cell(number(row.count), row.count),
        Cell(number(row.customers), row.customers, url),
        Cell(_("few answers") if 0 < row.count < FEW else ""),
    ]


def _next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _label(day: date, step: str, *, whole: bool = False) -> str:
    if step == Step.MONTH:
        return date_format(day, "YEAR_MONTH_FORMAT") if whole else f"{day:%Y-%m}"
    return date_format(day, "DATE_FORMAT" if whole else "MONTH_DAY_FORMAT")


def as_of(mark: ActivityMark) -> str:
    """Say when buyers were counted, and in which zone's days."""
    return _("Counted %(at)s, %(zone)s.") % {
        "at": date_format(timezone.localtime(mark.counted_at), "DATETIME_FORMAT"),
        "zone": mark.zone,
    }


def _not_counted() -> str:
    return _("Purchases are counted every few minutes; the first count has not come yet.")
