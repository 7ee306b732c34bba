"""What customers allow, and which addresses must never be contacted."""

import pghistory
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.enums import Channel, ConsentAction, SuppressionReason
from customers.querysets import ConsentQuerySet


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Consent(models.Model):
    """One line of the consent log. Never changed; the newest line of a channel and topic counts."""

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="consents")
    channel = models.CharField(_("channel"), max_length=12, choices=Channel)
    topic = models.CharField(_("topic"), max_length=48, default="marketing")
    action = models.CharField(_("action"), max_length=10, choices=ConsentAction)
    at = models.DateTimeField(_("when"))
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    evidence = models.TextField(
        _("evidence"), help_text=_("Where and how it was said. Without evidence there is none.")
    )
    recorded_at = models.DateTimeField(db_default=Now())

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consent log")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(evidence=""), name="consent_has_evidence"),
            models.UniqueConstraint(
                fields=["customer", "channel", "topic", "at", "action"], name="consent_line_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.action}"


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Suppression(models.Model):
    """An address that is never contacted. Keyed by hash, so that it outlives an erasure."""

    channel = models.CharField(_("channel"), max_length=12, choices=Channel)
    address_hash = models.CharField(_("address (hashed)"), max_length=64)
    reason = models.CharField(_("reason"), max_length=16, choices=SuppressionReason)
    at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            models.UniqueConstraint(fields=["channel", "address_hash"], name="suppression_once"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address_hash[:8]}…"
