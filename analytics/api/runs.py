"""Scoring runs over REST."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.filters import RunFilters
from analytics.api.serializers import (
    RunDetailSerializer,
    RunRequestSerializer,
    RunSerializer,
    RunStartedSerializer,
)
from analytics.enums import RunTrigger
from analytics.models import ScoringRun
from analytics.services import scoring
from crm.core.api.idempotency import answer_once
from crm.core.api.pagination import Ordering
from crm.core.api.problems import request_id
from crm.core.api.views import ResourceViewSet, actor
from crm.core.api.work import accepted
from crm.core.services.audit import record_audit


@extend_schema_view(
    list=extend_schema(summary="List scoring runs, newest first"),
    retrieve=extend_schema(summary="Show a run with its backtest, baseline and abstentions"),
    create=extend_schema(
        summary="Start a scoring run",
        request=RunRequestSerializer,
        responses={202: RunStartedSerializer},
    ),
)
class RunViewSet(ResourceViewSet):
    """Fits and scores of all customers."""

    resource = "scoring-runs"
    queryset = ScoringRun.objects.select_related("job")
    lookup_value_regex = "run_[0-9a-f]{32}"
    filters_class = RunFilters
    orderings = {"id": Ordering("pk"), "as_of_day": Ordering("as_of_day")}
    idempotent_actions = ("create",)

    def get_serializer_class(self) -> type[RunSerializer]:
        """Show backtest and parameters only of a single run."""
        return RunSerializer if self.is_list else RunDetailSerializer

    def create(self, request: Request) -> Response:
        """Queue a run and answer at once; ``Location`` is the job to poll."""
        body = RunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer_once(request, lambda: self._start(request, body.validated_data))

    def _start(self, request: Request, values: dict[str, Any]) -> Response:
        run = scoring.start_run(
            trigger=RunTrigger.MANUAL,
            as_of_day=values["as_of_day"],
            user_id=request.user.pk,
            now=timezone.now(),
        )
        record_audit(
            **actor(request),
            action="scoring_run.started",
            object_type="analytics.scoringrun",
            object_id=run.public_id,
            details={"as_of_day": run.as_of_day.isoformat()},
            request_id=request_id(),
        )
        shown = RunSerializer(run, context=self.get_serializer_context())
        assert run.job is not None  # start_run has just made it
        return accepted(request, run.job, {"id": run.public_id, "url": shown.get_url(run)})
