"""Shopify's files: orders with lines, customers, products; money by hand."""

from decimal import Decimal

import pytest

from customers.connectors.values import Rules
from tests.customers.connectors.files import csv_text, records, translate, write
from tests.customers.connectors.headers import SHOPIFY, header_of, table


def test_the_public_shopify_sample():
    preset, rows = translate(SHOPIFY / "orders_export_sample.csv")
    orders = records(rows, "orders")

    assert preset.key == "shopify_orders"
    assert {row.reason for row in rows} == {""}
    assert len(orders) == len({order["order_id"] for order in orders}) == 127
    assert sum(Decimal(order["total"]) for order in orders) == Decimal(TOTAL_OF_SAMPLE)
    assert records(rows, "lines") == []
    assert orders[0] == {
        "order_id": "#1001",
        "placed_at": "2025-01-15 17:41:00-05:00",
        "total": "183.50",
        "currency": "USD",
        "refunded_amount": "0.00",
        "email": "customer1@example.com",
        "status": "paid",
    }


# The sum of the column Total, by a spreadsheet.
TOTAL_OF_SAMPLE = "15063.00"


def shopify(tmp_path, *rows):
    return table(tmp_path, header_of("orders_export_HEADER_ONLY.csv"), *rows)


FIRST = {
    "Name": "#2001",
    "Email": "Ann@Example.com",
    "Financial Status": "partially_refunded",
    "Paid at": "2026-03-31 18:06:00 -0400",
    "Fulfillment Status": "fulfilled",
    "Fulfilled at": "2026-04-02 09:00:00 -0400",
    "Currency": "USD",
    "Subtotal": "45.00",
    "Shipping": "5.00",
    "Taxes": "4.50",
    "Total": "54.50",
    "Discount Amount": "5.00",
    "Created at": "2026-03-31 18:05:12 -0400",
    "Lineitem quantity": "2",
    "Lineitem name": "Blue Widget - Large",
    "Lineitem price": "20.00",
    "Lineitem sku": "'0123",
    "Lineitem discount": "2.50",
    "Billing Name": "Ann Lee",
    "Billing Country": "US",
    "Billing Phone": "'+14155550123",
    "Refunded Amount": "10.00",
    "Payment Method": "Shopify Payments",
    "Id": "'5551234567890",
}
SECOND = {
    "Name": "#2001",
    "Lineitem quantity": "1",
    "Lineitem name": "Gift wrap",
    "Lineitem price": "12.50",
}


def test_a_shopify_order_with_its_lines(tmp_path):
    _preset, rows = translate(shopify(tmp_path, FIRST, SECOND, SECOND))

    assert records(rows, "orders") == [
        {
            "order_id": "#2001",
            "placed_at": "2026-03-31 18:05:12-04:00",
            "total": "54.50",
            "currency": "USD",
            "charges": "5.00",
            "tax": "4.50",
            "shop_discount": "5.00",
            "paid_at": "2026-03-31 18:06:00-04:00",
            "refunded_amount": "10.00",
            "refunded_at": "2026-04-02 09:00:00-04:00",
            "email": "ann@example.com",
            "phone": "+14155550123",
            "customer_name": "Ann Lee",
            "country": "US",
            "status": "shipped",
        }
    ]
    assert records(rows, "lines") == [
        {
            "order_id": "#2001",
            "line_id": "0123#1",
            "sku": "0123",
            "title": "Blue Widget - Large",
            "quantity": "2",
            "unit_price": "20.00",
            "amount": "37.50",
        },
        {
            "order_id": "#2001",
            "line_id": "Gift wrap#1",
            "sku": "Gift wrap",
            "title": "Gift wrap",
            "quantity": "1",
            "unit_price": "12.50",
            "amount": "12.50",
        },
        {
            "order_id": "#2001",
            "line_id": "Gift wrap#2",
            "sku": "Gift wrap",
            "title": "Gift wrap",
            "quantity": "1",
            "unit_price": "12.50",
            "amount": "12.50",
        },
    ]
    assert [len(row.records) for row in rows] == [2, 1, 1]
    assert rows[0].notes[0].startswith("refunded_at: ")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"Financial Status": "pending", "Fulfillment Status": ""}, {"status": "pending"}),
        ({"Financial Status": "authorized"}, {"status": "pending"}),
        ({"Financial Status": "paid", "Fulfillment Status": "unfulfilled"}, {"status": "paid"}),
        ({"Financial Status": "paid", "Fulfillment Status": "partial"}, {"status": "paid"}),
        ({"Financial Status": "refunded"}, {"status": "shipped", "refunded_amount": "10.00"}),
        (
            {"Financial Status": "voided"},
            {"status": "cancelled", "cancelled_at": "2026-03-31 18:06:00-04:00"},
        ),
        (
            {"Cancelled at": "2026-04-05 10:00:00 -0400"},
            {
                "status": "cancelled",
                "cancelled_at": "2026-04-05 10:00:00-04:00",
                "refunded_at": "2026-04-05 10:00:00-04:00",
            },
        ),
        ({"Payment Method": "(for testing) Bogus Gateway"}, {"is_test": "true"}),
        ({"Currency": "JPY", "Total": "1,200"}, {"currency": "JPY", "total": "1200.00"}),
        ({"Email": "a***@x.com", "Billing Phone": ""}, {"email": None, "phone": None}),
        ({"Phone": "'+8613812345678"}, {"phone": "+8613812345678"}),
    ],
)
def test_what_becomes_of_a_shopify_order(tmp_path, change, wanted):
    _preset, rows = translate(shopify(tmp_path, FIRST | change))

    (order,) = records(rows, "orders")
    assert {name: order.get(name) for name in wanted} == wanted


