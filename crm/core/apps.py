"""The shared machinery: jobs, keys, audit."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CoreConfig(AppConfig):
    name = "crm.core"
    label = "core"
    verbose_name = _("System")

    def ready(self) -> None:
        """Keep the roles right, put open alerts on the dashboard, listen for who signs in."""
        from django.contrib.auth.signals import user_logged_in

        from crm.core.registry import Panel, registry
        from crm.core.selectors.alerts import open_alerts
        from crm.core.selectors.audit import SENTENCES, register_sentences
        from crm.core.web import sign_in
        from crm.core.web.languages import note_language

        sign_in.connect()
        register_sentences(SENTENCES)
        # Django makes an app's permissions after its migrations, each app's in turn.
        post_migrate.connect(seed_roles_after, dispatch_uid="crm.core.seed_roles")
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


def seed_roles_after(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Bring the roles in when the last app's permissions are there."""
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    from crm.core.models import Role
    from crm.core.services.roles import seed_roles

    told = [app for app in apps.get_app_configs() if app.models_module is not None]
    if sender is not told[-1] or using != "default":
        return
    # A migration may have gone back to before there were roles.
    if Role._meta.db_table in connections[using].introspection.table_names():
        seed_roles(grants=settings.ROLES)
