"""Products, sources and the shop's settings."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.core.admin.base import ListAdmin, ReadOnlyAdmin
from crm.core.tasks import queue_job
from customers.admin.columns import amount_column, plain_amount
from customers.admin.lists import BRING_A_FILE_IN, ExportableList
from customers.models import Product, ShopSettings, Source
from customers.selectors.shop import shop_settings
from customers.services.shop import update_shop_settings


@admin.register(Product)
class ProductAdmin(ExportableList, ReadOnlyAdmin):
    list_display = ("sku", "title", amount_column(Product, "price"), "is_active")
    search_fields = ("sku", "title")
    search_help_text = _("A part of the SKU or the title")
    empty_words = _("Products come in with the orders that name them.")
    fields = (
        "title", "sku", amount_column(Product, "price"), "cost", "stock", "is_active", "category",
        "more", "source", "public_id",
    )  # fmt: skip
    readonly_fields = (amount_column(Product, "price"), "cost", "more")

    @admin.display(description=_("unit cost"))
    def cost(self, product: Product) -> str:
        return plain_amount(product.unit_cost)

    @admin.display(description=_("attributes"))
    def more(self, product: Product) -> str:
        return format_html_join(", ", "{}: {}", sorted(product.attributes.items())) or "–"


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    list_display = ("name", "key", "kind", "history_starts_on")
    empty_words = _("A source is made when its first file comes in.")
    empty_action = BRING_A_FILE_IN


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
    fields = (
        "name", "zone", "currency", "refund_window_days", "horizon_days", "discount_rate",
        "nightly_hour", "sending_armed", "is_demo",
    )  # fmt: skip
    readonly_fields = ("is_demo",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Open the one row there is."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        address = reverse("admin:customers_shopsettings_change", args=[shop_settings().pk])
        return HttpResponseRedirect(address)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say what the page is: there is no list it belongs to."""
        context = {
            "heading": capfirst(self.model._meta.verbose_name_plural),
            "lone_page": True,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand over to the service: a new zone or currency starts a job."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            _shop, job = update_shop_settings(changes=changes, user_id=request.user.pk)
            if job is not None:
                queue_job(job.pk)
