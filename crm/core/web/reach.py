"""Close every address that is not declared open to persons whose rights end at some rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from crm.core.selectors.reach import may_open


class ReachMiddleware:
    """Answer 404 where nothing is for a limited person: undeclared addresses, rows out of reach.

    The API closes its addresses itself: only it knows whose key a call carries.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Refuse before the page is asked."""
        match = request.resolver_match
        if match is None or match.view_name.startswith("api:"):
            return
        if not may_open(request.user, match.view_name, match.kwargs):
            raise Http404
