"""The shared machinery: jobs, keys, audit."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CoreConfig(AppConfig):
    name = "crm.core"
    label = "core"
    verbose_name = _("System")

    def ready(self) -> None:
        """Put open alerts on the dashboard, and listen for who signs in."""
        from django.contrib.auth.signals import user_logged_in

        from crm.core.registry import Panel, registry
        from crm.core.selectors.alerts import open_alerts
        from crm.core.web.languages import note_language

        registry.panels.register(
            Panel(
                key="alerts",
                page="dashboard",
                # An RFM group has this name, too; in Chinese the two differ.
                title=pgettext_lazy("open alerts", "Needs attention"),
                template="core/dashboard_alerts.html",
                context=open_alerts,
                order=-1,
                permission="core.view_alert",
                width="whole",
            )
        )
        user_logged_in.connect(note_language, dispatch_uid="huike.note_language")
