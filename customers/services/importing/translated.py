"""Files of other systems: each row becomes records of Huike's own kinds, written as those are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.connectors.presets import (
    CONSENTS,
    CUSTOMERS,
    MappedFile,
    Mapping,
    Preset,
    Translator,
)
from customers.connectors.tables import RawRow
from customers.models import ImportBatch
from customers.selectors.import_review import rules_of
from customers.services.importing import huike, rejects
from customers.services.importing.allowing import Declared
from customers.services.importing.counts import Counts
from customers.services.importing.format import Columns, Format, MakeStager
from customers.services.importing.huike.kind import TABLES, Kind, original_of

KINDS = {kind.name: kind for kind in huike.KINDS.values()}
"""The kinds of records; each comes after those it may point at."""
# A row's own fate is the most that happened to any of its records; one without is unchanged.
FATES = """
    SELECT coalesce(sum((fate = 4)::int), 0), coalesce(sum((fate = 3)::int), 0),
        coalesce(sum((fate = 2)::int), 0)
    FROM (
        SELECT max(CASE WHEN reason <> '' THEN 4 WHEN fate = 'c' THEN 3 WHEN fate = 'u' THEN 2
            ELSE 1 END) AS fate
        FROM customers_importrow WHERE batch_id = %(batch)s GROUP BY row_number
    ) rows
"""


def format_of(preset: Preset) -> Format:
    """Return how the files of a preset are read and written."""
    kinds = [KINDS[name] for name in _written(preset.kinds)]
    steps: list[tuple[str, Any]] = []
    for kind in kinds:
        steps.append((f"prepare {kind.name}", kind.prepare))
        steps.append((f"write {kind.name}", partial(kind.write, is_shared=len(kinds) > 1)))
    return Format(
        missing=preset.missing,
        check=lambda header: None,
        stager=_stager_of(preset, kinds),
        steps=(*steps, ("conclude", partial(_conclude, is_shared=len(kinds) > 1))),
    )


def format_of_mapping(mapping: dict[str, Any]) -> Format:
    """Return how a file is read whose columns a person mapped."""
    return format_of(MappedFile(Mapping.from_json(mapping)))


def _written(names: Sequence[str]) -> list[str]:
    """Return the kinds that are written, in order; what customers allow goes with them."""
    return [
        name for name in KINDS if name in names and not (name == CONSENTS and CUSTOMERS in names)
    ]


class _Translated:
    """A stager that translates each row and reads the records as Huike's own files are read."""

    def __init__(
        self, translator: Translator, kinds: Sequence[Kind], batch: ImportBatch, latest: datetime
    ) -> None:
        self._translator = translator
        self._consent = Declared(batch.options.get("consent", {}), latest)
        self._readers = {kind.name: kind.reader(kind.columns, latest) for kind in kinds}
        # A row that cannot be read is told as one of its last kind: that is what it adds.
        self._last = kinds[-1].name
        self.remarks: Counter[str] = Counter()

    @property
    def state(self) -> dict[str, Any]:
        return self._translator.state

    def __call__(self, row: RawRow) -> Iterable[Columns]:
        found = self._translator(row)
        self.remarks.update(found.notes)
        if found.reason:
            yield _rejected(self._last, row, found.reason)
        original = original_of(row.cells)
        for record in self._consent.join(found.records, self.remarks):
            read = self._readers[record.kind]
            yield read(RawRow(row.number, record.cells), original)
            original = "{}"


def _stager_of(preset: Preset, kinds: Sequence[Kind]) -> MakeStager:
    def stager(
        batch: ImportBatch, header: list[str], latest: datetime, state: dict[str, Any]
    ) -> _Translated:
        rules = rules_of(preset, batch.options)
        translator = preset.translator(header, rules, state=state or None)
        return _Translated(translator, kinds, batch, latest)

    return stager


def _rejected(kind: str, row: RawRow, reason: str) -> Columns:
    return (kind, original_of(row.cells), reason[:200], *("", "", ""), *(None, None, None),
            *("", "", False), "{}")  # fmt: skip


def _conclude(
    run: JobRun, batch: ImportBatch, _after: object, counts: Counts, is_shared: bool
) -> None:
    """Tell each row's own fate, then store counts and error file."""
    if is_shared:
        with connection.cursor() as cursor:
            cursor.execute(FATES, {"batch": batch.pk})
            counts.rejected, counts.created, counts.updated = cursor.fetchone()
        counts.unchanged = counts.total - counts.rejected - counts.created - counts.updated
    else:
        # A row tells of one record or, like one of a picture only, of none.
        counts.unchanged += counts.total - counts.records
    run.save(step=gettext_noop("Closing the books"))
    told = {"kinds": counts.kinds, "remarks": counts.remarks}
    audit = {"lines": counts.total, **counts.notes, **told}
    rejects.close(run, batch, counts, audit, TABLES)
