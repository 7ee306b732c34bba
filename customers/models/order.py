"""What customers bought, and what came back."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import LineKind, OrderStatus, RefundKind
from customers.querysets import OrderQuerySet, SourcedQuerySet


class Money(models.DecimalField):
    """An amount of money: 16 digits, 4 of them behind the point, as order files have them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 16)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class Order(TimeStampedModel):
    """One order. Deposit and balance are one order; a guest's order has no customer.

    ``*_shop`` amounts are in shop currency at the order day's rate; null when the rate is missing,
    which keeps the order out of facts and scores until it is there.
    """

    public_id = PublicIdField("ord", unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    external_id = models.CharField(_("order number"), max_length=120)
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("customer"),
    )
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=OrderStatus,
        default=OrderStatus.PAID,
        db_default=OrderStatus.PAID,
    )
    placed_at = models.DateTimeField(_("placed"))
    placed_day = models.DateField(_("day"), help_text=_("The local day in the shop's zone."))
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    promised_at = models.DateTimeField(_("promised"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    exchange_rate = models.DecimalField(
        _("exchange rate"), max_digits=20, decimal_places=10, null=True, blank=True
    )
    total = Money(_("total paid"), help_text=_("Goods and charges less discounts."))
    charges = Money(_("charges"), default=0, db_default=0)
    shop_discount = Money(_("shop discount"), default=0, db_default=0)
    platform_discount = Money(_("platform discount"), default=0, db_default=0)
    tax = Money(_("tax"), default=0, db_default=0)
    platform_fee = Money(_("platform fee"), default=0, db_default=0)
    shipping_cost = Money(_("shipping cost"), default=0, db_default=0)
    deposit = Money(_("deposit"), default=0, db_default=0)
    deposit_paid_at = models.DateTimeField(_("deposit paid"), null=True, blank=True)
    refunded = Money(_("refunded"), default=0, db_default=0)
    total_shop = Money(_("total in shop currency"), null=True, blank=True)
    refunded_shop = Money(_("refunded in shop currency"), default=0, db_default=0)
    country = models.CharField(_("country"), max_length=64, blank=True, default="", db_default="")
    is_test = models.BooleanField(_("test order"), default=False, db_default=False)
    source_updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="order_once"),
            models.CheckConstraint(
                condition=Q(total_shop__isnull=True, exchange_rate__isnull=True)
                | Q(total_shop__isnull=False, exchange_rate__isnull=False),
                name="order_shop_amount_has_rate",
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded_shop__gte=0),
                name="order_refunded_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(status=OrderStatus.CANCELLED) | Q(cancelled_at__isnull=False),
                name="order_cancelled_has_time",
            ),
        ]
        indexes = [
            # A customer's page and the facts of one customer.
            models.Index(fields=["customer", "-placed_at"], name="order_by_customer"),
            # Revenue by day and the newest order; also the order list, by keyset.
            models.Index(fields=["placed_day", "status"], name="order_by_day"),
            models.Index(fields=["-placed_at", "-id"], name="order_newest_first"),
            # Staff search by the whole number, of whatever source.
            models.Index(fields=["external_id"], name="order_by_number"),
            # The list by its amounts, and the countries its filter offers.
            models.Index(fields=["-total", "-id"], name="order_by_total"),
            models.Index(fields=["country"], name="order_by_country"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    """One position of an order."""

    order = models.ForeignKey("customers.Order", models.CASCADE, related_name="lines")
    line_key = models.CharField(
        _("line key"),
        max_length=200,
        help_text=_("Identity within the order, so that a file read twice changes nothing."),
    )
    kind = models.CharField(
        _("kind"),
        max_length=8,
        choices=LineKind,
        default=LineKind.PRODUCT,
        db_default=LineKind.PRODUCT,
    )
    product = models.ForeignKey(
        "customers.Product", models.PROTECT, null=True, blank=True, related_name="+"
    )
    sku = models.CharField(_("SKU"), max_length=120, blank=True, default="", db_default="")
    title = models.CharField(_("title"), max_length=400, blank=True, default="", db_default="")
    quantity = models.IntegerField(_("quantity"))
    unit_price = Money(_("unit price"))
    amount = Money(_("amount"))
    unit_cost = Money(
        _("unit cost"),
        null=True,
        blank=True,
        help_text=_("In shop currency at the time of sale."),
    )
    cost_currency = models.CharField(
        _("currency of the cost"),
        max_length=3,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: the shop's. What was one before the shop changed its currency stays."),
    )
    refunded_quantity = models.IntegerField(_("refunded quantity"), default=0, db_default=0)
    refunded_amount = Money(_("refunded amount"), default=0, db_default=0)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line_key"], name="order_line_once"),
            models.CheckConstraint(
                condition=Q(refunded_quantity__gte=0)
                & (Q(refunded_quantity=0) | Q(refunded_quantity__lte=F("quantity"))),
                name="order_line_refund_within_quantity",
            ),
        ]
        indexes = [
            # "Bought product X", and netting a cancellation against the latest earlier line.
            models.Index(fields=["product", "order"], name="order_line_by_product"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Refund(models.Model):
    """Money that went back. One without an order found nothing to net against, and is counted."""

    public_id = PublicIdField("ref", unique=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    external_id = models.CharField(_("external id"), max_length=240)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    order = models.ForeignKey(
        "customers.Order", models.CASCADE, null=True, blank=True, related_name="refunds"
    )
    line = models.ForeignKey(
        "customers.OrderLine", models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=RefundKind,
        default=RefundKind.RETURN,
        db_default=RefundKind.RETURN,
    )
    refunded_at = models.DateTimeField(_("refunded"))
    refunded_day = models.DateField(_("day"))
    sku = models.CharField(_("SKU"), max_length=120, blank=True, default="", db_default="")
    quantity = models.IntegerField(_("quantity"), default=0, db_default=0)
    currency = models.CharField(_("currency"), max_length=3)
    amount = Money(_("amount"))
    amount_shop = Money(_("amount in shop currency"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-refunded_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="refund_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="refund_not_negative"),
        ]
        indexes = [
            models.Index(fields=["customer", "-refunded_at"], name="refund_by_customer"),
        ]

    def __str__(self) -> str:
        return self.external_id
