"""The small parts of a workbook: its sheets, the styles of dates, the day days begin at."""

import posixpath
import re
from dataclasses import dataclass, field

from customers.connectors.tables.xlsx.package import Package, damaged
from customers.connectors.tables.xlsx.xml import Parser

MOST_PART = 32 << 20
MOST_STYLES = 70_000
HIDDEN = ("hidden", "veryHidden")
DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
# What a number format shows as it stands: quoted text, colours, escaped and padding signs.
LITERAL = re.compile(r'"[^"]*"|\[(?!(?:h+|m+|s+)\])[^\]]*\]|\\.|[_*].', re.IGNORECASE)
DATE_SIGN = re.compile(r"[dmyhs]", re.IGNORECASE)


@dataclass
class Workbook:
    """Sheets as names of parts, those that are shown first."""

    sheets: list[str] = field(default_factory=list)
    date_styles: set[int] = field(default_factory=set)
    is_1904: bool = False


def read_workbook(package: Package) -> Workbook:
    """Read what is needed to read the sheets."""
    workbook = Workbook()
    targets: dict[str, str] = {}
    shown: list[str] = []
    hidden: list[str] = []

    def on_relation(name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("TargetMode") != "External":
            targets[given.get("Id", "")] = given.get("Target", "")

    def on_workbook(name: str, given: dict[str, str]) -> None:
        if name == "workbookPr":
            workbook.is_1904 = given.get("date1904", "") in ("1", "true")
        elif name == "sheet":
            ids = (value for key, value in given.items() if key.endswith(":id"))
            (hidden if given.get("state") in HIDDEN else shown).append(next(ids, ""))

    relations = "xl/_rels/workbook.xml.rels"
    if relations not in package.parts:
        raise damaged()
    Parser(on_relation, _nothing).run(package.pieces(relations, most=MOST_PART))
    Parser(on_workbook, _nothing).run(package.pieces("xl/workbook.xml", most=MOST_PART))
    parts = [_part(targets.get(name, "")) for name in (*shown, *hidden)]
    workbook.sheets = [part for part in parts if part in package.parts]
    workbook.date_styles = _date_styles(package)
    return workbook


def is_date_format(code: str) -> bool:
    """Tell whether a number format shows a day or a time."""
    shown = LITERAL.sub("", code.partition(";")[0])
    return shown.lower() != "general" and bool(DATE_SIGN.search(shown))


def _nothing(_name: str) -> None:
    pass


def _part(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _date_styles(package: Package) -> set[int]:
    formats: dict[str, bool] = {}
    styles: list[bool] = []
    within: list[str] = []

    def on_start(name: str, given: dict[str, str]) -> None:
        if name == "numFmt" and len(formats) < MOST_STYLES:
            formats[given.get("numFmtId", "")] = is_date_format(given.get("formatCode", ""))
        elif name == "xf" and within[-1:] == ["cellXfs"] and len(styles) < MOST_STYLES:
            number = given.get("numFmtId", "0")
            known = number.isdigit() and len(number) < 4 and int(number) in DATES
            styles.append(formats.get(number, known))
        if name in ("cellXfs", "cellStyleXfs", "dxfs"):
            within.append(name)

    def on_end(name: str) -> None:
        if within and within[-1] == name:
            within.pop()

    if "xl/styles.xml" in package.parts:
        Parser(on_start, on_end).run(package.pieces("xl/styles.xml", most=MOST_PART))
    return {place for place, is_date in enumerate(styles) if is_date}
