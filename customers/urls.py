"""Addresses of the dashboard's panels."""

from django.contrib import admin
from django.urls import path

from customers.admin.dashboard import panel_file, panel_view

app_name = "dashboard"
urlpatterns = [
    path("<slug:key>/", admin.site.admin_view(panel_view), name="panel"),
    path("<slug:key>.csv", admin.site.admin_view(panel_file), name="file"),
]
