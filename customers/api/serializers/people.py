"""Customers: who they are, by which keys they are known, and what was counted of them."""

from typing import Any

from rest_framework import serializers

from crm.core.api.fields import ReadSerializer, public_id
from crm.core.api.serializers import ExpandableSerializer, reader_of
from customers.api.serializers.base import SourcedSerializer
from customers.models import Customer, CustomerFacts, Identity
from customers.selectors.contacts import (
    may_see_contacts,
    show_email,
    show_identity,
    show_phone,
    show_text,
    show_values,
)
from customers.selectors.reach import is_of, issuers_of


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
        return {**data, "value": show_identity(instance.kind, instance.value, reader_of(self))}


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
        user = reader_of(self)
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
            context["issuers"] = issuers_of(reader_of(self))
        issuers: frozenset[str] | None = context["issuers"]
        return issuers
