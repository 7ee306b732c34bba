"""Filters of the scores' lists."""

from typing import Any

from django.db.models import QuerySet

from analytics.enums import RfmGroup, RunState, RunTrigger
from crm.core.api.filters import (
    BooleanFilter,
    ChoicesFilter,
    DateFilter,
    DecimalFilter,
    FloatFilter,
    InstantFilter,
    IntegerFilter,
    PublicIdFilter,
    ResourceFilters,
)


class ScoreFilters(ResourceFilters):
    customer = PublicIdFilter(field_name="customer__public_id", prefix="cus")
    rfm_group = ChoicesFilter(choices=RfmGroup.choices)
    is_abstained = BooleanFilter(method="by_abstained")
    ranges = {
        "r_score": ("r_score", IntegerFilter),
        "f_score": ("f_score", IntegerFilter),
        "m_score": ("m_score", IntegerFilter),
        "churn_probability": ("churn_probability", FloatFilter),
        "predicted_clv": ("predicted_clv", DecimalFilter),
        "clv_12m": ("clv_12m", DecimalFilter),
        "margin_12m": ("margin_12m", DecimalFilter),
        "expected_orders": ("expected_orders", FloatFilter),
        "next_order_from": ("next_order_from", DateFilter),
        "next_order_until": ("next_order_until", DateFilter),
        "satisfaction": ("satisfaction", FloatFilter),
    }

    def by_abstained(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep the customers that were not scored, or those that were."""
        return queryset.exclude(abstained="") if value else queryset.filter(abstained="")


class RunFilters(ResourceFilters):
    state = ChoicesFilter(choices=RunState.choices)
    trigger = ChoicesFilter(choices=RunTrigger.choices)
    ranges = {
        "as_of_day": ("as_of_day", DateFilter),
        "created_at": ("created_at", InstantFilter),
    }
