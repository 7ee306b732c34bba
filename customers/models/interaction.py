"""The timeline's own entries."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from customers.enums import InteractionKind
from customers.querysets import InteractionQuerySet


class Interaction(models.Model):
    """Something that happened with a customer and that staff want to read: notes, merges, mails."""

    public_id = PublicIdField("int", unique=True)
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="interactions")
    kind = models.CharField(_("kind"), max_length=24, choices=InteractionKind)
    at = models.DateTimeField(_("when"))
    text = models.TextField(_("text"), blank=True, default="")
    payload = models.JSONField(default=dict, blank=True)
    source_key = models.CharField(
        max_length=120,
        null=True,
        blank=True,
        unique=True,
        help_text=_("The row this entry stands for; written once."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)
    # A note taken back keeps its row, empty: an unmerge must find all that the merge moved.
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = InteractionQuerySet.as_manager()

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["customer", "-at"], name="interaction_by_customer")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"
