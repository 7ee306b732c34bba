"""Health checks and the front door."""

from django.urls import path
from django.views.generic import RedirectView

from crm.core.web import health

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
