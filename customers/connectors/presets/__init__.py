"""Files of shop platforms, recognised by their headers."""

from collections.abc import Sequence

from customers.connectors.presets.base import (
    CONSENTS,
    CUSTOMERS,
    LINES,
    ORDERS,
    PRODUCTS,
    Preset,
    Record,
    State,
    Translated,
    Translator,
    folded,
)
from customers.connectors.presets.kinds import KINDS
from customers.connectors.presets.mapping import MappedFile, Mapping
from customers.connectors.presets.shopify_customers import ShopifyCustomers
from customers.connectors.presets.shopify_orders import ShopifyOrders
from customers.connectors.presets.shopify_products import ShopifyProducts
from customers.connectors.presets.suggesting import Suggestion, suggest
from customers.connectors.presets.taobao import TaobaoItems, TaobaoOrders
from customers.connectors.presets.woocommerce import WooCustomers, WooOrders
from customers.connectors.presets.youzan import YouzanOrders

ALL: tuple[Preset, ...] = (
    ShopifyOrders(),
    ShopifyCustomers(),
    ShopifyProducts(),
    WooOrders(),
    WooCustomers(),
    TaobaoOrders(),
    TaobaoItems(),
    YouzanOrders(),
)
PRESETS = {preset.key: preset for preset in ALL}


def recognise(header: Sequence[str]) -> Preset | None:
    """Return the preset whose needed columns a header has; of several the one that needs most."""
    fitting = [preset for preset in PRESETS.values() if not preset.missing(header)[0]]
    return max(fitting, key=lambda preset: preset.missing(header)[1], default=None)


__all__ = [
    "CONSENTS",
    "CUSTOMERS",
    "KINDS",
    "LINES",
    "ORDERS",
    "PRESETS",
    "PRODUCTS",
    "MappedFile",
    "Mapping",
    "Preset",
    "Record",
    "State",
    "Suggestion",
    "Translated",
    "Translator",
    "folded",
    "recognise",
    "suggest",
]
