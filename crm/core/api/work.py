"""Answering calls that start slow work, and handing out its error files."""

from typing import Any

from django.db import transaction
from django.http import FileResponse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.api.serializers import JobSerializer
from crm.core.errors import NotFoundError
from crm.core.models import Job
from crm.core.tasks import run_job


def accepted(request: Request, job: Job, created: dict[str, Any]) -> Response:
    """Answer 202 with the job and what it works on, and hint the workers after the commit.

    The hint may fail: the sweep finds the job by its row.
    """

    def hint() -> None:
        run_job.delay(job.pk)

    transaction.on_commit(hint, robust=True)
    shown = JobSerializer(job, context={"request": request}).data
    return Response(
        {**created, "job": shown},
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": shown["url"]},
    )


def error_file(job: Job | None) -> FileResponse:
    """Send the rejected rows of a job as a download; raises NotFoundError when it has none."""
    if job is None or not job.error_file:
        raise NotFoundError(_("There is no error file: no row was rejected, or it was cleared."))
    name = str(job.error_file.name).rsplit("/", 1)[-1]
    return FileResponse(job.error_file.open("rb"), as_attachment=True, filename=name)


class AnyNegotiation(BaseContentNegotiation):
    """Sends a file to callers whatever types they say they accept."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Take the first renderer; a file needs none."""
        return renderers[0], renderers[0].media_type
