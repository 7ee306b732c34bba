"""Platforms' files are recognised by their headers, however those are written."""

import pytest

from customers.connectors import presets
from tests.customers.connectors.files import read
from tests.customers.connectors.headers import (
    SHOPIFY,
    TAOBAO_ITEMS,
    TAOBAO_ORDERS,
    WOO,
    YOUZAN,
    header_of,
)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (header_of("orders_export_HEADER_ONLY.csv"), "shopify_orders"),
        (header_of("customers_export_current_HEADER_ONLY.csv"), "shopify_customers"),
        (header_of("customers_export_legacy_HEADER_ONLY.csv"), "shopify_customers"),
        (["Handle", "Title", "Vendor", "Variant SKU", "Variant Price"], "shopify_products"),
        (["Title", "URL handle", "Description", "Vendor", "SKU", "Price"], "shopify_products"),
        (WOO, "woocommerce_orders"),
        (
            ["Order Number", "Order Status", "Order Date", "Email (Billing)", "Order Total Amount"],
            "woocommerce_orders",
        ),
        (["Name", "Username", "Last Active", "Sign Up", "Email"], "woocommerce_customers"),
        (TAOBAO_ORDERS, "taobao_orders"),
        (TAOBAO_ITEMS, "taobao_items"),
        (YOUZAN, "youzan_orders"),
    ],
)
def test_a_header_names_its_platform_however_it_is_written(header, key):
    loud = [f'\ufeff "{name.upper()}" ' for name in reversed(header)]

    assert presets.recognise(header).key == key
    assert presets.recognise(loud).key == key
    assert presets.recognise([*header, "one more"]).key == key
    for preset in presets.PRESETS.values():
        assert preset.label
        assert preset.missing([])[1] == len(preset.missing([])[0]) > 0


@pytest.mark.parametrize(
    "header",
    [
        ["order_id", "placed_at", "total"],
        ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice"],
        ["a", "b"],
        [],
    ],
)
def test_other_headers_are_nobodys(header):
    assert presets.recognise(header) is None


def test_a_preset_reads_only_what_it_names():
    layout, _rows = read(SHOPIFY / "orders_export_sample.csv")

    assert set(presets.PRESETS["shopify_orders"].reads(layout.names)) == set(layout.names)
    assert presets.PRESETS["taobao_orders"].reads(["OAID", "收货地址", "订单编号"]) == ["订单编号"]


def test_a_column_that_stands_twice_matters_only_where_it_is_read():
    preset = presets.PRESETS["youzan_orders"]

    assert preset.doubled(YOUZAN, ["归属店铺"]) == []
    assert preset.doubled(YOUZAN, ["归属店铺", "订单实付金额"]) == ["订单实付金额"]
