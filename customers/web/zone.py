"""Show every instant in the shop's zone, and let pages know which shop it is."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from customers.selectors.shop import shop_settings


class ShopZoneMiddleware:
    """Activate the shop's time zone for the length of a request; keep its settings as ``shop``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(("/admin", "/api")):
            return self.get_response(request)
        shop = shop_settings()
        setattr(request, "shop", shop)  # noqa: B010 - not declared on the class
        with timezone.override(zoneinfo.ZoneInfo(shop.zone)):
            return self.get_response(request)
