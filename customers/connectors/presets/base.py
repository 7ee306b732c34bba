"""What a preset is: it knows a platform's header and turns its rows into Huike's own."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.tables import RawRow
from customers.connectors.values import CellError, MaskedError, Rules
from customers.connectors.values.words import INVISIBLE

CUSTOMERS, ORDERS, LINES = "customers", "orders", "lines"
PRODUCTS, CONSENTS = "products", "consents"
Read = Callable[[str, Rules], str]
Cells = dict[str, str]
State = dict[str, Any]
EMPTY = gettext_noop("empty")


@dataclass(frozen=True)
class Record:
    """One row of one of Huike's own formats: canonical columns with canonical text, none empty."""

    kind: str
    cells: Cells


@dataclass(frozen=True)
class Translated:
    """What became of a file's row.

    ``reason`` is “column: phrase” and says why it is rejected (no records then); ``notes``, written
    alike, say what was left empty. A row may rightly give no record.
    """

    records: tuple[Record, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()


class RejectError(ValueError):
    """A row that cannot become a record; the message is “column: phrase”."""


class Translator(ABC):
    """Turns the rows of one file, in order, into records; never raises on a row.

    ``state`` is JSON and holds what the next rows need from those before: a translator made again
    with it goes on exactly where this one stands.
    """

    @abstractmethod
    def __call__(self, row: RawRow) -> Translated:
        """Translate the next row."""

    @property
    def state(self) -> State:
        """Return what must be handed to the next translator of this file."""
        return {}


class Preset(ABC):
    """A platform's file: recognised by its header, explained to people, translated row by row."""

    key: ClassVar[str]
    label: ClassVar[str]
    kinds: tuple[str, ...]
    customer_key: ClassVar[str]
    default_rules: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the needed columns that a header lacks, and how many are needed."""

    @abstractmethod
    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read; the others are left alone."""

    def doubled(self, header: Iterable[str], doubled: Iterable[str]) -> list[str]:
        """Return the columns that are read and stand in the file twice (``Layout.doubled``)."""
        read = set(self.reads(header))
        return [name for name in doubled if name in read]

    @abstractmethod
    def translator(
        self, header: Iterable[str], rules: Rules, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header, fresh or resumed."""

    def rules(self, base: Rules | None = None) -> Rules:
        """Return the shop's rules with what is known of how the platform writes."""
        return Rules.from_json({**(base or Rules()).as_json(), **self.default_rules})


@lru_cache(maxsize=8192)
def folded(name: str) -> str:
    """Return a column's name as it is compared: no mark, quotes, blanks, width or case."""
    text = unicodedata.normalize("NFKC", name.translate(INVISIBLE)).casefold()
    return "".join(text.replace('"', "").replace("'", "").replace("_", " ").split())


class Sheet:
    """A file's header by folded name: finds columns under any of their names."""

    def __init__(self, header: Iterable[str]) -> None:
        self.by_name: dict[str, str] = {}
        for name in header:
            self.by_name.setdefault(folded(name), name)

    def find(self, *names: str) -> str:
        """Return the file's own name of the first of these columns it has, or nothing."""
        for name in names:
            if found := self.by_name.get(folded(name)):
                return found
        return ""

    def find_all(self, *names: str) -> tuple[str, ...]:
        """Return the file's own names of all of these columns that it has."""
        found = (self.by_name.get(folded(name), "") for name in names)
        return tuple(name for name in found if name)


@dataclass(frozen=True)
class Field:
    """A canonical column: where its text stands (the first filled wins) and how it is read."""

    name: str
    read: Read
    columns: tuple[str, ...]
    is_required: bool = False

    def found_in(self, sheet: Sheet) -> "Field":
        """Return this field with the file's own columns."""
        return Field(self.name, self.read, sheet.find_all(*self.columns), self.is_required)


def lacking(sheet: Sheet, needed: Iterable[tuple[str, ...]]) -> tuple[list[str], int]:
    """Return which needed columns a file lacks under any of their names; and how many there are."""
    alternatives = list(needed)
    return [names[0] for names in alternatives if not sheet.find(*names)], len(alternatives)


class Reading:
    """One row while it is read: cells gathered so far, and notes on what was left empty."""

    def __init__(self, row: RawRow, rules: Rules) -> None:
        self.row, self.rules = row, rules
        self.cells: Cells = {}
        self.notes: list[str] = []

    def text(self, column: str) -> str:
        """Return a cell's text; a column that is not there is empty."""
        return values.text(self.row.cells.get(column, ""), self.rules) if column else ""

    def read(self, field: Field) -> str:
        """Return a field's canonical text or nothing; raises RejectError with the column's name."""
        for column in field.columns:
            given = self.text(column)
            if not given:
                continue
            try:
                return field.read(given, self.rules)
            except MaskedError as error:
                if field.is_required:
                    raise RejectError(f"{field.name}: {error}") from None
                self.notes.append(f"{field.name}: {error}")
            except CellError as error:
                raise RejectError(f"{field.name}: {error}") from None
        if field.is_required:
            raise RejectError(f"{field.name}: {EMPTY}")
        return ""

    def gather(self, fields: Iterable[Field]) -> Cells:
        """Read fields into a record's cells; empty ones are left out."""
        gathered = {field.name: self.read(field) for field in fields}
        return {name: text for name, text in gathered.items() if text}


def lenient(read: Read) -> Read:
    """Return a reader for keys that only help: what is none is left empty, and noted."""

    def tried(text: str, rules: Rules) -> str:
        try:
            return read(text, rules)
        except MaskedError:
            raise
        except CellError as error:
            raise MaskedError(str(error)) from None

    return tried


EMAIL = lenient(values.email)
PHONE = lenient(values.phone)
