"""Files of shop platforms, recognised by their headers."""

from collections.abc import Sequence

from customers.connectors.presets.base import (
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
from customers.connectors.presets.shopify_orders import ShopifyOrders

PRESETS: dict[str, Preset] = {preset.key: preset for preset in (ShopifyOrders(),)}


def recognise(header: Sequence[str]) -> Preset | None:
    """Return the preset whose needed columns a header has; of several the one that needs most."""
    fitting = [preset for preset in PRESETS.values() if not preset.missing(header)[0]]
    return max(fitting, key=lambda preset: preset.missing(header)[1], default=None)


__all__ = [
    "CUSTOMERS",
    "LINES",
    "ORDERS",
    "PRESETS",
    "PRODUCTS",
    "Preset",
    "Record",
    "State",
    "Translated",
    "Translator",
    "folded",
    "recognise",
]
