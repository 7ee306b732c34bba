"""Orders: the list, and the page that says what was bought and what came back."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.core.admin.base import ReadOnlyAdmin
from customers.admin.columns import amount_column, plain_amount
from customers.admin.lists import ExportableList
from customers.models import Order
from customers.selectors.timeline import money

ALWAYS = ("source", "external_id", "public_id")
WHERE_KNOWN = (
    "country", "paid_at", "promised_at", "delivered_at", "cancelled_at", "deposit_paid_at",
    "is_test",
)  # fmt: skip
PARTS = (
    "charges", "shop_discount", "platform_discount", "tax", "platform_fee", "shipping_cost",
    "deposit",
)  # fmt: skip


@admin.register(Order)
class OrderAdmin(ExportableList, ReadOnlyAdmin):
    list_display = (
        "external_id", "buyer", "placed_at", "status", amount_column(Order, "total"), "returned",
    )  # fmt: skip
    list_filter = ("status", "source", "country")
    search_fields = ("external_id",)
    search_help_text = _("The whole order number, or who bought")
    list_select_related = ("customer",)
    empty_words = _("Orders come in with a file or over REST.")
    change_form_before_template = "customers/order_before.html"

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Let the dashboard's numbers open the weeks behind them."""
        return lookup.startswith("placed_day__") or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Search as the record searches; whom one may not view, one does not search by."""
        clean = search_term.replace("\0", "").strip()
        if not clean:
            return queryset, False
        if request.user.has_perm("customers.view_customer"):
            return queryset & Order.objects.matching(clean), False
        return queryset.filter(Q(external_id=clean) | Q(public_id=clean)), False

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """Leave out what this order has nothing to say about."""
        return [*ALWAYS, *(name for name in WHERE_KNOWN if obj is None or getattr(obj, name))]

    @admin.display(description=_("customer"), ordering="customer__name")
    def buyer(self, order: Order) -> str:
        if order.customer is None:
            return str(_("Guest"))
        address = reverse("admin:customers_customer_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', address, order.customer)

    @admin.display(description=_("refunded"), ordering="refunded")
    def returned(self, order: Order) -> str | None:
        return money(order.refunded, order.currency) if order.refunded else None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show who bought, what, and what came back, above the rest."""
        context = _page(object_id) if object_id.isdigit() else {}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


def _page(object_id: str) -> dict[str, Any]:
    order = Order.objects.select_related("customer").filter(pk=object_id).first()
    if order is None:
        return {}
    meta = Order._meta
    return {
        "order": order,
        "lines": [
            (line, plain_amount(line.unit_price), plain_amount(line.amount))
            for line in order.lines.all()
        ],
        "refunds": list(order.refunds.all()),
        "parts": [
            (getattr(meta.get_field(name), "verbose_name", name), getattr(order, name))
            for name in PARTS
            if getattr(order, name)
        ],
    }
