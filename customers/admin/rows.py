"""Orders, products, sources and the shop's settings."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from crm.core.admin.base import ListAdmin, ReadOnlyAdmin
from crm.core.tasks import queue_job
from customers.admin.lists import ExportableList
from customers.models import Order, OrderLine, Product, Refund, ShopSettings, Source
from customers.services.shop import update_shop_settings


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ("sku", "title", "kind", "quantity", "unit_price", "amount", "refunded_quantity")


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("refunded_at", "kind", "sku", "quantity", "amount", "currency")


@admin.register(Order)
class OrderAdmin(ExportableList, ReadOnlyAdmin):
    list_display = (
        "external_id",
        "customer",
        "placed_at",
        "status",
        "total",
        "refunded",
        "currency",
    )
    list_filter = ("status", "country")
    search_fields = ("=external_id", "=public_id")
    search_help_text = _("The whole order number")
    list_select_related = ("customer",)
    inlines = (LineInline, RefundInline)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Let the dashboard's numbers open the weeks behind them."""
        return lookup.startswith("placed_day__") or super().lookup_allowed(lookup, value, request)


@admin.register(Product)
class ProductAdmin(ExportableList, ReadOnlyAdmin):
    list_display = ("sku", "title", "price", "currency", "is_active")
    search_fields = ("sku", "title")


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    list_display = ("name", "key", "kind", "history_starts_on")


class ShopSettingsForm(forms.ModelForm):
    """The shop's settings; what the service would refuse is refused beside its field."""

    def clean_zone(self) -> str:
        """Refuse what is no time zone."""
        zone = str(self.cleaned_data["zone"])
        if zone not in available_timezones():
            raise forms.ValidationError(
                gettext("“%(zone)s” is not a time zone. Choose one such as Asia/Shanghai.")
                % {"zone": zone}
            )
        return zone


@admin.register(ShopSettings)
class ShopSettingsAdmin(ListAdmin):
    form = ShopSettingsForm
    list_display = ("name", "zone", "currency", "refund_window_days", "nightly_hour")
    readonly_fields = ("is_demo",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand over to the service: a new zone or currency starts a job."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            _shop, job = update_shop_settings(changes=changes, user_id=request.user.pk)
            if job is not None:
                queue_job(job.pk)
