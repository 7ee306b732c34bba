"""Routes of the REST API, version 1."""

from django.contrib.admin.views.decorators import staff_member_required
from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from analytics.api.routes import patterns as analytics_patterns
from analytics.api.routes import register as register_analytics
from crm.core.api.alerts import AlertViewSet
from crm.core.api.docs import DocsView, SchemaView
from crm.core.api.jobs import JobViewSet
from crm.core.api.views import UnknownAddressView
from customers.api.routes import register as register_customers

router = SimpleRouter()
register_customers(router)
register_analytics(router)
router.register("jobs", JobViewSet, "job")
router.register("alerts", AlertViewSet, "alert")

v1: list[URLPattern | URLResolver] = [
    *router.urls,
    *analytics_patterns,
    path("schema/", SchemaView.as_view(), name="schema"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include((v1, "api"))),
    path("docs/", staff_member_required(DocsView.as_view()), name="api-docs"),
    re_path("", UnknownAddressView.as_view()),
]
