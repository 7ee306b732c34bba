"""What a table file is made of, whatever its kind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.errors import UnreadableFileError

CSV, PARQUET, XLSX = "csv", "parquet", "xlsx"
MOST_COLUMNS = 300
MOST_SURPLUS = 20
LONGEST_FIELD = 100_000
TORN = gettext_noop("more or fewer cells than the header has")
INVISIBLE = dict.fromkeys(map(ord, "\0\ufeff\u200b\u200e\u200f"))


def long_cell() -> UnreadableFileError:
    """Return the refusal of a cell of such a length that it is none."""
    return UnreadableFileError(
        _(
            "A cell is longer than a hundred thousand characters; shorten it, or leave its column "
            "out of the file."
        )
    )


@dataclass(frozen=True)
class Layout:
    """How a file is written; its values are JSON.

    ``names`` are all different: of columns of one name the second is “name (2)”, and ``doubled``
    lists such names. ``first_byte`` is where the rows begin; ``sheet`` and ``head`` are the part
    of a workbook and the length of what stands before its rows.
    """

    names: list[str]
    encoding: str = ""
    delimiter: str = ""
    first_byte: int = 0
    kind: str = CSV
    doubled: list[str] = field(default_factory=list)
    sheet: str = ""
    head: int = 0


@dataclass(frozen=True)
class RawRow:
    """A row as it stood in the file: number from 1, cells by header; ``reason`` when torn.

    ``end`` is the byte behind it in a CSV file or a sheet, from which reading can go on.
    """

    number: int
    cells: dict[str, str]
    reason: str = ""
    end: int = 0


def name_columns(cells: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the names of a header's columns, each its own, and which stood there twice.

    Raises UnreadableFileError when there are none or too many.
    """
    names = [" ".join(cell.translate(INVISIBLE).split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFileError(
            _("The file has no header row: its first line must name columns.")
        )
    if len(names) > MOST_COLUMNS:
        raise UnreadableFileError(
            _("The file has %(count)d columns; %(most)d is the most.")
            % {"count": len(names), "most": MOST_COLUMNS}
        )
    seen: Counter[str] = Counter()
    unique: list[str] = []
    for place, name in enumerate(names, 1):
        name = name[:200] or f"column {place}"  # noqa: PLW2901 - a column without a name gets one
        seen[name] += 1
        unique.append(name if seen[name] == 1 else _free(name, seen[name], {*names, *unique}))
    return unique, sorted(name for name, times in seen.items() if times > 1)


def _free(name: str, times: int, taken: set[str]) -> str:
    while f"{name} ({times})" in taken:
        times += 1
    return f"{name} ({times})"


def name_cells(names: list[str], cells: list[str]) -> tuple[dict[str, str], str]:
    """Return a row's cells by column, and TORN when there are more or fewer than columns.

    Empty cells behind the last column are what spreadsheets add, and no tear.
    """
    named = dict(zip(names, cells, strict=False))
    surplus = cells[len(names) :]
    if len(cells) < len(names) or any(cell.strip() for cell in surplus):
        extra = {f"({place})": cell for place, cell in enumerate(surplus[:MOST_SURPLUS], 1)}
        return named | extra, TORN
    return named, ""
