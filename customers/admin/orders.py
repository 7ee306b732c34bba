"""Orders: the list, and the page that says what was bought and what came back."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.admin.filters import FewValuesFilter
from crm.core.selectors.reach import reached
from customers.admin.columns import amount_column, plain_amount
from customers.admin.lists import ExportableList
from customers.enums import COUNTED_ORDER_STATUSES
from customers.models import Order
from customers.selectors.contacts import search_orders
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


class CountedFilter(admin.SimpleListFilter):
    """Keeps the orders that count as revenue, or those that do not."""

    title = _("counts as revenue")
    parameter_name = "counted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Keep those that count or do not; all without a choice, none for any other word."""
        if self.value() is None:
            return queryset
        if self.value() == "1":
            return queryset.counted()  # type: ignore[attr-defined]  # OrderQuerySet
        if self.value() == "0":
            return queryset.exclude(
                status__in=COUNTED_ORDER_STATUSES, is_test=False, total_shop__isnull=False
            )
        return queryset.none()


@admin.register(Order)
class OrderAdmin(ExportableList, ReadOnlyAdmin):
    list_display = (
        "external_id", "buyer", "placed_at", "status", amount_column(Order, "total"), "returned",
    )  # fmt: skip
    unordered = frozenset({"buyer", "status", "returned"})
    list_filter = (CountedFilter, "status", "source", ("country", FewValuesFilter))
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
        """Search as the record searches, by what the person may see."""
        return search_orders(queryset, search_term.replace("\0", ""), request.user), False

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """Leave out what this order has nothing to say about."""
        return [*ALWAYS, *(name for name in WHERE_KNOWN if obj is None or getattr(obj, name))]

    @admin.display(description=_("customer"))
    def buyer(self, order: Order) -> str:
        if order.customer is None:
            return str(_("Guest"))
        address = reverse("admin:customers_customer_change", args=[order.customer_id])
        return format_html('<a href="{}">{}</a>', address, order.customer)

    @admin.display(description=_("refunded"))
    def returned(self, order: Order) -> str | None:
        return money(order.refunded, order.currency) if order.refunded else None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show who bought, what, and what came back, above the rest."""
        context = _page(request, object_id) if object_id.isdigit() else {}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


def _page(request: HttpRequest, object_id: str) -> dict[str, Any]:
    rows = reached(Order.objects.select_related("customer"), request.user)
    order = rows.filter(pk=object_id).first()
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
