"""A mapped file with a row per item: the order's columns repeat, or stand on its first row."""

from django.utils.translation import gettext_noop

from customers.connectors.presets.base import Cells, Field, Reading, Sheet
from customers.connectors.presets.grouped import GroupedPreset, settle_order
from customers.connectors.presets.kinds import KINDS, OF_LINES, ORDERS_WITH_LINES


class MappedOrders(GroupedPreset):
    """Gives each order once, at its first row, and every row's line."""

    key = "mapping"
    label = gettext_noop("Another file of orders, one row per item")
    customer_key = ""
    needed = ()
    more = ()
    goes_on_without_number = True

    def __init__(self, columns: dict[str, str]) -> None:
        self.number = (columns["order_id"],)
        fields = {
            name: column.field(columns[name])
            for name, column in KINDS[ORDERS_WITH_LINES].items()
            if name in columns and name != "order_id"
        }
        self.fields = tuple(field for name, field in fields.items() if name not in OF_LINES)
        self.line_fields = tuple(field for name, field in fields.items() if name in OF_LINES)

    def order(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the order with the times that a cancellation or refund needs."""
        if reading.rules.currency:
            cells.setdefault("currency", reading.rules.currency)
        settle_order(cells, reading)
        return cells

    def lines(self, reading: Reading, sheet: Sheet) -> list[Cells]:
        """Return the row's line; a row without any of its cells has none."""
        fields: list[Field] = [field.found_in(sheet) for field in self.line_fields]
        if not any(reading.text(column) for field in fields for column in field.columns):
            return []
        return [reading.gather(fields)]
