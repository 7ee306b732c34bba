"""The “Online Retail” layout: one row per order line, cancellations as rows of their own.

Both published variants of the header are read (InvoiceNo / Invoice, UnitPrice / Price,
CustomerID / “Customer ID”).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_noop

from customers.connectors.tables import RawRow

COLUMNS = {
    "invoice": ("invoiceno", "invoice"),
    "sku": ("stockcode",),
    "title": ("description",),
    "quantity": ("quantity",),
    "time": ("invoicedate",),
    "price": ("unitprice", "price"),
    "customer": ("customerid",),
    "country": ("country",),
}
TIME_FORMATS = ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%Y/%m/%d %H:%M")
CHARGES = frozenset(
    {"POST", "DOT", "M", "m", "D", "S", "B", "C2", "CRUK", "PADS", "AMAZONFEE", "BANKCHARGES"}
    | {"TEST001", "TEST002", "ADJUST", "ADJUST2"}
)
DISCOUNTS = frozenset({"D"})
MOST = 2**31 - 1
LONGEST_CODE = 100


@dataclass(frozen=True)
class ParsedLine:
    """A row as numbers and instants (naive, shop-local); ``reason`` says why it is rejected."""

    number: int
    cells: dict[str, str]
    reason: str
    invoice: str
    sku: str
    title: str
    quantity: int | None
    price: Decimal | None
    placed: datetime | None
    customer: str
    country: str
    is_cancellation: bool


def match_columns(header: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Map our names to the file's columns; return also which of ours are missing."""
    found = {name.replace(" ", "").replace("_", "").lower(): name for name in header}
    mapping = {
        ours: found[theirs[0] if theirs[0] in found else theirs[-1]]
        for ours, theirs in COLUMNS.items()
        if any(name in found for name in theirs)
    }
    return mapping, [theirs[0] for ours, theirs in COLUMNS.items() if ours not in mapping]


def is_charge(sku: str) -> bool:
    """Tell whether a code stands for postage, fees, vouchers or corrections, not for goods."""
    code = sku.replace(" ", "")
    return code in CHARGES or code.lower().startswith("gift_")


def parse(row: RawRow, columns: dict[str, str]) -> ParsedLine:
    """Read one row; never raises."""
    cells = {ours: row.cells.get(theirs, "").strip() for ours, theirs in columns.items()}
    quantity = _whole(cells["quantity"])
    price = _price(cells["price"])
    placed = _time(cells["time"])
    invoice = cells["invoice"][:120]
    is_cancellation = invoice[:1] in ("C", "c")
    names = (cells["invoice"], cells["sku"], _customer(cells["customer"]))
    reason = row.reason or _reason(names, quantity, price, placed)
    return ParsedLine(
        number=row.number,
        cells=row.cells,
        reason=reason,
        invoice=invoice,
        sku=cells["sku"][:120],
        title=cells["title"][:400],
        quantity=quantity,
        price=price,
        placed=placed,
        customer=names[2][:120],
        country=cells["country"][:64],
        is_cancellation=is_cancellation,
    )


def _reason(
    names: tuple[str, str, str],
    quantity: int | None,
    price: Decimal | None,
    placed: datetime | None,
) -> str:
    """Return the first thing that is wrong with a row, or nothing; codes are never cut short."""
    invoice, sku, _customer_key = names
    kind = invoice[:1].upper()
    wrong = {
        gettext_noop("no invoice number"): not invoice,
        gettext_noop("no stock code"): not sku,
        gettext_noop("a number or code longer than 100 characters"): max(map(len, names))
        > LONGEST_CODE,
        gettext_noop("the quantity is no whole number"): quantity is None,
        gettext_noop("the price is no number"): price is None,
        gettext_noop("the date cannot be read"): placed is None,
        gettext_noop("bad-debt adjustment, not an order"): kind == "A",
        gettext_noop("the price is negative"): price is not None and price < 0,
        gettext_noop("the quantity is zero"): quantity == 0,
        gettext_noop("a cancellation with a positive quantity"): kind == "C"
        and (quantity or 0) > 0,
        gettext_noop("stock write-off: a negative quantity outside a cancellation"): (
            kind != "C" and (quantity or 0) < 0
        ),
    }
    return next((reason for reason, is_so in wrong.items() if is_so), "")


def _whole(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) <= MOST else None


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    if not price.is_finite() or abs(price) >= 10**9:
        return None
    return price.quantize(Decimal("0.0001"))


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _time_by_format(text)
    return moment.replace(tzinfo=None) if moment.year >= 1990 else None


def _time_by_format(text: str) -> datetime | None:
    for layout in TIME_FORMATS:
        try:
            moment = datetime.strptime(text, layout)  # noqa: DTZ007 - shop-local by definition
        except ValueError:
            continue
        return moment if moment.year >= 1990 else None
    return None


def _customer(text: str) -> str:
    """Return the key without the “.0” that spreadsheets add; masked values are no keys."""
    key = text.removesuffix(".0")
    return "" if "*" in key or key.lower() in ("nan", "null", "-", "——") else key
