"""Jobs over REST."""

from typing import Any

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.api.fields import ReadSerializer
from crm.core.api.filters import ChoicesFilter, InstantFilter, ResourceFilters, TextFilter
from crm.core.api.permissions import require
from crm.core.api.problems import request_id
from crm.core.api.serializers import JobDetailSerializer, JobSerializer
from crm.core.api.views import ResourceViewSet, actor
from crm.core.api.work import AnyNegotiation, error_file
from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.registry import errors_permission
from crm.core.services import jobs
from crm.core.services.audit import record_audit


class JobFilters(ResourceFilters):
    state = ChoicesFilter(choices=JobState.choices)
    kind = TextFilter()
    ranges = {"created_at": ("created_at", InstantFilter)}


@extend_schema_view(
    list=extend_schema(summary="List jobs, newest first"),
    retrieve=extend_schema(summary="Show a job with its log"),
    cancel=extend_schema(summary="Ask a job to stop", request=None, responses=JobDetailSerializer),
    error_file=extend_schema(
        summary="Download the rejected rows",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY)},
    ),
)
class JobViewSet(ResourceViewSet):
    """Slow work: imports, scoring runs. Poll a job until its ``state`` is final."""

    resource = "jobs"
    queryset = Job.objects.all()
    lookup_value_regex = "job_[0-9a-f]{32}"
    filters_class = JobFilters
    action_verbs = {"cancel": "change"}

    def get_serializer_class(self) -> type[ReadSerializer]:
        """Show the log only of a single job."""
        return JobSerializer if self.is_list else JobDetailSerializer

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: str) -> Response:
        """Ask a job to stop between two chunks; a queued one stops at once. 409 after its end."""
        job = jobs.cancel_job(job_id=self.get_object().pk, now=timezone.now())
        record_audit(
            **actor(request),
            action="job.cancelled",
            object_type="core.job",
            object_id=job.public_id,
            details={"kind": job.kind},
            request_id=request_id(),
        )
        return Response(self.get_serializer(self.get_object()).data)

    @action(detail=True, url_path="error-file", content_negotiation_class=AnyNegotiation)
    def error_file(self, request: Request, *args: Any, **kwargs: Any) -> FileResponse:
        """Send the rows a job refused, each with the reason, to who may read such rows."""
        job = self.get_object()
        if needed := errors_permission(job.kind):
            require(request, needed)
        return error_file(job)
