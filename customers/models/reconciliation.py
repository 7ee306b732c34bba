"""A month's total from the shop's back office, to be held against the record."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.models.order import Money
from customers.querysets import SourcedQuerySet


class Reconciliation(TimeStampedModel):
    """What a source's own back office says it sold in a month; the page explains the difference."""

    public_id = PublicIdField("rec", unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    month = models.DateField(_("month"), help_text=_("Any day of the month."))
    currency = models.CharField(_("currency"), max_length=3)
    stated = Money(_("total of the back office"))
    zone = models.CharField(
        _("time zone of the back office"),
        max_length=64,
        help_text=_("Where its months begin, such as Asia/Shanghai."),
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-month", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "month", "currency"], name="reconciliation_once"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="reconciliation_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.month:%Y-%m}"


class RejectedOrder(models.Model):
    """An order that a file told of and the record did not take, as far as it could be read.

    ``is_double``: it stood in its file again, and the later row counted.
    """

    batch = models.ForeignKey("customers.ImportBatch", models.CASCADE, related_name="+")
    source = models.ForeignKey("customers.Source", models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120)
    is_double = models.BooleanField(default=False)
    placed_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount = Money()

    class Meta:
        verbose_name = _("rejected order")
        verbose_name_plural = _("rejected orders")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id", "is_double"], name="rejected_order_once"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
