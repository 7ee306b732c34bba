"""What the shop sells."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.querysets import SourcedQuerySet


class Category(TimeStampedModel):
    """A shelf of the shop; may lie on another shelf."""

    public_id = PublicIdField("cat", unique=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    external_id = models.CharField(_("external id"), max_length=120)
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="category_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(TimeStampedModel):
    """Something the shop sells. Charges such as postage are not products."""

    public_id = PublicIdField("prod", unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    sku = models.CharField(_("SKU"), max_length=120)
    title = models.CharField(_("title"), max_length=400, blank=True, default="", db_default="")
    category = models.ForeignKey(
        "customers.Category",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("category"),
    )
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=4, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="", db_default="")
    unit_cost = models.DecimalField(
        _("unit cost"),
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("In shop currency. Margin is shown only where the cost is known."),
    )
    cost_currency = models.CharField(
        _("currency of the cost"),
        max_length=3,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: the shop's. What was one before the shop changed its currency stays."),
    )
    stock = models.IntegerField(_("stock"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    attributes = models.JSONField(_("attributes"), default=dict, db_default={}, blank=True)
    source_updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["sku"]
        constraints = [
            models.UniqueConstraint(fields=["source", "sku"], name="product_once"),
            models.CheckConstraint(
                condition=Q(unit_cost__isnull=True) | Q(unit_cost__gte=0),
                name="product_cost_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.sku
