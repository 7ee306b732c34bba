"""Addresses of the scores' resources."""

from django.urls import URLPattern, re_path
from rest_framework.routers import BaseRouter

from analytics.api.runs import RunViewSet
from analytics.api.views import CustomerScoreView, ScoreViewSet

patterns: list[URLPattern] = [
    re_path(
        r"^customers/(?P<id>cus_[0-9a-f]{32})/scores/$",
        CustomerScoreView.as_view(),
        name="customer-scores",
    ),
]


def register(router: BaseRouter) -> None:
    """Add the scores' resources to the API."""
    router.register("scores", ScoreViewSet, "score")
    router.register("scoring-runs", RunViewSet, "scoring-run")
