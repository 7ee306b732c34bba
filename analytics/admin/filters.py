"""Filters of the customer list by score: groups, bands, and the cells and bins of the dashboard."""

from abc import ABC, abstractmethod
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analytics.enums import ChurnBand, RfmGroup
from analytics.models import CurrentScore
from analytics.selectors import activity, movement, overview
from analytics.selectors.wording import money_range
from customers.enums import Lifecycle

UNSCORED = "none"
AT_RISK = "at_risk"
Choices = list[tuple[str, Any]]


class ScoreFilter(admin.SimpleListFilter, ABC):
    """Keeps the customers whose published scores match; the base of the filters below."""

    @abstractmethod
    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Return the scores of the customers to keep."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the customers to keep; all without a choice."""
        value = self.value()
        if not value:
            return queryset
        if value == UNSCORED:
            scored = CurrentScore.objects.filter(churn_probability__isnull=False)
            # Not “pk not in”: a list of a million ids is walked once for every customer.
            return queryset.filter(~Exists(scored.filter(customer_id=OuterRef("pk"))))
        return queryset.filter(pk__in=self.matching(value).values("customer_id"))


class RfmGroupFilter(ScoreFilter):
    title = _("RFM group")
    parameter_name = "rfm_group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the eleven groups."""
        return list(RfmGroup.choices)

    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Keep one group."""
        return CurrentScore.objects.filter(rfm_group=value)


class ChurnBandFilter(ScoreFilter):
    title = _("churn risk")
    parameter_name = "churn_band"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the three bands, the upper two together, and those without a score."""
        at_risk = (AT_RISK, _("Medium or high (40 % and more)"))
        return [*ChurnBand.choices, at_risk, (UNSCORED, _("Not scored"))]

    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Keep one band; an unknown one holds nobody."""
        if value == AT_RISK:
            return CurrentScore.objects.at_risk()
        if value not in ChurnBand.values:
            return CurrentScore.objects.none()
        return CurrentScore.objects.in_churn_band(ChurnBand(value))


class _RankFilter(ScoreFilter):
    parameter_name: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer 5 (best) to 1."""
        return [(str(rank), str(rank)) for rank in range(5, 0, -1)]

    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Keep one rank; anything but a rank holds nobody."""
        if value not in {"1", "2", "3", "4", "5"}:
            return CurrentScore.objects.none()
        return CurrentScore.objects.filter(**{self.parameter_name: int(value)})


class RScoreFilter(_RankFilter):
    title = _("R (recency)")
    parameter_name = "r_score"


class FScoreFilter(_RankFilter):
    title = _("F (frequency)")
    parameter_name = "f_score"


class ClvRangeFilter(ScoreFilter):
    """Keeps a range of predicted spend, written ``20-50``, ``-20`` or ``500-``."""

    title = _("predicted spend")
    parameter_name = "clv_range"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the ranges of the dashboard's distribution."""
        edges = overview.clv_edges()
        ends: list[Decimal | None] = [None, *edges, None]
        pairs = pairwise(ends) if edges else ()
        return [(overview.range_value(low, high), money_range(low, high)) for low, high in pairs]

    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Keep one range; what is no range holds nobody."""
        low, dash, high = value.partition("-")
        try:
            ends = [Decimal(end) if end else None for end in (low, high)]
        except InvalidOperation:
            return CurrentScore.objects.none()
        if not dash or not all(end is None or end.is_finite() for end in ends):
            return CurrentScore.objects.none()
        return CurrentScore.objects.with_clv_between(*ends)


class RfmMovedFilter(admin.SimpleListFilter):
    """Keeps who came into a group, or left it, since the first scores of a month."""

    title = _("moved between RFM groups")
    parameter_name = "rfm_moved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer both ways for each group."""
        ways = [("in", gettext("into %(group)s")), ("out", gettext("out of %(group)s"))]
        return [
            (f"{way}-{key}", words % {"group": label})
            for key, label in RfmGroup.choices
            for way, words in ways
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one movement; all without a choice, nobody for what is none."""
        value = self.value()
        if not value:
            return queryset
        way, _dash, group = value.partition("-")
        snapshot = movement.last_snapshot()
        statement = {"in": movement.MOVED_IN, "out": movement.MOVED_OUT}.get(way)
        if statement is None or group not in RfmGroup.values or snapshot is None:
            return queryset.none()
        return queryset.filter(
            lifecycle=Lifecycle.ACTIVE, pk__in=_chosen(statement, snapshot.pk, group)
        )


class _DaysFilter(admin.SimpleListFilter, ABC):
    """Keeps customers by what they did in a span of days, written ``2026-01-01..2026-01-31``."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the spans that are asked for most."""
        today = timezone.localdate()
        month = today.replace(day=1)
        before = (month - timedelta(days=1)).replace(day=1)
        after = today + timedelta(days=1)
        return [
            (activity.span_value(today - timedelta(days=29), after), gettext("The last 30 days")),
            (activity.span_value(month, after), gettext("This month")),
            (activity.span_value(before, month), gettext("The month before")),
            (activity.span_value(date(today.year, 1, 1), after), gettext("This year")),
        ]

    @abstractmethod
    def rows(self, first: int, last: int) -> RawSQL:
        """Return the ids of the customers to keep, by the first and the last day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one span; all without a choice, nobody for what is none."""
        value = self.value()
        if not value:
            return queryset
        span = activity.read_span(value)
        if span is None:
            return queryset.none()
        return queryset.filter(pk__in=self.rows(*map(activity.day_number, span)))


class FirstPurchaseFilter(_DaysFilter):
    title = _("first purchase")
    parameter_name = "first_purchase"

    def rows(self, first: int, last: int) -> RawSQL:
        """Keep those who bought for the first time in the span."""
        return _chosen(activity.FIRST_BOUGHT, first, last)


class PurchasedFilter(_DaysFilter):
    title = _("bought")
    parameter_name = "purchased"

    def rows(self, first: int, last: int) -> RawSQL:
        """Keep those who bought in the span, for the first time or again."""
        return _chosen(activity.BOUGHT, last, first, first, last)


class AnsweredFilter(_DaysFilter):
    title = _("rated or answered")
    parameter_name = "answered"

    def rows(self, first: int, last: int) -> RawSQL:
        """Keep those who wrote a rating or answered a survey in the span."""
        return _chosen(activity.ANSWERED, last, first, last)


def _chosen(statement: str, *values: Any) -> RawSQL:
    """Return the ids a statement of ours yields for these values."""
    return RawSQL(statement, values)  # noqa: S611 - constants, the values are parameters
