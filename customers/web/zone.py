"""Show every instant in the shop's zone."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from customers.selectors.shop import shop_zone_name


class ShopZoneMiddleware:
    """Activate the shop's time zone for the length of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/admin", "/api")):
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(shop_zone_name())):
            return self.get_response(request)
