"""The meaning: scores, segments, recommendations."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = _("Analytics")

    def ready(self) -> None:
        """Fill the slots of the apps below."""
        from analytics import slots

        slots.fill()
