"""What staff see of a file before it is brought in: what it is, how it is read, what it lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.connectors import presets, tables
from customers.connectors.presets import KINDS, PRESETS, Preset
from customers.connectors.values import Explanation, Rules, unknown_statuses
from customers.enums import ImportFormat
from customers.models import ImportBatch
from customers.selectors.column_words import COLUMNS
from customers.selectors.shop import shop_settings

SHOWN_ROWS = 5
GUESSED_ROWS = 200
LONGEST_SAMPLE = 80
MOST_WORDS = 20
WITH_STATUS = ("orders", "orders_with_lines")
OWN_KEY = gettext_noop(
    "customer_id, the source's own id; else the e-mail address, else the phone number."
)
ONLINE_RETAIL_KEY = gettext_noop("CustomerID; rows without one are orders of guests.")


@dataclass(frozen=True)
class TargetRow:
    """A column of ours on the mapping screen: which of the file's holds it, and what that shows."""

    name: str
    label: Any
    is_required: bool
    chosen: str
    sample: str


@dataclass(frozen=True)
class Review:
    """A file as the review page shows it.

    ``mapping`` is what to start from, or what was chosen; ``targets`` its rows; ``explanations``
    say which rules were guessed and why; ``problems`` what keeps it from being brought in;
    ``strange_statuses`` are words for an order's state that nobody has told the meaning of.
    """

    layout: tables.Layout
    rows: list[dict[str, str]]
    label: str
    customer_key: str
    read: list[str]
    ignored: list[str]
    mapping: dict[str, Any]
    targets: list[TargetRow]
    rules: Rules
    explanations: tuple[Explanation, ...]
    problems: list[str]
    strange_statuses: list[str]

    @property
    def cells(self) -> list[list[str]]:
        """Return the shown rows, cell by cell in the header's order."""
        return [[row.get(name, "") for name in self.layout.names] for row in self.rows]


def review_import(batch: ImportBatch, *, kind: str = "") -> Review:
    """Read the first rows of a batch's file and say how they would be read.

    A ``kind`` asks for a mapping to that kind instead of the one that is chosen or fits best.
    Raises UnreadableFileError when the file cannot be read.
    """
    path = Path(batch.file.path)
    layout = tables.read_layout(path)
    first = [row.cells for row in islice(tables.read_rows(path, layout), GUESSED_ROWS)]
    samples = {name: [row.get(name, "") for row in first] for name in layout.names}
    preset = preset_of(batch)
    is_mapped = not batch.format or batch.format == ImportFormat.MAPPED or bool(kind)
    mapping, explanations = _mapping(batch, samples, kind) if is_mapped else ({}, ())
    read = layout.names if preset is None else preset.reads(layout.names)
    if is_mapped:
        read = list(mapping["columns"].values())
    return Review(
        layout=layout,
        rows=[_short(row) for row in first[:SHOWN_ROWS]],
        label=str(ImportFormat(batch.format).label) if batch.format else "",
        customer_key=_customer_key(batch, preset),
        read=read,
        ignored=[name for name in layout.names if name and name not in read],
        mapping=mapping,
        targets=_targets(mapping, samples) if is_mapped else [],
        rules=Rules.from_json(mapping["rules"]) if is_mapped else rules_of(preset, batch.options),
        explanations=explanations,
        problems=_problems(mapping, layout.names) if is_mapped else [],
        strange_statuses=_strange_statuses(mapping, samples) if is_mapped else [],
    )


def preset_of(batch: ImportBatch) -> Preset | None:
    """Return the preset by which a batch's file is read; None for Huike's own and unknown files."""
    if batch.format == ImportFormat.MAPPED:
        return presets.MappedFile(presets.Mapping.from_json(batch.mapping))
    return PRESETS.get(batch.format)


def rules_of(preset: Preset | None, options: Mapping[str, Any]) -> Rules:
    """Return by what rules a batch's cells are read: shop, platform, then what staff chose."""
    shop = shop_settings()
    base = Rules(zone=shop.zone, currency=shop.currency)
    if preset is not None:
        base = preset.rules(base)
    return Rules.from_json({**base.as_json(), **options.get("rules", {})})


def _mapping(
    batch: ImportBatch, samples: Mapping[str, list[str]], kind: str
) -> tuple[dict[str, Any], tuple[Explanation, ...]]:
    """Return the mapping to show: the chosen one, or the likeliest of a kind."""
    shop = shop_settings()
    if batch.mapping and kind in ("", batch.mapping["kind"]):
        return {"rules": {}, **batch.mapping}, ()
    base = Rules(zone=shop.zone, currency=shop.currency)
    found = presets.suggest(batch.header, samples, kind=kind if kind in KINDS else "", base=base)
    return found.mapping.as_json(), found.explanations


def _targets(mapping: Mapping[str, Any], samples: Mapping[str, list[str]]) -> list[TargetRow]:
    columns = mapping["columns"]
    return [
        TargetRow(
            name,
            COLUMNS.get(name, name),
            target.is_required,
            columns.get(name, ""),
            next((cell for cell in samples.get(columns.get(name, ""), []) if cell.strip()), "")[
                :LONGEST_SAMPLE
            ],
        )
        for name, target in KINDS[mapping["kind"]].items()
    ]


def _problems(mapping: Mapping[str, Any], header: list[str]) -> list[str]:
    given = presets.Mapping(mapping["kind"], mapping["columns"])
    return given.problems(header, words=COLUMNS)


def _strange_statuses(mapping: Mapping[str, Any], samples: Mapping[str, list[str]]) -> list[str]:
    """Return the words of the status column that no rule maps, a bounded number of them."""
    cells = samples.get(mapping["columns"].get("status", ""), [])
    if mapping["kind"] not in WITH_STATUS:
        return []
    return unknown_statuses(cells, Rules.from_json(mapping["rules"]))[:MOST_WORDS]


def _customer_key(batch: ImportBatch, preset: Preset | None) -> str:
    if preset is not None:
        return _(preset.customer_key)
    if batch.format == ImportFormat.ONLINE_RETAIL:
        return _(ONLINE_RETAIL_KEY)
    return _(OWN_KEY) if batch.format else ""


def _short(row: Mapping[str, str]) -> dict[str, str]:
    return {name: cell[:LONGEST_SAMPLE] for name, cell in row.items()}
