"""Files brought in over REST."""

from typing import Any

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.api.idempotency import answer_once
from crm.core.api.parsers import JSONParser
from crm.core.api.permissions import require
from crm.core.api.problems import request_id
from crm.core.api.views import ResourceViewSet, actor
from crm.core.api.work import AnyNegotiation, accepted, error_file
from crm.core.services.audit import record_audit
from customers.api.filters import ImportFilters
from customers.api.serializers import (
    ImportSerializer,
    ImportStartedSerializer,
    ToldSerializer,
    UploadSerializer,
)
from customers.models import ImportBatch
from customers.selectors.contacts import MAY_SEE
from customers.services import importing
from customers.services.importing import undo


@extend_schema_view(
    list=extend_schema(summary="List imports, newest first"),
    retrieve=extend_schema(summary="Show an import and what became of its rows"),
    create=extend_schema(
        summary="Upload a file and start its import",
        request={"multipart/form-data": UploadSerializer},
        responses={202: ImportStartedSerializer, 201: ImportStartedSerializer},
    ),
    start=extend_schema(
        summary="Say how a waiting file is read, and try it out or bring it in",
        request=ToldSerializer,
        responses={202: ImportStartedSerializer},
    ),
    undo=extend_schema(
        summary="Undo an import: exactly, or not at all with the rows in the way by name",
        request=None,
        responses={202: ImportStartedSerializer},
    ),
    error_file=extend_schema(
        summary="Download the rejected rows",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY)},
    ),
)
class ImportViewSet(ResourceViewSet):
    """Files that were brought in."""

    resource = "imports"
    queryset = ImportBatch.objects.select_related("source", "job")
    serializer_class = ImportSerializer
    lookup_value_regex = "imp_[0-9a-f]{32}"
    filters_class = ImportFilters
    parser_classes = [MultiPartParser]
    idempotent_actions = ("create", "start", "undo")
    action_verbs = {"undo": "delete"}

    def create(self, request: Request) -> Response:
        """Store the file and answer at once; ``Location`` is the job to poll."""
        body = UploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer_once(request, lambda: self._start(request, body.validated_data))

    @action(detail=True, methods=["post"], parser_classes=[JSONParser, MultiPartParser])
    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queue the undo; 409 ``undo_refused`` names what was changed since."""
        batch = self.get_object()
        return answer_once(request, lambda: self._undo(request, batch))

    @action(detail=True, url_path="error-file", content_negotiation_class=AnyNegotiation)
    def error_file(self, request: Request, *args: Any, **kwargs: Any) -> FileResponse:
        """Send the rejected rows, each as it was with the reason, to who may view contacts."""
        require(request, MAY_SEE)
        return error_file(self.get_object().job)

    @action(detail=True, methods=["post"], parser_classes=[JSONParser])
    def start(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start a file that waits, was tried out, failed or was cancelled; 409 for another."""
        batch = self.get_object()
        body = ToldSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer_once(request, lambda: self._begin(request, batch, body.validated_data))

    def _undo(self, request: Request, batch: ImportBatch) -> Response:
        job = undo.start_undo(batch_id=batch.pk, user_id=request.user.pk, now=timezone.now())
        record_audit(
            **actor(request),
            action="import.undo_started",
            object_type="customers.importbatch",
            object_id=batch.public_id,
            request_id=request_id(),
        )
        shown = ImportSerializer(batch, context=self.get_serializer_context())
        return accepted(request, job, {"id": batch.public_id, "url": shown.get_url(batch)})

    def _start(self, request: Request, values: dict[str, Any]) -> Response:
        file = values["file"]
        given = {
            "file": file,
            "filename": file.name,
            "source_key": values["source"],
            "mapping": values.get("mapping"),
            "options": values.get("options"),
            "user_id": request.user.pk,
            "now": timezone.now(),
        }
        if values["hold"]:
            batch = importing.receive_file(**given)
        else:
            more = {"format": values["format"], "dry_run": values["dry_run"]}
            batch = importing.start_import(**given, **more)
        self._record(request, batch, "import.uploaded")
        if batch.job is None:
            return Response({**self._named(batch), "job": None}, status=201)
        return accepted(request, batch.job, self._named(batch))

    def _begin(self, request: Request, batch: ImportBatch, values: dict[str, Any]) -> Response:
        mapping, options = values.get("mapping"), values.get("options")
        if mapping is not None or options is not None:
            importing.describe_import(batch_id=batch.pk, mapping=mapping, options=options)
        job = importing.begin_import(
            batch_id=batch.pk, user_id=request.user.pk, dry_run=values["dry_run"]
        )
        self._record(request, batch, "import.tried" if values["dry_run"] else "import.started")
        return accepted(request, job, self._named(batch))

    def _named(self, batch: ImportBatch) -> dict[str, Any]:
        shown = ImportSerializer(batch, context=self.get_serializer_context())
        return {"id": batch.public_id, "url": shown.get_url(batch)}

    def _record(self, request: Request, batch: ImportBatch, what: str) -> None:
        record_audit(
            **actor(request),
            action=what,
            object_type="customers.importbatch",
            object_id=batch.public_id,
            details={
                "filename": batch.filename,
                "size": batch.size,
                "source": batch.source.key,
            },
            request_id=request_id(),
        )
