"""Shopify's export of orders: a row per line item, the order's fields on its first row only."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import EMAIL, PHONE, Cells, Field, Reading, Sheet
from customers.connectors.presets.grouped import (
    GroupedPreset,
    settle_cancellation,
    settle_refund,
)

FULFILLED = frozenset({"fulfilled"})
GONE = frozenset({"voided", "expired"})
TEST_PAYMENT = "bogus"


class ShopifyOrders(GroupedPreset):
    """Total is what the customer was charged; shipping, tax and what went back stand apart."""

    key = "shopify_orders"
    label = gettext_noop("Shopify orders")
    customer_key = gettext_noop(
        "The e-mail address of the order, else its phone or the billing phone: both stay the same "
        "from order to order. Orders without any are guests'."
    )
    needed = (("Name",), ("Email",), ("Created at",), ("Total",), ("Lineitem name",))
    number = ("Name",)
    fields = (
        Field("placed_at", values.instant, ("Created at",), is_required=True),
        Field("total", values.money, ("Total",), is_required=True),
        Field("currency", values.currency, ("Currency",)),
        Field("charges", values.amount, ("Shipping",)),
        Field("tax", values.amount, ("Taxes",)),
        Field("shop_discount", values.amount, ("Discount Amount",)),
        Field("paid_at", values.instant, ("Paid at",)),
        Field("cancelled_at", values.instant, ("Cancelled at",)),
        Field("refunded_amount", values.amount, ("Refunded Amount",)),
        Field("email", EMAIL, ("Email",)),
        Field("phone", PHONE, ("Phone", "Billing Phone")),
        Field("customer_name", values.text, ("Billing Name", "Shipping Name")),
        Field("country", values.text, ("Billing Country", "Shipping Country")),
    )
    more = (
        "Financial Status",
        "Fulfillment Status",
        "Fulfilled at",
        "Payment Method",
        "Lineitem name",
        "Lineitem sku",
        "Lineitem quantity",
        "Lineitem price",
        "Lineitem discount",
    )

    def order(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the order with its status; Shopify's test gateway marks test orders."""
        if TEST_PAYMENT in reading.text(sheet.find("Payment Method")).lower():
            cells["is_test"] = "true"
        cells["status"] = self._status(cells, reading, sheet)
        settle_cancellation(cells, reading)
        fulfilled = Field("fulfilled_at", values.instant, sheet.find_all("Fulfilled at"))
        settle_refund(cells, reading, reading.read(fulfilled))
        return cells

    def _status(self, cells: Cells, reading: Reading, sheet: Sheet) -> str:
        money = reading.text(sheet.find("Financial Status"))
        goods = reading.text(sheet.find("Fulfillment Status")).lower()
        if "cancelled_at" in cells or money.lower() in GONE:
            return "cancelled"
        found = Field("status", values.status, sheet.find_all("Financial Status"))
        status = reading.read(found) or "paid"
        return "shipped" if status == "paid" and goods in FULFILLED else status

    def lines(self, reading: Reading, sheet: Sheet) -> list[Cells]:
        """Return the row's line item: its price before the line's discount, its amount after it."""
        quantity = Field("quantity", values.count, sheet.find_all("Lineitem quantity"), True)
        price = Field("unit_price", values.money, sheet.find_all("Lineitem price"), True)
        names = sheet.find_all("Lineitem sku", "Lineitem name")
        if not (quantity.columns and price.columns and any(map(reading.text, names))):
            return []
        line = reading.gather((quantity, price))
        off = reading.read(Field("amount", values.amount, sheet.find_all("Lineitem discount")))
        amount = Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(off or 0)
        line["sku"] = reading.read(Field("sku", values.article, names, True))
        line["title"] = reading.text(sheet.find("Lineitem name"))
        line["amount"] = str(max(amount, Decimal(0)))
        return [line]
