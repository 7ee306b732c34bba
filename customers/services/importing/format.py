"""What a kind of file is: how it is known, how its rows are staged, what is done with them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from crm.core.services.jobs import JobRun
from customers.connectors.tables import RawRow
from customers.models import ImportBatch
from customers.services.importing.counts import Counts

Step = Callable[[JobRun, ImportBatch, Any, Counts], Any]
Columns = tuple[Any, ...]
"""The columns of ImportRow from ``kind`` on, in the order that staging copies them."""


class Stager(Protocol):
    """Turns one row of the file into rows of the staging table, in the file's order.

    ``remarks`` counts what was left empty though the file said something.
    """

    remarks: Counter[str]

    @property
    def state(self) -> dict[str, Any]:
        """What the next row needs of those before it: JSON, kept with the resume point."""

    def __call__(self, row: RawRow) -> Iterable[Columns]: ...


class OneByOne:
    """A stager of rows that stand alone: one in, one out, nothing remembered."""

    def __init__(self, to_columns: Callable[[RawRow], Columns]) -> None:
        self._to_columns = to_columns
        self.state: dict[str, Any] = {}
        self.remarks: Counter[str] = Counter()

    def __call__(self, row: RawRow) -> Iterable[Columns]:
        return (self._to_columns(row),)


MakeStager = Callable[[ImportBatch, list[str], datetime, dict[str, Any]], Stager]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    ``missing`` says which of how many columns a header lacks; ``check`` refuses it for other
    reasons; ``stager`` makes what turns rows into staging rows, from the state it was left in;
    ``steps`` follow the staging, by name and in order.
    """

    missing: Callable[[list[str]], tuple[list[str], int]]
    check: Callable[[list[str]], None]
    stager: MakeStager
    steps: tuple[tuple[str, Step], ...]
