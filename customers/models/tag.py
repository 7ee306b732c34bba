"""Words that staff put on customers, and what is done to many customers at once."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import BulkKind
from customers.querysets import AboutCustomerQuerySet


class Tag(TimeStampedModel):
    """A word of the shop's own for some of its customers, such as “VIP”."""

    public_id = PublicIdField("tag", unique=True)
    name = models.CharField(_("name"), max_length=48)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="tag_once"),
            models.CheckConstraint(condition=~Q(name=""), name="tag_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerTag(models.Model):
    """A tag on a customer."""

    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")
    tag = models.ForeignKey("customers.Tag", models.CASCADE, related_name="+")
    added_at = models.DateTimeField(db_default=Now())
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = AboutCustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag of a customer")
        verbose_name_plural = _("tags of customers")
        constraints = [
            models.UniqueConstraint(fields=["customer", "tag"], name="customer_tag_once"),
        ]
        indexes = [
            # The list of customers, narrowed by a tag.
            models.Index(fields=["tag", "customer"], name="customer_tag_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.tag_id}"


class BulkAction(TimeStampedModel):
    """Something done to the customers a list had at one moment.

    ``people`` were counted and their ids stored, in parts, when somebody chose them in the list:
    who comes in, leaves or changes later does not change whom it is about. ``tag_name`` outlives
    the tag. Without a job nobody has confirmed it yet.
    """

    public_id = PublicIdField("blk", unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=BulkKind)
    tag = models.ForeignKey(
        "customers.Tag", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    tag_name = models.CharField(_("tag"), max_length=48, blank=True, default="")
    filters = models.JSONField(_("filters"), default=dict, blank=True)
    people = models.PositiveBigIntegerField(_("customers"), default=0)
    changed = models.PositiveBigIntegerField(_("changed"), null=True, blank=True)
    job = models.OneToOneField(
        "core.Job", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )

    class Meta:
        verbose_name = _("bulk action")
        verbose_name_plural = _("bulk actions")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.public_id


class BulkPart(models.Model):
    """Some of the customers a bulk action is about, by id, in rising order; gone when it ends."""

    action = models.ForeignKey("customers.BulkAction", models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    ids = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = _("part of a bulk action")
        verbose_name_plural = _("parts of bulk actions")
        constraints = [
            models.UniqueConstraint(fields=["action", "number"], name="bulk_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.action_id}: {self.number}"
