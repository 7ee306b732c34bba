"""What turns the rows of a file into rows of the staging table."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from customers.connectors.tables import RawRow

Columns = tuple[Any, ...]
"""The columns of ImportRow from ``kind`` on, in the order that staging copies them."""


class Stager(Protocol):
    """Turns one row of the file into rows of the staging table, in the file's order."""

    @property
    def state(self) -> dict[str, Any]:
        """What the next row needs of those before it: JSON, kept with the resume point."""

    def __call__(self, row: RawRow) -> Iterable[Columns]: ...


class OneByOne:
    """A stager of rows that stand alone: one in, one out, nothing remembered."""

    def __init__(self, to_columns: Callable[[RawRow], Columns]) -> None:
        self._to_columns = to_columns
        self.state: dict[str, Any] = {}

    def __call__(self, row: RawRow) -> Iterable[Columns]:
        return (self._to_columns(row),)
