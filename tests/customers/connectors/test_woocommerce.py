"""WooCommerce's files: orders with lines in rows or in one cell, customers."""

import pytest

from customers.connectors.values import Rules
from tests.customers.connectors.files import records, translate
from tests.customers.connectors.headers import WOO, WOO_ITEMS, table

WOO_ORDER = {
    "order_id": "188",
    "order_number": "1188",
    "date": "2026-03-31 18:05:12",
    "status": "completed",
    "shipping_total": "5.00",
    "fee_total": "1.50",
    "tax_total": "4.00",
    "discount_total": "2.00",
    "order_total": "40.50",
    "refunded_total": "0.00",
    "order_currency": "EUR",
    "customer_id": "7",
    "billing_first_name": "Zoé",
    "billing_last_name": "Roy",
    "billing_email": "zoe@example.com",
    "billing_country": "FR",
}


def test_woocommerce_rows_of_items_whether_the_order_is_repeated_or_not(tmp_path):
    first = {"item_id": "91", "item_name": "Tea", "item_sku": "TEA", "item_quantity": "3"}
    second = {"item_id": "92", "item_name": "Cup", "item_product_id": "55", "item_quantity": "1"}
    items = [first | {"item_total": "20.00"}, second | {"item_total": "10.00"}]
    wanted = [
        {
            "order_id": "1188",
            "line_id": "91",
            "sku": "TEA",
            "title": "Tea",
            "quantity": "3",
            "unit_price": "6.6667",
            "amount": "20.00",
        },
        {
            "order_id": "1188",
            "line_id": "92",
            "sku": "55",
            "title": "Cup",
            "quantity": "1",
            "unit_price": "10.0000",
            "amount": "10.00",
        },
    ]
    for rows in ([WOO_ORDER | item for item in items], [WOO_ORDER | items[0], items[1]]):
        path = table(tmp_path, [*WOO, *WOO_ITEMS], *rows)
        _preset, found = translate(path, base=Rules(zone="Europe/Paris"))

        assert records(found, "lines") == wanted
        assert records(found, "orders") == [
            {
                "order_id": "1188",
                "placed_at": "2026-03-31 18:05:12+02:00",
                "status": "completed",
                "total": "40.50",
                "currency": "EUR",
                "tax": "4.00",
                "shop_discount": "2.00",
                "refunded_amount": "0.00",
                "customer_id": "7",
                "email": "zoe@example.com",
                "country": "FR",
                "customer_name": "Zoé Roy",
                "charges": "6.50",
            }
        ]


@pytest.mark.parametrize(
    "packed",
    [
        r"id:91|name:Tea\; green|product_id:5|sku:TEA|quantity:3|subtotal:24.00|total:20.00;"
        r"id:92|name:Cup|product_id:55|sku:|quantity:1|total:10.00",
        '[{"id": 91, "name": "Tea; green", "sku": "TEA", "quantity": 3, "total": "20.00"},'
        ' {"id": 92, "name": "Cup", "product_id": 55, "quantity": 1, "total": 10.0}]',
    ],
)
def test_woocommerce_items_in_one_cell(tmp_path, packed):
    path = table(tmp_path, [*WOO, "line_items"], WOO_ORDER | {"line_items": packed})

    lines = records(translate(path)[1], "lines")

    assert [(line["line_id"], line["sku"], line["amount"]) for line in lines] == [
        ("91", "TEA", "20.00"),
        ("92", "55", "10.00"),
    ]
    assert lines[0]["title"] == "Tea; green"


@pytest.mark.parametrize("packed", ["[1]", "[", "Tea x 3, Cup", "quantity:x", "quantity:1"])
def test_woocommerce_items_that_cannot_be_read_reject_the_order(tmp_path, packed):
    path = table(tmp_path, [*WOO, "line_items"], WOO_ORDER | {"line_items": packed})

    (row,) = translate(path)[1]

    assert row.records == ()
    assert row.reason


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"status": "wc-processing"}, {"status": "paid"}),
        ({"status": "on-hold"}, {"status": "pending"}),
        ({"status": "failed"}, {"status": "cancelled"}),
        ({"status": "refunded"}, {"status": "paid", "refunded_amount": "40.50"}),
        ({"status": "refunded", "refunded_total": "-30"}, {"refunded_amount": "30.00"}),
        ({"customer_id": "0"}, {"customer_id": None, "email": "zoe@example.com"}),
    ],
)
def test_what_becomes_of_a_woocommerce_order(tmp_path, change, wanted):
    (order,) = records(translate(table(tmp_path, WOO, WOO_ORDER | change))[1], "orders")

    assert {name: order.get(name) for name in wanted} == wanted
    assert ("cancelled_at" in order) == (order["status"] == "cancelled")


def test_woocommerce_customers(tmp_path):
    header = ["Name", "Username", "Last Active", "Sign Up", "Email", "City", "Country / Region"]
    rows = (
        {"Name": "Zoé Roy", "Username": "zoe", "Email": "Zoe@example.com", "City": "Lyon"},
        {"Name": "Guest", "Email": "guest7@example.com"},
        {"Name": "Nobody"},
    )

    found = translate(table(tmp_path, header, *rows))[1]

    assert [row["customer_id"] for row in records(found)] == ["zoe", "guest7@example.com"]
    assert found[2].reason == "customer_id: empty"
