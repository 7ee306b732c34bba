"""Tell a load balancer whether this process lives and whether it can serve."""

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from kombu import Connection
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process can answer."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, schema and broker are there, else 503 and what is missing."""
    checks = {"database": _database(), "broker": _broker()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "not ready", "checks": checks}, status=200 if ready else 503
    )


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations pending"
    except DatabaseError as error:
        log.warning("database_not_ready", error=type(error).__name__)
        return "unreachable"
    return "ok"


def _broker() -> str:
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError) as error:
        log.warning("broker_not_ready", error=type(error).__name__)
        return "unreachable"
    return "ok"
