"""Shopify's exports of products, old and new: a row per variant or picture."""

from collections.abc import Iterable

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import (
    EMPTY,
    PRODUCTS,
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

NEEDED = (
    ("Handle", "URL handle"),
    ("Title",),
    ("Vendor",),
    ("Variant SKU", "SKU"),
    ("Variant Price", "Price"),
)
FIELDS = (
    Field("price", values.amount, ("Variant Price", "Price")),
    Field("unit_cost", values.amount, ("Cost per item",)),
    Field("stock", values.count, ("Variant Inventory Qty", "Inventory quantity")),
    Field("sku", values.article, ("Variant SKU", "SKU")),
)
OPTIONS = tuple(names for n in (1, 2, 3) for names in ((f"Option{n} Value", f"Option{n} value"),))
MORE = (
    *("Handle", "URL handle", "Title", "Vendor", "Type", "Product Category", "Product category"),
    *("Status", "Published", "Published on online store"),
    *(name for names in OPTIONS for name in names),
)
ONLY_VARIANT = "default title"


class ShopifyProducts(Preset):
    """One product a variant: known by its SKU, without one by the handle and its options."""

    key = "shopify_products"
    label = gettext_noop("Shopify products")
    kinds = (PRODUCTS,)
    customer_key = ""

    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the needed columns that a header lacks, and how many are needed."""
        return lacking(Sheet(header), NEEDED)

    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read."""
        names = [name for field in FIELDS for name in field.columns]
        return list(dict.fromkeys(Sheet(header).find_all(*names, *MORE)))

    def translator(
        self, header: Iterable[str], rules: Rules, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header."""
        return _Products(Sheet(header), rules, state)


class _Products(Translator):
    """Holds the product whose variants follow: its own fields stand on its first row only."""

    def __init__(self, sheet: Sheet, rules: Rules, state: State | None) -> None:
        self.sheet, self.rules = sheet, rules
        self.held: State = {"handle": "", "product": {}, **(state or {})}
        self.fields = [field.found_in(sheet) for field in FIELDS]
        handles = sheet.find_all("Handle", "URL handle")
        self.handle = Field("sku", values.article, handles, is_required=True)

    @property
    def state(self) -> State:
        """Return the product whose rows may go on."""
        return {"handle": self.held["handle"], "product": dict(self.held["product"])}

    def __call__(self, row: RawRow) -> Translated:
        """Return the row's variant; a row with only a picture has none."""
        if row.reason:
            return Translated(reason=row.reason)
        reading = Reading(row, self.rules)
        try:
            handle = reading.read(self.handle)
            if handle != self.held["handle"]:
                self.held = {"handle": handle, "product": self._product(reading)}
            variant = reading.gather(self.fields)
            options = self._options(reading)
            if not {"sku", "price"} & set(variant) and not options:
                return Translated()
            return Translated((self._record(handle, variant, options),))
        except RejectError as error:
            return Translated(reason=str(error))

    def _product(self, reading: Reading) -> Cells:
        category = reading.text(self.sheet.find("Product category"))
        product = {
            "title": reading.text(self.sheet.find("Title")),
            "category": reading.text(self.sheet.find("Type"))
            or category.rpartition(">")[2].strip(),
            "brand": reading.text(self.sheet.find("Vendor")),
            "is_active": self._is_active(reading),
        }
        if not product["title"]:
            raise RejectError(f"title: {EMPTY}")
        return {name: text for name, text in product.items() if text}

    def _is_active(self, reading: Reading) -> str:
        if status := reading.text(self.sheet.find("Status")).lower():
            return "true" if status == "active" else "false"
        names = self.sheet.find_all("Published on online store", "Published")
        return reading.read(Field("is_active", values.flag, names))

    def _options(self, reading: Reading) -> list[str]:
        found = (reading.text(self.sheet.find(*names)) for names in OPTIONS)
        return [value for value in found if value and value.lower() != ONLY_VARIANT]

    def _record(self, handle: str, variant: Cells, options: list[str]) -> Record:
        product = dict(self.held["product"])
        if options and "title" in product:
            product["title"] = f"{product['title']} - {' / '.join(options)}"
        if self.rules.currency and "price" in variant:
            product["currency"] = self.rules.currency
        return Record(
            PRODUCTS,
            {"sku": values.article("/".join([handle, *options]), self.rules), **product, **variant},
        )
