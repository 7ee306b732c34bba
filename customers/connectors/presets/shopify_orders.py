"""Shopify's export of orders: a row per line item, the order's fields on its first row only."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import (
    EMAIL,
    LINES,
    ORDERS,
    PHONE,
    Cells,
    Field,
    Preset,
    Reading,
    Record,
    RejectError,
    Sheet,
    State,
    Translated,
    Translator,
    lacking,
)
from customers.connectors.tables import RawRow
from customers.connectors.values import Rules

NEEDED: tuple[tuple[str, ...], ...] = (
    ("Name",),
    ("Email",),
    ("Created at",),
    ("Total",),
    ("Lineitem name",),
)
FIELDS = (
    Field("placed_at", values.instant, ("Created at",), is_required=True),
    Field("total", values.money, ("Total",), is_required=True),
    Field("currency", values.currency, ("Currency",)),
    Field("charges", values.money, ("Shipping",)),
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
LINE_FIELDS = (
    Field("title", values.text, ("Lineitem name",)),
    Field("quantity", values.count, ("Lineitem quantity",), is_required=True),
    Field("unit_price", values.money, ("Lineitem price",), is_required=True),
)
FULFILLED = frozenset({"fulfilled"})
GONE = frozenset({"voided", "expired"})
TEST_PAYMENT = "bogus"
REJECTED_ABOVE = gettext_noop("the first row of its order was rejected")
REFUND_TIME = gettext_noop("the file does not say when; the order's last known time is taken")


class ShopifyOrders(Preset):
    key = "shopify_orders"
    label = gettext_noop("Shopify orders")
    kinds = (ORDERS, LINES)
    customer_key = gettext_noop(
        "The e-mail address of the order, else its phone or the billing phone: both stay the same "
        "from order to order. Orders without any are guests'."
    )

    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the needed columns that a header lacks, and how many are needed."""
        return lacking(Sheet(header), NEEDED)

    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read."""
        names = [name for field in (*FIELDS, *LINE_FIELDS) for name in field.columns]
        more = ("Name", "Financial Status", "Fulfillment Status", "Fulfilled at", "Lineitem sku")
        return list(Sheet(header).find_all(*more, "Payment Method", "Lineitem discount", *names))

    def translator(
        self, header: Iterable[str], rules: Rules, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header."""
        return _Orders(Sheet(header), rules, state)


class _Orders(Translator):
    """Holds the number of the order it stands in, and which lines that order had so far."""

    def __init__(self, sheet: Sheet, rules: Rules, state: State | None) -> None:
        self.sheet, self.rules = sheet, rules
        self.held: State = state or {"order": "", "is_rejected": False, "seen": {}}
        self.fields = [field.found_in(sheet) for field in FIELDS]
        self.line_fields = [field.found_in(sheet) for field in LINE_FIELDS]
        self.has_lines = not lacking(sheet, (("Lineitem quantity",), ("Lineitem price",)))[0]
        self.number = Field("order_id", values.key, sheet.find_all("Name"), is_required=True)

    @property
    def state(self) -> State:
        """Return the order whose rows may go on."""
        return {**self.held, "seen": dict(self.held["seen"])}

    def __call__(self, row: RawRow) -> Translated:
        """Return the line of a row, before it the order when the row is an order's first."""
        reading = Reading(row, self.rules)
        records: list[Record] = []
        try:
            number = reading.read(self.number)
            if number != self.held["order"]:
                self.held = {"order": number, "is_rejected": True, "seen": {}}
                if row.reason:
                    return Translated(reason=row.reason)
                records.append(Record(ORDERS, self._order(reading, number)))
                self.held["is_rejected"] = False
            elif self.held["is_rejected"]:
                raise RejectError(f"order_id: {REJECTED_ABOVE}")
            if row.reason:
                return Translated(reason=row.reason)
            if self.has_lines and (line := self._line(reading, number)):
                records.append(Record(LINES, line))
        except RejectError as error:
            return Translated(reason=row.reason or str(error))
        return Translated(tuple(records), notes=tuple(reading.notes))

    def _order(self, reading: Reading, number: str) -> Cells:
        cells = {"order_id": number, **reading.gather(self.fields)}
        paid_by = reading.text(self.sheet.find("Payment Method"))
        if TEST_PAYMENT in paid_by.lower():
            cells["is_test"] = "true"
        cells["status"] = self._status(reading, cells)
        if cells["status"] == "cancelled":
            cells.setdefault("cancelled_at", cells["placed_at"])
        if Decimal(cells.get("refunded_amount", "0")):
            shipped = reading.read(_field(self.sheet, "fulfilled_at", "Fulfilled at"))
            known = [cells.get(name, "") for name in ("cancelled_at", "paid_at", "placed_at")]
            cells["refunded_at"] = next(time for time in (known[0], shipped, *known[1:]) if time)
            reading.notes.append(f"refunded_at: {REFUND_TIME}")
        return cells

    def _status(self, reading: Reading, cells: Cells) -> str:
        money = reading.text(self.sheet.find("Financial Status"))
        goods = reading.text(self.sheet.find("Fulfillment Status")).lower()
        if "cancelled_at" in cells or money.lower() in GONE:
            return "cancelled"
        read = Field("status", values.status, (self.sheet.find("Financial Status"),))
        status = reading.read(read) if money else "paid"
        return "shipped" if status == "paid" and goods in FULFILLED else status

    def _line(self, reading: Reading, number: str) -> Cells:
        """Return the line item of a row; a row of payments or discounts has none."""
        title = reading.text(self.sheet.find("Lineitem name"))
        sku_field = Field("sku", values.key, self.sheet.find_all("Lineitem sku", "Lineitem name"))
        if not title and not reading.text(self.sheet.find("Lineitem sku")):
            return {}
        cells = reading.gather(self.line_fields)
        sku = reading.read(sku_field)
        place = self.held["seen"].get(sku, 0) + 1
        off = reading.read(_amount(self.sheet, "amount", "Lineitem discount"))
        amount = Decimal(cells["quantity"]) * Decimal(cells["unit_price"]) - Decimal(off or 0)
        self.held["seen"] = {**self.held["seen"], sku: place}
        line = {"order_id": number, "line_id": f"{sku}#{place}", "sku": sku, **cells}
        return {**line, "amount": str(max(amount, Decimal(0)))}


def _field(sheet: Sheet, name: str, column: str) -> Field:
    return Field(name, values.instant, sheet.find_all(column))


def _amount(sheet: Sheet, name: str, column: str) -> Field:
    return Field(name, values.amount, sheet.find_all(column))
