"""Orders with their lines and refunds, and products."""

from rest_framework import serializers

from crm.core.api.fields import MoneyField, ReadSerializer, public_id
from crm.core.api.serializers import ExpandableSerializer
from customers.api.serializers.base import SourcedSerializer
from customers.models import (
    Order,
    OrderLine,
    Product,
    Refund,
)


class OrderLineSerializer(ReadSerializer):
    """A position. Amounts are in the order's currency; ``unit_cost`` is in ``cost_currency``."""

    product = serializers.CharField(source="product.public_id", allow_null=True)
    cost_currency = serializers.SerializerMethodField(
        help_text="The shop's currency when the cost was told."
    )

    class Meta:
        model = OrderLine
        fields = [
            "kind",
            "product",
            "sku",
            "title",
            "quantity",
            "unit_price",
            "amount",
            "unit_cost",
            "cost_currency",
            "refunded_quantity",
            "refunded_amount",
        ]

    def get_cost_currency(self, line: OrderLine) -> str:
        return line.cost_currency or str(self.context["shop_currency"])


class RefundSerializer(ReadSerializer):
    id = public_id()

    class Meta:
        model = Refund
        fields = [
            "id",
            "external_id",
            "kind",
            "refunded_at",
            "refunded_day",
            "sku",
            "quantity",
            "currency",
            "amount",
            "amount_shop",
            "reason",
        ]


class OrderSerializer(SourcedSerializer, ExpandableSerializer):
    """An order. ``*_shop`` amounts are in ``shop_currency``; null while the rate is missing."""

    resource = "orders"
    optional: tuple[str, ...] = ("lines", "refunds")

    id = public_id()
    customer = serializers.CharField(
        source="customer.public_id", allow_null=True, help_text="Null for a guest's order."
    )
    shop_currency = serializers.SerializerMethodField()
    exchange_rate = MoneyField(max_digits=20, decimal_places=10, allow_null=True)
    lines = OrderLineSerializer(many=True)
    refunds = RefundSerializer(many=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "source",
            "external_id",
            "customer",
            "status",
            "placed_at",
            "placed_day",
            "paid_at",
            "promised_at",
            "delivered_at",
            "cancelled_at",
            "currency",
            "total",
            "charges",
            "shop_discount",
            "platform_discount",
            "tax",
            "platform_fee",
            "shipping_cost",
            "deposit",
            "deposit_paid_at",
            "refunded",
            "shop_currency",
            "exchange_rate",
            "total_shop",
            "refunded_shop",
            "country",
            "is_test",
            "updated_at",
            "lines",
            "refunds",
        ]

    def get_shop_currency(self, order: Order) -> str:
        return str(self.context["shop_currency"])


class OrderDetailSerializer(OrderSerializer):
    """An order with its lines and refunds."""

    optional = ()


class ProductSerializer(SourcedSerializer):
    id = public_id()
    category = serializers.CharField(source="category.public_id", allow_null=True)
    cost_currency = serializers.SerializerMethodField(
        help_text="The shop's currency when the cost was told."
    )

    class Meta:
        model = Product
        fields = [
            "id",
            "source",
            "sku",
            "title",
            "category",
            "price",
            "currency",
            "unit_cost",
            "cost_currency",
            "stock",
            "is_active",
            "attributes",
            "created_at",
            "updated_at",
        ]

    def get_cost_currency(self, product: Product) -> str:
        return product.cost_currency or str(self.context["shop_currency"])
