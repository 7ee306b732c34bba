"""The first page of the web admin."""

from typing import Any

from django.http import HttpRequest


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard's panels to the admin index."""
    return context
