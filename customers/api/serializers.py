"""How the record looks from outside."""

import json
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from crm.core.api.fields import MoneyField, ReadSerializer, public_id
from crm.core.api.serializers import ExpandableSerializer, JobSerializer, link
from customers.enums import ImportFormat
from customers.models import (
    Customer,
    CustomerFacts,
    Identity,
    ImportBatch,
    Order,
    OrderLine,
    Product,
    Refund,
)
from customers.selectors.contacts import (
    may_see_contacts,
    show_email,
    show_identity,
    show_phone,
    show_text,
    show_trial,
    show_values,
)
from customers.selectors.reach import is_of, issuers_of


class SourcedSerializer(ReadSerializer):
    """Shows a row's source by its key."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields, with the source's key in place of the source."""
        fields = super().get_fields()
        fields["source"] = serializers.CharField(source="source.key", read_only=True)
        return fields


class FactsSerializer(ReadSerializer):
    """What was counted. Spend is net of refunds and cancellations, in the shop's currency."""

    currency = serializers.SerializerMethodField(help_text="The shop's currency.")

    class Meta:
        model = CustomerFacts
        fields = [
            "as_of_day",
            "computed_at",
            "currency",
            "order_count",
            "occasion_count",
            "cancelled_count",
            "unscored_count",
            "item_count",
            "product_count",
            "gross_spend",
            "refund_total",
            "refund_count",
            "total_spend",
            "provisional_spend",
            "margin",
            "first_order_at",
            "last_order_at",
            "first_order_day",
            "last_order_day",
            "orders_30d",
            "orders_90d",
            "orders_365d",
            "spend_30d",
            "spend_90d",
            "spend_365d",
            "late_delivery_count",
            "delivery_delay_days",
            "review_count",
            "rating_mean",
            "survey_count",
            "ticket_count",
            "open_ticket_count",
        ]

    def get_currency(self, facts: CustomerFacts) -> str:
        return str(self.context["shop_currency"])


class IdentitySerializer(ReadSerializer):
    """A key by which a customer is recognised; contacts masked as those of the customer."""

    class Meta:
        model = Identity
        fields = ["kind", "issuer", "value"]

    def to_representation(self, instance: Identity) -> dict[str, Any]:
        """Show the value as the caller may see it."""
        data: dict[str, Any] = super().to_representation(instance)
        return {**data, "value": show_identity(instance.kind, instance.value, _reader(self))}


class CustomerSerializer(SourcedSerializer, ExpandableSerializer):
    """Who somebody is. Without the permission to view contacts, e-mail and phone are masked."""

    resource = "customers"
    optional = ("identities",)

    id = public_id()
    merged_into = serializers.CharField(source="merged_into.public_id", allow_null=True)
    facts = FactsSerializer(allow_null=True, help_text="Null until they are first computed.")
    identities = IdentitySerializer(many=True)

    class Meta:
        model = Customer
        fields = [
            "id",
            "source",
            "external_id",
            "name",
            "email",
            "phone",
            "country",
            "city",
            "language",
            "zone",
            "birthday",
            "attributes",
            "lifecycle",
            "merged_into",
            "is_test",
            "is_wholesale",
            "is_simulated",
            "created_at",
            "updated_at",
            "facts",
            "identities",
        ]

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """Show contacts, and what may hold some, as the caller may see them."""
        data: dict[str, Any] = super().to_representation(instance)
        user = _reader(self)
        if not is_of(instance.source_id, user):
            data |= {"source": None, "external_id": None}
        if "identities" in data and (issuers := self._issuers()) is not None:
            data["identities"] = [
                one for one in data["identities"] if not one["issuer"] or one["issuer"] in issuers
            ]
        if may_see_contacts(user):
            return data
        masked = {
            "email": show_email(instance.email, user),
            "phone": show_phone(instance.phone, user),
            "external_id": data["external_id"] and show_text(data["external_id"], user),
            "attributes": show_values(instance.attributes, user),
        }
        return {**data, **masked}

    def _issuers(self) -> frozenset[str] | None:
        """Return whose ids the caller may see, asked once for a whole list."""
        context: Any = self.context
        if "issuers" not in context:
            context["issuers"] = issuers_of(_reader(self))
        issuers: frozenset[str] | None = context["issuers"]
        return issuers


