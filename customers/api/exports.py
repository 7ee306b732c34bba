"""Lists taken out as files over REST."""

from typing import Any

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.api.fields import public_id
from crm.core.api.idempotency import answer_once
from crm.core.api.permissions import require
from crm.core.api.problems import request_id
from crm.core.api.serializers import JobSerializer, link
from crm.core.api.views import ResourceViewSet, actor
from crm.core.api.work import AnyNegotiation, accepted
from crm.core.selectors.reach import reached
from crm.core.web.files import send_file
from customers.api.filters import ExportFilters
from customers.api.lists import listed_rows
from customers.api.serializers import SourcedSerializer
from customers.enums import ExportKind, ExportState, FileFormat, ListOf
from customers.models import Export, Source
from customers.selectors.exporting import (
    KINDS,
    file_name,
    permissions_for,
    permissions_to_take,
    show_filters,
)
from customers.services import exporting


class ExportSerializer(SourcedSerializer):
    """A file of a list; ``file`` is its address while it is there."""

    id = public_id()
    url = serializers.SerializerMethodField()
    job = JobSerializer(allow_null=True)
    file = serializers.SerializerMethodField(help_text="Address of the file; null without one.")
    filters = serializers.SerializerMethodField(
        help_text="What the list was narrowed by; what may name a person only for who "
        "may view contacts."
    )

    class Meta:
        model = Export
        fields = [
            "id",
            "url",
            "kind",
            "format",
            "source",
            "filters",
            "shows_contacts",
            "state",
            "rows",
            "size",
            "file",
            "downloads",
            "error",
            "created_at",
            "expires_at",
            "job",
        ]

    def get_url(self, export: Export) -> str:
        return link(self, "api:export-detail", export.public_id)

    def get_filters(self, export: Export) -> dict[str, Any]:
        return show_filters(export.filters, self.context["request"].user)

    def get_file(self, export: Export) -> str | None:
        if export.state != ExportState.READY:
            return None
        return link(self, "api:export-file", export.public_id)


class ExportWishSerializer(serializers.Serializer[Any]):
    """Which list, as which kind of file."""

    kind = serializers.ChoiceField(choices=ExportKind.choices)
    format = serializers.ChoiceField(choices=FileFormat.choices)
    filters = serializers.DictField(
        required=False,
        default=dict,
        help_text="The parameters by which GET /api/v1/<kind>/ is narrowed. The rows must be of "
        "one source; “source” chooses it.",
    )


class ExportStartedSerializer(serializers.Serializer[Any]):
    """The answer to a wish: the export, and the job that writes it."""

    id = serializers.CharField(help_text="The export's id.")
    url = serializers.CharField(help_text="The export's address.")
    job = JobSerializer()


@extend_schema_view(
    list=extend_schema(summary="List exports, newest first"),
    retrieve=extend_schema(summary="Show an export"),
    create=extend_schema(
        summary="Take a list out as a file",
        request=ExportWishSerializer,
        responses={202: ExportStartedSerializer},
    ),
    file=extend_schema(
        summary="Download the file; 410 when it has expired",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    ),
)
class ExportViewSet(ResourceViewSet):
    """Files that lists were made into."""

    resource = "exports"
    queryset = Export.objects.select_related("source", "job")
    serializer_class = ExportSerializer
    lookup_value_regex = "exp_[0-9a-f]{32}"
    filters_class = ExportFilters
    idempotent_actions = ("create",)

    def create(self, request: Request) -> Response:
        """Start a job that writes the file; ``Location`` is the job to poll."""
        body = ExportWishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        for permission in permissions_for(KINDS[body.validated_data["kind"]]):
            require(request, permission)
        return answer_once(request, lambda: self._start(request, body.validated_data))

    @action(detail=True, content_negotiation_class=AnyNegotiation)
    def file(self, request: Request, *args: Any, **kwargs: Any) -> FileResponse:
        """Send the file to who may read its rows; every download is on record."""
        export = self.get_object()
        for permission in permissions_to_take(export):
            require(request, permission)
        who = actor(request)
        taken = exporting.hand_out(
            export_id=export.pk,
            user_id=who["actor_id"],
            api_key_id=who["api_key_id"],
            now=timezone.now(),
            request_id=request_id(),
        )
        return send_file(taken.file, file_name(taken))

    def _start(self, request: Request, values: dict[str, Any]) -> Response:
        kind, filters = values["kind"], values["filters"]
        rows = listed_rows(kind=kind, filters=filters, user=request.user)
        who = actor(request)
        export = exporting.start_export(
            kind=kind,
            format=values["format"],
            source=exporting.one_source(
                kind=kind, rows=rows, among=reached(Source.objects.all(), request.user)
            ),
            rows=rows,
            filters=filters,
            filtered_by=ListOf.API,
            user_id=who["actor_id"],
            api_key_id=who["api_key_id"],
            request_id=request_id(),
        )
        shown = ExportSerializer(export, context=self.get_serializer_context())
        named = {"id": export.public_id, "url": shown.get_url(export)}
        assert export.job is not None
        return accepted(request, export.job, named)
