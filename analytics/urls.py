"""Addresses of what a person sets for themselves."""

from django.contrib import admin
from django.urls import path
from django.views.decorators.http import require_POST

from analytics.admin import my_settings

app_name = "my_settings"
urlpatterns = [
    path("", admin.site.admin_view(my_settings.page), name="page"),
    path("preview/", admin.site.admin_view(my_settings.preview), name="preview"),
    path("test/", admin.site.admin_view(require_POST(my_settings.test_mail)), name="test"),
]
