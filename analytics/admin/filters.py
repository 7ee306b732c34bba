"""Filters that scores add to the list of customers."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analytics.enums import RfmGroup
from analytics.models import CurrentScore


class RfmGroupFilter(SimpleListFilter):
    title = _("RFM group")
    parameter_name = "rfm_group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the groups."""
        return list(RfmGroup.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the group's customers."""
        if not self.value():
            return queryset
        members = CurrentScore.objects.filter(rfm_group=self.value()).values("customer_id")
        return queryset.filter(pk__in=members)
