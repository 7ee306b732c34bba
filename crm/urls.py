"""Addresses of the web admin, the first start, the REST API and the health checks."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _

from crm.core.admin.terms import terms
from crm.core.web import second_step
from customers.web import setup

admin.site.index_title = _("Dashboard")
# The front door leads to the admin itself: a link to it would go nowhere.
admin.site.site_url = None

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("crm.core.web.urls")),
    path("setup/", setup.first_start, name="setup"),
    path("setup/next/", setup.what_next, name="setup-next"),
    path("admin/terms/", admin.site.admin_view(terms), name="terms"),
    path("admin/dashboard/", include("customers.urls")),
    path("admin/my-settings/", include("analytics.urls")),
    path("admin/login/", second_step.sign_in, name="account_login"),
    path("admin/second-step/", include("crm.core.web.second_step_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("crm.api_urls")),
]
