"""What somebody should look at."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.enums import AlertSeverity
from crm.core.fields import PublicIdField
from crm.core.models.base import TimeStampedModel
from crm.core.querysets import AlertQuerySet
from crm.core.registry import registry


class Alert(TimeStampedModel):
    """Something that does not go as it should, until it is resolved.

    ``key`` names the matter: while it is open there is one alert of it. ``code`` and
    ``parameters`` are worded when they are shown; ``link`` is the path of the page where something
    can be done about it.
    """

    public_id = PublicIdField("alr", unique=True)
    key = models.CharField(_("key"), max_length=120)
    code = models.CharField(_("code"), max_length=48)
    severity = models.CharField(
        _("severity"), max_length=8, choices=AlertSeverity, default=AlertSeverity.WARNING
    )
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    link = models.CharField(_("page"), max_length=200, blank=True, default="")
    raised_at = models.DateTimeField(_("raised"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(resolved_at__isnull=True), name="alert_open_once"
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """Return what is the matter, in the reader's language."""
        if self.code not in registry.alert_wordings:
            return self.code
        return str(registry.alert_wordings.get(self.code).words(self.parameters))

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be dealt with."""
        return self.resolved_at is None
