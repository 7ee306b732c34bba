"""Filters of the record's lists."""

import re
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from crm.core.api.filters import (
    BooleanFilter,
    ChoicesFilter,
    DateFilter,
    DecimalFilter,
    InstantFilter,
    IntegerFilter,
    PublicIdFilter,
    ResourceFilters,
    TextFilter,
)
from crm.core.api.permissions import require
from crm.core.selectors.reach import limit_of
from customers.enums import (
    Channel,
    ExportKind,
    ExportState,
    FileFormat,
    ImportFormat,
    ImportState,
    Lifecycle,
    OrderStatus,
    SurveyMetric,
    TicketState,
)
from customers.models import OrderLine
from customers.selectors.contacts import MAY_SEE, is_contact, may_see_contacts, search_customers


def _of_own_sources(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Leave out whoever came from a source that is not there for the caller.

    They may be there for them by another; where else they came from is not theirs to ask.
    """
    limit = limit_of(user)
    return rows if limit is None else rows.filter(source__in=limit)


class CustomerFilters(ResourceFilters):
    """Active customers, unless ``lifecycle`` asks for others."""

    q = TextFilter(
        method="search",
        help_text=(
            "Half a name or its pinyin, an e-mail's begin, five digits of a phone or its last "
            "four, the whole number of an order, or a whole external or public id."
        ),
    )
    external_id = TextFilter(method="by_external_id")
    source = TextFilter(method="by_source")
    email = TextFilter(method="by_email", help_text="Takes the permission to view contacts.")
    phone = TextFilter(
        method="by_phone",
        help_text="In international form, such as +44…; takes the permission to view contacts.",
    )
    country = TextFilter()
    language = TextFilter()
    lifecycle = ChoicesFilter(choices=Lifecycle.choices)
    is_test = BooleanFilter()
    is_wholesale = BooleanFilter()
    is_simulated = BooleanFilter()
    ranges = {
        "created_at": ("created_at", InstantFilter),
        "updated_at": ("updated_at", InstantFilter),
        "first_order_day": ("facts__first_order_day", DateFilter),
        "last_order_day": ("facts__last_order_day", DateFilter),
        "order_count": ("facts__order_count", IntegerFilter),
        "refund_count": ("facts__refund_count", IntegerFilter),
        "total_spend": ("facts__total_spend", DecimalFilter),
        "spend_365d": ("facts__spend_365d", DecimalFilter),
    }

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave merged and erased customers out unless they are asked for."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("lifecycle"):
            rows = rows.filter(lifecycle=Lifecycle.ACTIVE)
        return rows

    def search(self, queryset: Any, name: str, value: str) -> Any:
        """Keep customers that match what staff would type."""
        return search_customers(queryset, value, self.request.user)

    def by_external_id(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the customer with this id, unless it is a contact that the caller may not see."""
        if is_contact(value) and not may_see_contacts(self.request.user):
            return queryset.none()
        return _of_own_sources(queryset.filter(external_id=value), self.request.user)

    def by_source(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep customers who came from this source."""
        return _of_own_sources(queryset.filter(source__key=value), self.request.user)

    def by_email(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep customers with this address."""
        require(self.request, MAY_SEE)
        return queryset.filter(email__iexact=value)

    def by_phone(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep customers with this number; blanks, dashes and a lost “+” are forgiven."""
        require(self.request, MAY_SEE)
        digits = re.sub(r"[\s().+-]", "", value)
        return queryset.filter(phone__iexact=f"+{digits}")


class OrderFilters(ResourceFilters):
    external_id = TextFilter()
    source = TextFilter(field_name="source__key")
    customer = PublicIdFilter(field_name="customer__public_id", prefix="cus")
    status = ChoicesFilter(choices=OrderStatus.choices)
    currency = TextFilter(max_length=3)
    country = TextFilter()
    sku = TextFilter(method="by_sku", help_text="Orders with a line of this SKU.")
    is_guest = BooleanFilter(field_name="customer", lookup_expr="isnull")
    is_test = BooleanFilter()
    ranges = {
        "placed_at": ("placed_at", InstantFilter),
        "placed_day": ("placed_day", DateFilter),
        "updated_at": ("updated_at", InstantFilter),
        "total_shop": ("total_shop", DecimalFilter),
        "refunded_shop": ("refunded_shop", DecimalFilter),
    }

    def by_sku(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep orders that have a line of a product with this SKU."""
        lines = OrderLine.objects.filter(order=OuterRef("pk"), product__sku=value)
        return queryset.filter(Exists(lines))


class ProductFilters(ResourceFilters):
    sku = TextFilter()
    q = TextFilter(field_name="title", lookup_expr="icontains", help_text="A part of the title.")
    source = TextFilter(field_name="source__key")
    category = PublicIdFilter(field_name="category__public_id", prefix="cat")
    is_active = BooleanFilter()
    ranges = {
        "price": ("price", DecimalFilter),
        "stock": ("stock", IntegerFilter),
        "updated_at": ("updated_at", InstantFilter),
    }


class ImportFilters(ResourceFilters):
    state = ChoicesFilter(choices=ImportState.choices)
    format = ChoicesFilter(choices=ImportFormat.choices)
    source = TextFilter(field_name="source__key")
    ranges = {"created_at": ("created_at", InstantFilter)}


class ExportFilters(ResourceFilters):
    kind = ChoicesFilter(choices=ExportKind.choices)
    format = ChoicesFilter(choices=FileFormat.choices)
    state = ChoicesFilter(choices=ExportState.choices)
    source = TextFilter(field_name="source__key")
    ranges = {"created_at": ("created_at", InstantFilter)}


class CategoryFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")


class LineFilters(ResourceFilters):
    source = TextFilter(field_name="order__source__key")
    ranges = {
        "placed_at": ("order__placed_at", InstantFilter),
        "placed_day": ("order__placed_day", DateFilter),
    }


class RefundFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    ranges = {
        "refunded_at": ("refunded_at", InstantFilter),
        "refunded_day": ("refunded_day", DateFilter),
    }


class ReviewFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    ranges = {
        "rating": ("rating", IntegerFilter),
        "written_at": ("written_at", InstantFilter),
    }


class AnswerFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    metric = ChoicesFilter(choices=SurveyMetric.choices)
    ranges = {"answered_at": ("answered_at", InstantFilter)}


class TicketFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    state = ChoicesFilter(choices=TicketState.choices)
    ranges = {"opened_at": ("opened_at", InstantFilter)}


class ConsentFilters(ResourceFilters):
    source = TextFilter(field_name="source__key")
    channel = ChoicesFilter(choices=Channel.choices)
    ranges = {"at": ("at", InstantFilter)}
