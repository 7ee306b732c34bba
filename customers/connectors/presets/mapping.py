"""A file that no preset knows: a person says which column is which; kept as JSON."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping as Json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.connectors.presets.base import (
    LINES,
    ORDERS,
    Preset,
    Reading,
    Record,
    RejectError,
    Sheet,
    State,
    Translated,
    Translator,
)
from customers.connectors.presets.grouped import settle_order
from customers.connectors.presets.kinds import (
    KINDS,
    ONE_OF,
    ORDERS_WITH_LINES,
    required,
    target,
)
from customers.connectors.presets.mapped_orders import MappedOrders
from customers.connectors.tables import RawRow
from customers.connectors.values import Rules
from customers.errors import InvalidMappingError

NOBODY = gettext_noop("none of the columns that say who it is")


@dataclass(frozen=True)
class Mapping:
    """Which of the file's columns holds which of a kind's, and by what rules it is read.

    As JSON: ``{"kind": "orders", "columns": {"order_id": "Order No"}, "rules": {…}}``.
    """

    kind: str
    columns: Json[str, str]
    rules: Rules = field(default_factory=Rules)

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads."""
        return {"kind": self.kind, "columns": dict(self.columns), "rules": self.rules.as_json()}

    @classmethod
    def from_json(cls, given: Json[str, Any]) -> "Mapping":
        """Return a mapping; raises InvalidMappingError when it cannot be one of any file."""
        kind, columns, rules = given.get("kind"), given.get("columns"), given.get("rules", {})
        if kind not in KINDS:
            raise InvalidMappingError(
                _("There is no kind “%(kind)s”. Choose one of: %(kinds)s.")
                % {"kind": kind, "kinds": ", ".join(KINDS)}
            )
        if not isinstance(columns, dict) or not isinstance(rules, dict):
            raise InvalidMappingError(_("“columns” and “rules” must be objects."))
        chosen = {str(ours): str(theirs) for ours, theirs in columns.items() if theirs}
        try:
            mapping = cls(kind, chosen, Rules.from_json(rules))
        except (ValueError, TypeError) as error:
            raise InvalidMappingError(
                _("The rules cannot be read: %(error)s.") % {"error": error}
            ) from error
        if problems := mapping.problems():
            raise InvalidMappingError(" ".join(problems))
        return mapping

    def problems(
        self, header: Iterable[str] | None = None, *, words: Json[str, Any] | None = None
    ) -> list[str]:
        """Return in sentences what is wrong, for a file with this header when there is one.

        ``words`` are what canonical columns are called where people read it.
        """
        called = {} if words is None else words
        unknown = [name for name in self.columns if target(self.kind, name) is None]
        lacks = [name for name in required(self.kind) if name not in self.columns]
        one_of = ONE_OF.get(self.kind, ())
        told = []
        if unknown:
            told.append(_("There are no columns %(names)s.") % {"names": ", ".join(unknown)})
        if lacks:
            told.append(_("Say which column holds %(names)s.") % {"names": _listed(lacks, called)})
        if one_of and not any(name in self.columns for name in one_of):
            told.append(_("Map one of %(names)s.") % {"names": _listed(one_of, called)})
        for theirs in self._doubled_keys():
            told.append(_("“%(name)s” cannot be two keys at once.") % {"name": theirs})
        if header is not None and (gone := self.missing(header)):
            told.append(_("The file has no columns %(names)s.") % {"names": ", ".join(gone)})
        return told

    def missing(self, header: Iterable[str]) -> list[str]:
        """Return the mapped columns that a file does not have."""
        sheet = Sheet(header)
        return [theirs for theirs in self.columns.values() if not sheet.find(theirs)]

    def _doubled_keys(self) -> list[str]:
        found = {name: target(self.kind, name) for name in self.columns}
        keys = [name for name, column in found.items() if column and column.is_key]
        used = Counter(self.columns[name] for name in keys)
        return [theirs for theirs, times in used.items() if times > 1]


def _listed(names: Iterable[str], called: Json[str, Any]) -> str:
    return _(", ").join(str(called.get(name, name)) for name in names)


class MappedFile(Preset):
    """The preset that a mapping makes."""

    key = "mapping"
    label = gettext_noop("Another file, columns chosen by hand")
    customer_key = gettext_noop(
        "What was mapped to the customer's id, else the e-mail address, else the phone. Choose "
        "values that stay the same from order to order."
    )

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.kinds = (ORDERS, LINES) if mapping.kind == ORDERS_WITH_LINES else (mapping.kind,)

    def missing(self, header: Iterable[str]) -> tuple[list[str], int]:
        """Return the mapped columns that a header lacks, and how many are mapped."""
        return self.mapping.missing(header), len(self.mapping.columns)

    def reads(self, header: Iterable[str]) -> list[str]:
        """Return the file's columns that are read."""
        return list(Sheet(header).find_all(*self.mapping.columns.values()))

    def rules(self, base: Rules | None = None) -> Rules:
        """Return the rules that were chosen with the mapping."""
        return self.mapping.rules

    def translator(
        self, header: Iterable[str], rules: Rules | None = None, *, state: State | None = None
    ) -> Translator:
        """Return the translator for a file with this header."""
        rules = rules or self.mapping.rules
        if self.mapping.kind == ORDERS_WITH_LINES:
            orders = MappedOrders(dict(self.mapping.columns))
            return orders.translator(header, rules, state=state)
        return _Mapped(self.mapping, Sheet(header), rules)


class _Mapped(Translator):
    def __init__(self, mapping: Mapping, sheet: Sheet, rules: Rules) -> None:
        self.kind, self.rules = mapping.kind, rules
        found = [(target(mapping.kind, ours), theirs) for ours, theirs in mapping.columns.items()]
        self.fields = [column.field(*sheet.find_all(name)) for column, name in found if column]
        self.one_of = ONE_OF.get(mapping.kind, ())
        self.currency = rules.currency if "currency" in KINDS[mapping.kind] else ""

    def __call__(self, row: RawRow) -> Translated:
        """Return the row's record."""
        if row.reason:
            return Translated(reason=row.reason)
        reading = Reading(row, self.rules)
        try:
            cells = reading.gather(self.fields)
        except RejectError as error:
            return Translated(reason=str(error))
        if self.one_of and not any(name in cells for name in self.one_of):
            return Translated(reason=f"{self.one_of[0]}: {NOBODY}")
        if self.currency:
            cells.setdefault("currency", self.currency)
        if self.kind == ORDERS:
            settle_order(cells, reading)
        return Translated((Record(self.kind, cells),), notes=tuple(reading.notes))