def _reader(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return who reads the answer; a key's person."""
    request = serializer.context.get("request")
    return getattr(request, "user", None)


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


SHOWN_TRIAL = ("rows", "kinds", "rejected", "notes", "remarks", "first")


class ImportSerializer(SourcedSerializer):
    """A file and what became of its rows: created + updated + unchanged + rejected = rows."""

    id = public_id()
    url = serializers.SerializerMethodField()
    job = JobSerializer(allow_null=True)
    error_file = serializers.SerializerMethodField(
        help_text="Address of the rejected rows; null for who may not view contacts."
    )
    dry_run = serializers.SerializerMethodField(
        help_text="What a dry run counted, and the first rows it rejected; null without one. With "
        "`is_partial` the file has more rows than were tried out."
    )

    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "url",
            "source",
            "filename",
            "size",
            "sha256",
            "format",
            "state",
            "rows_total",
            "rows_created",
            "rows_updated",
            "rows_unchanged",
            "rows_rejected",
            "header",
            "mapping",
            "options",
            "dry_run",
            "audit",
            "error",
            "error_file",
            "created_at",
            "undone_at",
            "job",
        ]

    def get_url(self, batch: ImportBatch) -> str:
        return link(self, "api:import-detail", batch.public_id)

    def get_dry_run(self, batch: ImportBatch) -> dict[str, Any] | None:
        if not batch.trial:
            return None
        trial = show_trial(batch.trial, _reader(self))
        shown = {name: trial[name] for name in SHOWN_TRIAL}
        return {**shown, "is_partial": bool(batch.trial.get("is_partial"))}

    def get_error_file(self, batch: ImportBatch) -> str | None:
        if batch.job is None or not batch.job.error_file or not may_see_contacts(_reader(self)):
            return None
        return link(self, "api:import-error-file", batch.public_id)


class ToldSerializer(serializers.Serializer[Any]):
    """How a file is read, where that is not clear from its header."""

    mapping = serializers.DictField(
        required=False,
        help_text="For a header that is not known: kind, columns (ours → the file's) and rules.",
    )
    options = serializers.DictField(
        required=False,
        help_text="keep: columns whose held values stay; consent: what everybody in the file "
        "agreed to, by channel (at, basis, evidence); rules: how cells are read.",
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only count what would happen."
    )


class FormJsonField(serializers.DictField):
    """An object in a form: its JSON as text."""

    def get_value(self, dictionary: Any) -> Any:
        """Take the whole text of the field."""
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> Any:
        """Return the object, or refuse text that is none."""
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except ValueError:
                raise serializers.ValidationError(
                    _("This is no JSON object."), code="invalid"
                ) from None
        return super().to_internal_value(data)


class UploadSerializer(ToldSerializer):
    """A file to import."""

    mapping = FormJsonField(required=False, help_text="As of the call “start”, as JSON text.")
    options = FormJsonField(required=False, help_text="As of the call “start”, as JSON text.")
    hold = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Only store the file and say what it is; it waits for the call “start”.",
    )
    file = serializers.FileField(max_length=255, help_text="CSV, XLSX or Parquet.")
    source = serializers.SlugField(  # type: ignore[assignment]  # DRF takes it off the class
        max_length=64, help_text="Key of the source the rows come from, such as “shop”."
    )
    format = serializers.ChoiceField(
        choices=ImportFormat.choices,
        required=False,
        default="",
        help_text="Left out, it is recognised by the header.",
    )

    def validate_file(self, file: Any) -> Any:
        """Refuse what is larger than this shop accepts."""
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise serializers.ValidationError(_("The file is too large."), code="max_size")
        return file


class ImportStartedSerializer(serializers.Serializer[Any]):
    """The answer to an upload or an undo: the import, and its job (null while it waits)."""

    id = serializers.CharField(help_text="The import's id.")
    url = serializers.CharField(help_text="The import's address.")
    job = JobSerializer(allow_null=True)
