"""A preset whose rows stand alone: its records are fields read from columns, and small repairs."""

from collections.abc import Iterable
from typing import ClassVar

from customers.connectors.presets.base import (
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


class ColumnsPreset(Preset):
    """Each row gives one record of ``kinds[0]``; ``repair`` settles what columns alone cannot say.

    ``more`` are columns that ``repair`` looks at itself.
    """

    needed: ClassVar[tuple[tuple[str, ...], ...]]
    fields: ClassVar[tuple[Field, ...]]
    more: ClassVar[tuple[str, ...]] = ()

    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the needed columns that a header lacks, and how many are needed."""
        return lacking(Sheet(header), self.needed)

    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read."""
        names = [name for field in self.fields for name in field.columns]
        return list(dict.fromkeys(Sheet(header).find_all(*names, *self.more)))

    def translator(
        self, header: Iterable[str], rules: Rules, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header."""
        return _ByColumns(self, Sheet(header), rules)

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells | None:
        """Return the record's cells settled; None when the row rightly gives no record."""
        return cells

    def beside(self, cells: Cells, reading: Reading, sheet: Sheet) -> list[Record]:
        """Return what else a row tells beside its own record."""
        return []


class _ByColumns(Translator):
    def __init__(self, preset: ColumnsPreset, sheet: Sheet, rules: Rules) -> None:
        self.preset, self.sheet, self.rules = preset, sheet, rules
        self.fields = [field.found_in(sheet) for field in preset.fields]

    def __call__(self, row: RawRow) -> Translated:
        """Return the row's record."""
        if row.reason:
            return Translated(reason=row.reason)
        reading = Reading(row, self.rules)
        try:
            cells = self.preset.repair(reading.gather(self.fields), reading, self.sheet)
            beside = self.preset.beside(cells, reading, self.sheet) if cells else []
        except RejectError as error:
            return Translated(reason=str(error))
        if cells is None:
            return Translated(notes=tuple(reading.notes))
        filled = {name: text for name, text in cells.items() if text}
        own = Record(self.preset.kinds[0], filled)
        return Translated((own, *beside), notes=tuple(reading.notes))
