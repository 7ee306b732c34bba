"""Saved imports over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.api.fields import public_id
from crm.core.api.filters import BooleanFilter, ChoicesFilter, ResourceFilters, TextFilter
from crm.core.api.idempotency import answer_once
from crm.core.api.parsers import JSONParser
from crm.core.api.problems import request_id
from crm.core.api.serializers import JobSerializer, link
from crm.core.api.views import ResourceViewSet, actor
from crm.core.api.work import accepted
from crm.core.services.audit import record_audit
from customers.api.serializers import ImportStartedSerializer, SourcedSerializer
from customers.enums import PlaceKind
from customers.models import SavedImport
from customers.selectors.alert_words import reason_words
from customers.services import saved_imports


class SavedImportSerializer(SourcedSerializer):
    """An import that runs every day. Secrets are never shown."""

    id = public_id()
    url = serializers.SerializerMethodField()
    job = JobSerializer(allow_null=True, help_text="The newest fetch.")
    stopped = serializers.SerializerMethodField(help_text="Why it was stopped; null while not.")
    problem = serializers.SerializerMethodField(help_text="Why the last fetch failed, or null.")

    class Meta:
        model = SavedImport
        fields = [
            "id",
            "url",
            "name",
            "source",
            "place",
            "folder",
            "pattern",
            "host",
            "port",
            "username",
            "hour",
            "missing_days",
            "format",
            "header",
            "is_active",
            "stopped",
            "problem",
            "last_run_at",
            "last_outcome",
            "last_file_at",
            "created_at",
            "job",
        ]

    def get_url(self, saved: SavedImport) -> str:
        return link(self, "api:saved-import-detail", saved.public_id)

    def get_stopped(self, saved: SavedImport) -> str | None:
        return reason_words(saved.stopped_reason) if saved.stopped_reason else None

    def get_problem(self, saved: SavedImport) -> str | None:
        return reason_words(saved.problem) if saved.problem else None


class SavedImportFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    place = ChoicesFilter(choices=PlaceKind.choices)
    is_active = BooleanFilter()


@extend_schema_view(
    list=extend_schema(summary="List saved imports, newest first"),
    retrieve=extend_schema(summary="Show a saved import and how its last fetch ended"),
    run=extend_schema(
        summary="Fetch its files now",
        request=None,
        responses={202: ImportStartedSerializer},
    ),
)
class SavedImportViewSet(ResourceViewSet):
    """Imports that run every day from a folder, an SFTP server or a signed address."""

    resource = "saved-imports"
    queryset = SavedImport.objects.select_related("source", "job")
    serializer_class = SavedImportSerializer
    lookup_value_regex = "sav_[0-9a-f]{32}"
    filters_class = SavedImportFilters
    idempotent_actions = ("run",)
    action_verbs = {"run": "change"}

    @action(detail=True, methods=["post"], parser_classes=[JSONParser])
    def run(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queue the fetch; 409 while it is stopped, paused or being fetched already."""
        saved = self.get_object()
        return answer_once(request, lambda: self._run(request, saved))

    def _run(self, request: Request, saved: SavedImport) -> Response:
        job = saved_imports.start_fetch(saved_id=saved.pk, user_id=request.user.pk)
        record_audit(
            **actor(request),
            action="saved_import.started",
            object_type="customers.savedimport",
            object_id=saved.public_id,
            request_id=request_id(),
        )
        shown = SavedImportSerializer(saved, context=self.get_serializer_context())
        return accepted(request, job, {"id": saved.public_id, "url": shown.get_url(saved)})
