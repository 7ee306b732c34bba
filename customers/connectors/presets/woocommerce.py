"""WooCommerce: the exports of orders and customers that its shops mostly use.

Orders are read from the two common export extensions (columns like ``order_number`` or like
“Order Number”), a row per item or a row per order with all items in one cell.
"""

import json
import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import (
    CUSTOMERS,
    EMAIL,
    EMPTY,
    PHONE,
    Cells,
    Field,
    Reading,
    RejectError,
    Sheet,
)
from customers.connectors.presets.columns import ColumnsPreset
from customers.connectors.presets.grouped import (
    GroupedPreset,
    settle_cancellation,
    settle_refund,
)
from customers.connectors.values import CellError, MaskedError, Rules

GUEST = "0"
SHIPPING = ("shipping_total", "Order Shipping Amount")
BAD_ITEMS = gettext_noop("the items cannot be read; export one row per item")
ITEM_END = re.compile(r"(?<!\\);")
FIELD_END = re.compile(r"(?<!\\)\|")


def user(cell: str, rules: Rules) -> str:
    """Return the shop's user id; guests have 0 and share it."""
    found = values.key(cell, rules)
    if found == GUEST:
        raise MaskedError(gettext_noop("a guest: many people share it, so it is no key"))
    return found


class WooOrders(GroupedPreset):
    """The total holds shipping, fees and tax; refunds do not lower it."""

    key = "woocommerce_orders"
    label = gettext_noop("WooCommerce orders")
    customer_key = gettext_noop(
        "The shop's customer id, else the billing e-mail address: both stay the same. Guests' "
        "orders (customer 0) are known by their e-mail address."
    )
    goes_on_without_number = True
    number = ("order_number", "Order Number", "order_id", "Order ID")
    needed = (
        number,
        ("date", "order_date", "Order Date"),
        ("status", "order_status", "Order Status"),
        ("order_total", "Order Total Amount", "Order Total"),
        ("billing_email", "Email (Billing)"),
    )
    fields = (
        Field("placed_at", values.instant, needed[1], is_required=True),
        Field("status", values.status, needed[2], is_required=True),
        Field("total", values.money, needed[3], is_required=True),
        Field("currency", values.currency, ("order_currency", "Order Currency", "Currency")),
        Field("tax", values.amount, ("tax_total", "Order Total Tax Amount")),
        Field(
            "shop_discount",
            values.amount,
            ("discount_total", "Cart Discount Amount", "cart_discount"),
        ),
        Field("paid_at", values.instant, ("date_paid", "paid_date", "Paid Date")),
        Field("refunded_amount", values.amount, ("refunded_total", "Order Refund Amount")),
        Field("customer_id", user, ("customer_id", "customer_user", "Customer User ID")),
        Field("email", EMAIL, needed[4]),
        Field("phone", PHONE, ("billing_phone", "Phone (Billing)")),
        Field("country", values.text, ("billing_country", "Country Code (Billing)")),
    )
    more = (
        *("shipping_total", "Order Shipping Amount", "fee_total", "line_items"),
        *("billing_first_name", "First Name (Billing)"),
        *("billing_last_name", "Last Name (Billing)"),
        *("item_id", "item_sku", "SKU", "item_product_id", "item_name", "Item Name"),
        *("item_quantity", "Quantity", "item_total", "Order Line Total", "Item Cost"),
    )

    def order(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the order with its charges and name; “refunded” without an amount means all."""
        names = (
            reading.text(sheet.find("billing_first_name", "First Name (Billing)")),
            reading.text(sheet.find("billing_last_name", "Last Name (Billing)")),
        )
        cells["customer_name"] = " ".join(filter(None, names))
        charges = (
            Field("charges", values.amount, sheet.find_all(*SHIPPING)),
            Field("charges", values.amount, sheet.find_all("fee_total")),
        )
        cells["charges"] = str(sum(Decimal(reading.read(one) or 0) for one in charges))
        given = reading.text(sheet.find(*self.needed[2])).lower().removeprefix("wc-")
        if given == "refunded" and not cells.get("refunded_amount", "").strip("0."):
            cells["refunded_amount"] = cells["total"]
        settle_cancellation(cells, reading)
        settle_refund(cells, reading)
        return cells

    def lines(self, reading: Reading, sheet: Sheet) -> list[Cells]:
        """Return the row's item, or all that one cell holds; amounts are after discounts."""
        if packed := reading.text(sheet.find("line_items")):
            found = [_item(item, reading.rules) for item in _unpacked(packed)]
            return [item for item in found if item]
        names = ("item_name", "Item Name", "item_sku", "SKU", "item_product_id")
        item = {
            "id": reading.text(sheet.find("item_id")),
            "name": reading.text(sheet.find("item_name", "Item Name")),
            "sku": reading.text(sheet.find("item_sku", "SKU")),
            "product_id": reading.text(sheet.find("item_product_id")),
            "quantity": reading.text(sheet.find("item_quantity", "Quantity")),
            "total": reading.text(sheet.find("item_total", "Order Line Total")),
            "price": reading.text(sheet.find("Item Cost")),
        }
        if not any(reading.text(name) for name in sheet.find_all(*names)):
            return []
        line = _item(item, reading.rules)
        return [line] if line else []


def _item(item: dict[str, Any], rules: Rules) -> Cells:
    """Return an item as a line; items of no pieces (removed ones) are none."""
    given = {name: str(value) for name, value in item.items() if value not in (None, "")}
    try:
        quantity = Decimal(values.count(given.get("quantity", "1"), rules))
        if quantity <= 0:
            return {}
        keys = (given.get(name, "") for name in ("sku", "product_id", "name"))
        price, total = given.get("price", ""), given.get("total", "")
        amount = Decimal(values.money(total, rules)) if total else None
        each = Decimal(values.money(price, rules)) if price else None
        if amount is None and each is None:
            raise RejectError(f"unit_price: {EMPTY}")
        line_id = given.get("id", "")
        line = {
            "sku": values.article(next(filter(None, keys), ""), rules),
            "title": given.get("name", ""),
            "quantity": str(quantity),
            "unit_price": str(each if each is not None else _each(amount or Decimal(0), quantity)),
            "amount": str(amount if amount is not None else (each or Decimal(0)) * quantity),
        }
    except CellError as error:
        raise RejectError(f"sku: {error}") from None
    if not line["sku"]:
        raise RejectError(f"sku: {EMPTY}")
    return {**line, "line_id": line_id} if line_id else line


def _each(amount: Decimal, quantity: Decimal) -> Decimal:
    return (amount / quantity).quantize(Decimal("0.0001"))


def _unpacked(packed: str) -> list[dict[str, Any]]:
    """Return the items of one cell: JSON, or ``name:…|quantity:…;name:…`` with escaped marks."""
    if packed.startswith("["):
        try:
            found = json.loads(packed)
        except (ValueError, RecursionError):
            raise RejectError(f"sku: {BAD_ITEMS}") from None
        if not all(isinstance(item, dict) for item in found):
            raise RejectError(f"sku: {BAD_ITEMS}")
        return list(found)
    items = []
    for text in filter(None, map(str.strip, ITEM_END.split(packed))):
        pairs = (part.partition(":") for part in FIELD_END.split(text))
        item = {name.strip(): re.sub(r"\\(.)", r"\1", value) for name, _colon, value in pairs}
        if "quantity" not in item:
            raise RejectError(f"sku: {BAD_ITEMS}")
        items.append(item)
    return items


class WooCustomers(ColumnsPreset):
    """Customers of the shop's own report, or of an export extension."""

    key = "woocommerce_customers"
    label = gettext_noop("WooCommerce customers")
    kinds = (CUSTOMERS,)
    customer_key = gettext_noop(
        "The shop's customer id, else the user name, else the e-mail address of guests."
    )
    needed = (
        ("email", "user_email"),
        ("customer_id", "User ID", "Username", "user_login"),
        ("date_registered", "Sign up", "Date registered", "user_registered", "Registered"),
    )
    fields = (
        Field("customer_id", user, ("customer_id", "User ID", "Username", "user_login")),
        Field("email", EMAIL, ("email", "user_email", "billing_email")),
        Field("phone", PHONE, ("billing_phone", "phone")),
        Field("name", values.text, ("name",)),
        Field("country", values.text, ("billing_country", "Country / Region", "country")),
        Field("city", values.text, ("billing_city", "city")),
    )
    more = ("first_name", "last_name", "billing_first_name", "billing_last_name")

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the customer with a name; a guest is known by the e-mail address."""
        own = cells.get("customer_id") or cells.get("email")
        if not own:
            raise RejectError(f"customer_id: {EMPTY}")
        if not cells.get("name"):
            first = reading.text(sheet.find("first_name")) or reading.text(
                sheet.find("billing_first_name")
            )
            last = reading.text(sheet.find("last_name")) or reading.text(
                sheet.find("billing_last_name")
            )
            cells["name"] = " ".join(filter(None, (first, last)))
        return {**cells, "customer_id": own}
