"""Huike: the wiring of the apps (settings, addresses, background work)."""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
