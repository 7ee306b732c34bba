"""Alerts over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from crm.core.api.fields import ReadSerializer, public_id
from crm.core.api.filters import (
    BooleanFilter,
    ChoicesFilter,
    InstantFilter,
    ResourceFilters,
    TextFilter,
)
from crm.core.api.serializers import link
from crm.core.api.views import ResourceViewSet
from crm.core.enums import AlertSeverity
from crm.core.models import Alert


class AlertSerializer(ReadSerializer):
    """Something that does not go as it should."""

    id = public_id()
    url = serializers.SerializerMethodField()
    message = serializers.CharField(source="words", help_text="In the caller's language.")
    page = serializers.CharField(source="link", help_text="Path in the web admin; may be empty.")

    class Meta:
        model = Alert
        fields = [
            "id",
            "url",
            "code",
            "severity",
            "message",
            "parameters",
            "page",
            "raised_at",
            "resolved_at",
        ]

    def get_url(self, alert: Alert) -> str:
        return link(self, "api:alert-detail", alert.public_id)


class AlertFilters(ResourceFilters):
    is_open = BooleanFilter(method="by_state")
    code = TextFilter()
    severity = ChoicesFilter(choices=AlertSeverity.choices)
    ranges = {"raised_at": ("raised_at", InstantFilter)}

    def by_state(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep alerts that are open, or those that are resolved."""
        return queryset.filter(resolved_at__isnull=value)


@extend_schema_view(
    list=extend_schema(summary="List alerts, newest first"),
    retrieve=extend_schema(summary="Show an alert"),
)
class AlertViewSet(ResourceViewSet):
    """What needs somebody's attention: stopped imports, missing exchange rates."""

    resource = "alerts"
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    lookup_value_regex = "alr_[0-9a-f]{32}"
    filters_class = AlertFilters
