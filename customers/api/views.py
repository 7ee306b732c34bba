"""The record over REST: customers, orders, products."""

from typing import Any

from django.utils.functional import SimpleLazyObject
from drf_spectacular.utils import extend_schema, extend_schema_view

from crm.core.api.pagination import Ordering
from crm.core.api.views import ResourceViewSet
from customers.api.filters import CustomerFilters, OrderFilters, ProductFilters
from customers.api.serializers import (
    CustomerSerializer,
    OrderDetailSerializer,
    OrderSerializer,
    ProductSerializer,
)
from customers.models import Customer, Order, Product
from customers.selectors.shop import shop_settings


class ShopResourceViewSet(ResourceViewSet):
    """A resource with amounts in the shop's currency."""

    def get_serializer_context(self) -> dict[str, Any]:
        """Tell the shop's currency, read when it is first needed."""
        currency = SimpleLazyObject(lambda: shop_settings().currency)
        return {**super().get_serializer_context(), "shop_currency": currency}


@extend_schema_view(
    list=extend_schema(summary="List customers"),
    retrieve=extend_schema(summary="Show a customer"),
)
class CustomerViewSet(ShopResourceViewSet):
    """People who buy, with what was counted about them."""

    resource = "customers"
    queryset = Customer.objects.select_related("source", "merged_into", "facts")
    serializer_class = CustomerSerializer
    lookup_value_regex = "cus_[0-9a-f]{32}"
    filters_class = CustomerFilters
    prefetches = {"identities": ["identities"]}
    orderings = {
        "id": Ordering("pk"),
        "updated_at": Ordering("updated_at"),
        "last_order_day": Ordering("facts__last_order_day", is_nullable=True),
        "first_order_day": Ordering("facts__first_order_day", is_nullable=True),
        "order_count": Ordering("facts__order_count", is_nullable=True),
        "total_spend": Ordering("facts__total_spend", is_nullable=True),
        "spend_365d": Ordering("facts__spend_365d", is_nullable=True),
    }


@extend_schema_view(
    list=extend_schema(summary="List orders, newest first"),
    retrieve=extend_schema(summary="Show an order with its lines and refunds"),
)
class OrderViewSet(ShopResourceViewSet):
    """What customers and guests bought."""

    resource = "orders"
    queryset = Order.objects.select_related("source", "customer")
    lookup_value_regex = "ord_[0-9a-f]{32}"
    filters_class = OrderFilters
    prefetches = {"lines": ["lines__product"], "refunds": ["refunds"]}
    orderings = {
        "id": Ordering("pk"),
        "placed_at": Ordering("placed_at"),
        "updated_at": Ordering("updated_at"),
        "total_shop": Ordering("total_shop", is_nullable=True),
    }
    default_ordering = "-placed_at"

    def get_serializer_class(self) -> type[OrderSerializer]:
        """Show lines and refunds of a single order always."""
        return OrderSerializer if self.is_list else OrderDetailSerializer

    def get_queryset(self) -> Any:
        """Fetch lines and refunds together where they are shown."""
        rows = super().get_queryset()
        return rows if self.is_list else rows.prefetch_related("lines__product", "refunds")


@extend_schema_view(
    list=extend_schema(summary="List products"),
    retrieve=extend_schema(summary="Show a product"),
)
class ProductViewSet(ShopResourceViewSet):
    """What the shop sells."""

    resource = "products"
    queryset = Product.objects.select_related("source", "category")
    serializer_class = ProductSerializer
    lookup_value_regex = "prod_[0-9a-f]{32}"
    filters_class = ProductFilters
    orderings = {
        "id": Ordering("pk"),
        "sku": Ordering("sku"),
        "price": Ordering("price", is_nullable=True),
    }
