"""Files with a row per line item: an order's own fields count on its first row only."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import (
    LINES,
    ORDERS,
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

REJECTED_ABOVE = gettext_noop("the first row of its order was rejected")
TIME_UNKNOWN = gettext_noop("the file does not say when; the order's last known time is taken")


class GroupedPreset(Preset):
    """Gives an order and its lines; the rows of an order stand below each other.

    ``number`` are the names of the order number's column, ``more`` what is read beside ``fields``;
    ``goes_on_without_number`` says that rows without one belong to the order above.
    """

    kinds: tuple[str, ...] = (ORDERS, LINES)
    needed: tuple[tuple[str, ...], ...]
    number: tuple[str, ...]
    fields: tuple[Field, ...]
    more: tuple[str, ...]
    goes_on_without_number: ClassVar[bool] = False

    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the needed columns that a header lacks, and how many are needed."""
        return lacking(Sheet(header), self.needed)

    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read."""
        names = [name for field in self.fields for name in field.columns]
        return list(dict.fromkeys(Sheet(header).find_all(*self.number, *names, *self.more)))

    def translator(
        self, header: Iterable[str], rules: Rules, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header."""
        return _Grouped(self, Sheet(header), rules, state)

    @abstractmethod
    def order(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return an order's cells settled: status, cancellation, refund."""

    @abstractmethod
    def lines(self, reading: Reading, sheet: Sheet) -> list[Cells]:
        """Return a row's line items without number and id; ``sku`` and ``title`` must be there."""


class _Grouped(Translator):
    """Holds the number of the order it stands in, and how often each article stood there."""

    def __init__(
        self, preset: GroupedPreset, sheet: Sheet, rules: Rules, state: State | None
    ) -> None:
        self.preset, self.sheet, self.rules = preset, sheet, rules
        self.held: State = {"order": "", "is_rejected": False, "seen": {}, **(state or {})}
        self.fields = [field.found_in(sheet) for field in preset.fields]
        columns = sheet.find_all(*preset.number)
        self.number = Field("order_id", values.key, columns, is_required=True)

    @property
    def state(self) -> State:
        """Return the order whose rows may go on."""
        return {**self.held, "seen": dict(self.held["seen"])}

    def __call__(self, row: RawRow) -> Translated:
        """Return the lines of a row, before them the order when the row is an order's first."""
        reading, above = Reading(row, self.rules), self.held["order"]
        try:
            number = self._number(reading)
            records = self._order(reading, number)
            if row.reason:
                raise RejectError(row.reason)
            lines = [self._line(line, number) for line in self.preset.lines(reading, self.sheet)]
        except RejectError as error:
            # An order whose first row falls takes its other rows along.
            self.held["is_rejected"] |= self.held["order"] != above
            return Translated(reason=row.reason or str(error))
        return Translated((*records, *lines), notes=tuple(reading.notes))

    def _number(self, reading: Reading) -> str:
        goes_on = self.preset.goes_on_without_number and self.held["order"]
        if goes_on and not any(reading.text(name) for name in self.number.columns):
            return str(self.held["order"])
        return reading.read(self.number)

    def _order(self, reading: Reading, number: str) -> list[Record]:
        """Return the order when its rows begin here; a rejected order takes its lines with it."""
        if number == self.held["order"]:
            if self.held["is_rejected"]:
                raise RejectError(f"order_id: {REJECTED_ABOVE}")
            return []
        self.held = {"order": number, "is_rejected": True, "seen": {}}
        if reading.row.reason:
            raise RejectError(reading.row.reason)
        cells = {"order_id": number, **reading.gather(self.fields)}
        order = self.preset.order(cells, reading, self.sheet)
        self.held["is_rejected"] = False
        return [Record(ORDERS, {name: text for name, text in order.items() if text})]

    def _line(self, line: Cells, number: str) -> Record:
        """Give a line its id: the platform's, else the article and its place among equal ones."""
        sku = line["sku"]
        place = self.held["seen"].get(sku, 0) + 1
        self.held["seen"] = {**self.held["seen"], sku: place}
        named = {"order_id": number, "line_id": f"{sku}#{place}", **line}
        return Record(LINES, {name: text for name, text in named.items() if text})


def settle_cancellation(cells: Cells, reading: Reading) -> None:
    """Give a cancelled order a time: its own, else the last one known."""
    if cells.get("status") == "cancelled" and not cells.get("cancelled_at"):
        cells["cancelled_at"] = last_known(cells)
        reading.notes.append(f"cancelled_at: {TIME_UNKNOWN}")


def settle_refund(cells: Cells, reading: Reading, *more: str) -> None:
    """Give money that went back a time: the order's last one known, or of ``more`` if later."""
    if cells.get("refunded_amount", "").strip("0."):
        cells["refunded_at"] = last_known(cells, *more)
        reading.notes.append(f"refunded_at: {TIME_UNKNOWN}")


def settle_order(cells: Cells, reading: Reading) -> None:
    """Give an order the times that a cancellation or refund needs, where the file lacks them."""
    settle_cancellation(cells, reading)
    if "refunded_at" not in cells:
        settle_refund(cells, reading)


def last_known(cells: Cells, *more: str) -> str:
    """Return the latest time an order's cells tell."""
    names = ("placed_at", "paid_at", "delivered_at", "cancelled_at")
    times = [time for time in (*(cells.get(name, "") for name in names), *more) if time]
    return max(times, key=values.moment)
