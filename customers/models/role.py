"""Where roles end."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RoleSource(models.Model):
    """A source a role is limited to. A role without one is limited to none: it sees all.

    A source that a role is limited to cannot be removed: without its last one the role would see
    everything.
    """

    group = models.ForeignKey("auth.Group", models.CASCADE, related_name="+")
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("source of a role")
        verbose_name_plural = _("sources of roles")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["group", "source"], name="role_source_once"),
        ]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.source_id}"
