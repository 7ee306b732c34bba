"""How the record looks from outside."""

from customers.api.serializers.base import (
    SourcedSerializer,
)
from customers.api.serializers.files import (
    FormJsonField,
    ImportSerializer,
    ImportStartedSerializer,
    ToldSerializer,
    UploadSerializer,
)
from customers.api.serializers.goods import (
    OrderDetailSerializer,
    OrderLineSerializer,
    OrderSerializer,
    ProductSerializer,
    RefundSerializer,
)
from customers.api.serializers.people import (
    CustomerSerializer,
    FactsSerializer,
    IdentitySerializer,
)

__all__ = [
    "CustomerSerializer",
    "FactsSerializer",
    "FormJsonField",
    "IdentitySerializer",
    "ImportSerializer",
    "ImportStartedSerializer",
    "OrderDetailSerializer",
    "OrderLineSerializer",
    "OrderSerializer",
    "ProductSerializer",
    "RefundSerializer",
    "SourcedSerializer",
    "ToldSerializer",
    "UploadSerializer",
]
