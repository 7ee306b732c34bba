"""Filters of the customer list by score: groups, bands, and the cells and bins of the dashboard."""

from abc import ABC, abstractmethod
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analytics.enums import ChurnBand, RfmGroup
from analytics.models import CurrentScore
from analytics.selectors import overview
from analytics.selectors.wording import money_range

UNSCORED = "none"
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
        """Offer the three bands, and those without a score."""
        return [*ChurnBand.choices, (UNSCORED, _("Not scored"))]

    def matching(self, value: str) -> QuerySet[CurrentScore]:
        """Keep one band; an unknown one holds nobody."""
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
