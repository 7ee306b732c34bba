"""What the mail of Monday says to one person: last week, who to act on, a forecast's verdict."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.enums import Step
from analytics.selectors import activity, foretold, overview
from analytics.selectors.panels import LIST, customers_list, shown_name
from analytics.selectors.scores import current_run
from analytics.selectors.wording import number, percent
from customers.models import ShopSettings
from customers.selectors.revenue import revenue_by_week
from customers.selectors.timeline import money

PEOPLE = 10
YEAR = timedelta(weeks=52)
WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Line:
    """A figure of last week, and how it stands to the week before and to the year before."""

    label: str
    value: str
    week_before: str
    year_before: str
    path: str


@dataclass(frozen=True)
class Person:
    """A customer to act on: the name only, never how to reach them."""

    name: str
    path: str
    risk: str
    value: str


@dataclass(frozen=True)
class Digest:
    """The mail of one Monday in the reader's language; what the reader may not see is not in it."""

    monday: date
    shop: str
    zone: str
    lines: list[Line]
    people: list[Person]
    people_words: str
    verdict: list[str]

    @property
    def title(self) -> str:
        """Return what the mail is about."""
        span = {"first": self.monday - WEEK, "last": self.monday - timedelta(days=1)}
        days = {name: date_format(day, "DATE_FORMAT") for name, day in span.items()}
        return _("%(shop)s: the week from %(first)s to %(last)s") % {"shop": self.shop, **days}

    @property
    def has_anything(self) -> bool:
        return bool(self.lines or self.people or self.people_words or self.verdict)


def weekly_digest(*, user: Any, shop: ShopSettings, monday: date) -> Digest:
    """Return the mail of a Monday for a person, in the language that is active."""
    reads_scores = user.has_perm("analytics.view_currentscore")
    people, words = _people(user) if reads_scores else ([], "")
    return Digest(
        monday=monday,
        shop=shop.name,
        zone=shop.zone,
        lines=_lines(user, shop, monday),
        people=people,
        people_words=words,
        verdict=verdict(today=monday, currency=shop.currency) if reads_scores else [],
    )


def _lines(user: Any, shop: ShopSettings, monday: date) -> list[Line]:
    lines = []
    first, last = monday - WEEK, monday - timedelta(days=1)
    if user.has_perm("customers.view_order"):
        before, week = revenue_by_week(until=last, weeks=2)
        words = f"?placed_day__gte={first}&placed_day__lte={last}&counted=1"
        path = reverse("admin:customers_order_changelist") + words
        lines += [
            Line(
                _("Revenue"),
                f"{number(week.revenue)} {shop.currency}",
                change(week.revenue, before.revenue),
                change(week.revenue, week.year_before),
                path,
            ),
            Line(
                _("Orders"),
                number(week.orders),
                change(week.orders, before.orders),
                change(week.orders, week.orders_before),
                path,
            ),
        ]
    mark = activity.activity_mark()
    if user.has_perm("customers.view_customer") and mark and mark.until_day >= monday:
        now, week_ago, year_ago = (
            _new_customers(start) for start in (first, first - WEEK, first - YEAR)
        )
        path = customers_list(first_purchase=activity.span_value(first, monday))
        lines.append(
            Line(
                _("New customers"),
                number(now),
                change(now, week_ago),
                change(now, year_ago),
                path,
            )
        )
    return lines


def _new_customers(monday: date) -> int:
    (week,) = activity.new_and_returning(
        step=Step.WEEK, starts=[monday, monday + WEEK], source_id=None
    )
    return week.new


def change(now: Any, before: Any) -> str:
    """Write how much more or less that is; a dash where there is nothing to compare with."""
    if not before or before < 0:
        return "–"
    share = float((now - before) / before)
    sign = "+" if share > 0 else "−" if share < 0 else "±"
    return f"{sign}{percent(abs(share))}"


def _people(user: Any) -> tuple[list[Person], str]:
    """Return who puts most money at risk, and as of when or why nobody."""
    run = current_run()
    if run is None:
        return [], _("There are no scores yet.")
    found = overview.churn_risk(limit=PEOPLE)
    if not found:
        return [], _("Nobody’s churn risk reaches 40 %.")
    may_see = user.has_perm("customers.view_customer")
    people = [
        Person(
            shown_name(row.score.customer) if may_see else row.score.customer.public_id,
            f"{LIST}{row.score.customer_id}/change/",
            percent(row.score.churn_probability),
            money(row.value, row.score.run.currency),
        )
        for row in found
    ]
    words = _("By value at risk: churn risk × predicted spend. Scores as of %(day)s.")
    return people, words % {"day": date_format(run.as_of_day, "DATE_FORMAT")}


def verdict(*, today: date, currency: str) -> list[str]:
    """Say what a forecast whose time is over foretold and what came, or why nothing can be said."""
    found = foretold.newest_foretold(today=today, currency=currency)
    if found is None:
        ends_on = foretold.next_verdict(today=today)
        if ends_on is None:
            return [_("No forecast was kept yet that could be held against what came.")]
        told = _("No forecast is old enough yet: the first can be judged on %(day)s.")
        return [told % {"day": date_format(ends_on, "DATE_FORMAT")}]
    ago = (today - found.run.as_of_day).days
    told_values = {
        "ago": ago,
        "customers": number(found.customers),
        "days": found.run.horizon_days,
        "spend": money(found.spend, currency),
        "came": money(found.came, currency),
    }
    said = [
        ngettext(
            "%(ago)s day ago we predicted that %(customers)s customers would spend %(spend)s "
            "within %(days)s days; they spent %(came)s.",
            "%(ago)s days ago we predicted that %(customers)s customers would spend %(spend)s "
            "within %(days)s days; they spent %(came)s.",
            ago,
        )
        % told_values
    ]
    if found.is_inside is None:
        said.append(
            _("How far off to expect was not known then: the backtest had too few windows.")
        )
    else:
        words = (
            _("That is within %(low)s to %(high)s, the range of the misses in its backtest.")
            if found.is_inside
            else _("That is outside %(low)s to %(high)s, the range of the misses in its backtest.")
        )
        ends = {"low": found.low, "high": found.high}
        said.append(words % {name: money(end, currency) for name, end in ends.items()})
    if found.lapses is not None:
        lapsed = _("%(said)s were expected not to order in that time; %(came)s did not.")
        said.append(lapsed % {"said": number(found.lapses), "came": number(found.lapsed)})
    return said
