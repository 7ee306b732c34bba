"""Loosen the content policy where the admin's theme needs it, and nowhere else."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL
from django.http import HttpRequest, HttpResponse


class AdminPolicyMiddleware:
    """Let the theme's Alpine evaluate its expressions under /admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin"):
            setattr(response, "_csp_update", {"script-src": [UNSAFE_EVAL]})  # noqa: B010 - its API
        return response
