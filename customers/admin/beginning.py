"""What an empty shop is filled with to look around: a simulated shop, or another shop's orders."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.core.errors import DomainError
from crm.core.models import Job
from crm.core.tasks import queue_job
from customers.services import demo, simulation

SIMULATED_CUSTOMERS = 50_000
SIMULATED_SEED = 1


def beginning_urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses that fill an empty shop."""
    return [
        path("simulate/", wrap(require_POST(simulate)), name="customers_simulate"),
        path("sample/", wrap(require_POST(load_sample)), name="customers_sample"),
    ]


def simulate(request: HttpRequest) -> HttpResponse:
    """Start the simulation of a shop in an empty database."""

    def start(user_id: int, now: datetime) -> Job:
        return simulation.start_simulation(
            customers=SIMULATED_CUSTOMERS, seed=SIMULATED_SEED, user_id=user_id, now=now
        )

    return _started(request, start, _("A worker simulates the shop now."))


def load_sample(request: HttpRequest) -> HttpResponse:
    """Start to load the orders of another shop into an empty database."""

    def start(user_id: int, now: datetime) -> Job:
        return demo.start_sample(user_id=user_id, now=now)

    return _started(request, start, _("A worker loads the sample now; it takes a few minutes."))


def _started(
    request: HttpRequest, start: Callable[[int, datetime], Job], words: str
) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied
    try:
        with transaction.atomic():
            job = start(request.user.pk, timezone.now())
            queue_job(job.pk)
    except DomainError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:index"))
    messages.success(request, words)
    return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))
