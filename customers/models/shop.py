"""Where rows come from, and how this shop counts."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import SourceKind


class Source(TimeStampedModel):
    """A place rows come from: a file drop, a shop, an integration."""

    public_id = PublicIdField("src", unique=True)
    key = models.SlugField(_("key"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=SourceKind, default=SourceKind.FILE)
    history_starts_on = models.DateField(
        _("history starts on"),
        null=True,
        blank=True,
        help_text=_("Earlier orders may exist that this source never gave us."),
    )

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ShopSettings(TimeStampedModel):
    """The one row that says how this shop counts days and money."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("shop name"), max_length=120)
    zone = models.CharField(
        _("time zone"), max_length=64, help_text=_("A day is a day in this zone.")
    )
    currency = models.CharField(_("currency"), max_length=3)
    refund_window_days = models.PositiveSmallIntegerField(
        _("refund window in days"),
        default=30,
        help_text=_("Revenue younger than this is provisional: it may still be returned."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("prediction horizon in days"),
        null=True,
        blank=True,
        help_text=_("Empty: chosen from the usual time between two orders."),
    )
    discount_rate = models.DecimalField(
        _("discount rate per year"), max_digits=5, decimal_places=4, default="0.1000"
    )
    nightly_hour = models.PositiveSmallIntegerField(
        _("hour of the nightly run"), default=3, help_text=_("In the shop's zone, 0–23.")
    )
    is_demo = models.BooleanField(_("demonstration data"), default=False, editable=False)
    demo_note = models.TextField(blank=True, default="", editable=False)
    sending_armed = models.BooleanField(
        _("sending armed"),
        default=False,
        db_default=False,
        help_text=_("Off after a restore, so that a copy of the shop mails nobody."),
    )

    class Meta:
        verbose_name = _("shop settings")
        verbose_name_plural = _("shop settings")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="shop_settings_one_row"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="shop_settings_currency_code"
            ),
            models.CheckConstraint(condition=Q(nightly_hour__lte=23), name="shop_settings_hour"),
            models.CheckConstraint(
                condition=Q(discount_rate__gte=0, discount_rate__lt=1),
                name="shop_settings_discount_rate",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExchangeRate(models.Model):
    """What one unit of a foreign currency was worth in shop currency on a day."""

    currency = models.CharField(_("currency"), max_length=3)
    shop_currency = models.CharField(_("shop currency"), max_length=3)
    day = models.DateField(_("day"))
    rate = models.DecimalField(_("rate"), max_digits=20, decimal_places=10)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "shop_currency", "day"], name="exchange_rate_once"
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency}/{self.shop_currency} {self.day}"