def test_an_order_that_cannot_be_read_takes_its_lines_along(tmp_path):
    broken = FIRST | {"Total": "many"}
    other = FIRST | {"Name": "#2002", "Lineitem quantity": "1.5"}
    _preset, rows = translate(
        shopify(tmp_path, broken, SECOND, other, SECOND | {"Name": "#2002"}, FIRST)
    )

    assert [row.reason.partition(": ")[0] for row in rows] == [
        "total",
        "order_id",
        "quantity",
        "order_id",
        "",
    ]
    assert [len(row.records) for row in rows] == [0, 0, 0, 0, 2]


def test_torn_rows_are_rejected_with_their_order(tmp_path):
    path = shopify(tmp_path, FIRST, SECOND)
    text = path.read_text().replace("Gift wrap", "Gift wrap,,,,,x" + "," * 80)
    _preset, rows = translate(write(path, text))

    assert [row.reason[:4] for row in rows] == ["", "more"]


def test_shopify_customers_old_and_new(tmp_path):
    new = {
        "Customer ID": "'6543210987654",
        "First Name": "Ann",
        "Last Name": "Lee",
        "Email": "ANN@example.com",
        "Accepts Email Marketing": "yes",
        "Accepts SMS Marketing": "no",
        "Phone": "'+14155550123",
        "Default Address City": "Oakland",
        "Default Address Country Code": "US",
        "Total Spent": "100.00",
    }
    header = header_of("customers_export_current_HEADER_ONLY.csv")
    _preset, rows = translate(table(tmp_path, header, new, new | {"Customer ID": "", "Email": ""}))

    assert records(rows[:1]) == [
        {
            "customer_id": "6543210987654",
            "email": "ann@example.com",
            "phone": "+14155550123",
            "country": "US",
            "city": "Oakland",
            "name": "Ann Lee",
        },
        {
            "customer_id": "6543210987654",
            "channel": "email",
            "action": "given",
            "evidence": "Shopify: Accepts Email Marketing = yes",
        },
        {
            "customer_id": "6543210987654",
            "channel": "sms",
            "action": "withdrawn",
            "evidence": "Shopify: Accepts SMS Marketing = no",
        },
    ]
    assert records(rows[1:], "customers")[0]["customer_id"] == "+14155550123"

    old = {"First Name": "Bo", "Email": "bo@example.com", "Accepts Marketing": "no"}
    header = header_of("customers_export_legacy_HEADER_ONLY.csv")
    _preset, rows = translate(table(tmp_path, header, old, {"First Name": "Nobody"}))
    assert records(rows, "customers") == [
        {"customer_id": "bo@example.com", "email": "bo@example.com", "name": "Bo"}
    ]
    assert rows[1].reason == "customer_id: empty"


@pytest.mark.parametrize("names", ["old", "new"])
def test_shopify_products_one_a_variant(tmp_path, names):
    header = ["Handle", "Title", "Vendor", "Type", "Published", "Option1 Value", "Option2 Value"]
    header += [
        "Variant SKU",
        "Variant Price",
        "Variant Inventory Qty",
        "Cost per item",
        "Image Src",
    ]
    if names == "new":
        header = ["URL handle", "Title", "Vendor", "Type", "Published on online store"]
        header += ["Option1 value", "Option2 value", "SKU", "Price", "Inventory quantity"]
        header += ["Cost per item", "Product image URL"]
    rows = (
        ["mug", "Mug", "Acme", "Kitchen", "TRUE", "Default Title", "", "M-1", "9.50", "4", "3.20"],
        ["tee", "Tee", "Acme", "", "FALSE", "Red", "S", "", "20", "0", ""],
        ["tee", "", "", "", "", "Red", "M", "T-M", "21", "", ""],
        ["tee", "", "", "", "", "", "", "", "", "", "", "https://x.example/2.png"],
    )
    lines = csv_text(header, *([*row, ""][:12] for row in rows))

    _preset, found = translate(write(tmp_path / "a.csv", lines), base=Rules(currency="EUR"))

    assert records(found) == [
        {
            "sku": "M-1",
            "title": "Mug",
            "category": "Kitchen",
            "brand": "Acme",
            "price": "9.50",
            "currency": "EUR",
            "unit_cost": "3.20",
            "stock": "4",
            "is_active": "true",
        },
        {
            "sku": "tee/Red/S",
            "title": "Tee - Red / S",
            "brand": "Acme",
            "price": "20.00",
            "currency": "EUR",
            "stock": "0",
            "is_active": "false",
        },
        {
            "sku": "T-M",
            "title": "Tee - Red / M",
            "brand": "Acme",
            "price": "21.00",
            "currency": "EUR",
            "is_active": "false",
        },
    ]
    assert not found[3].reason
