"""XLSX, written as it streams: texts are inline strings, so that none is ever a formula.

The libraries write a sheet in one go and cannot go on behind a worker that died; here a part is a
piece of the sheet's XML.
"""

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext as _

from customers.connectors.tables.writing.fields import (
    NUMBERS,
    Field,
    Part,
    UnwritableError,
    Value,
    as_text,
)

MOST_ROWS = 1_048_575
LONGEST_CELL = 32_767
LONGEST_NUMBER = 15
MOST_SHEET = (2 << 30) - (1 << 20)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{SHEET}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/>'
    "</Relationships>",
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/>'
    '<name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    '</cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" '
    'xfId="0"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" '
    'builtinId="0"/></cellStyles></styleSheet>',
}
HEAD = (
    f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
    'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
TAIL = "</sheetData></worksheet>"
# “_x000D_” stands for a sign; a text that has such letters has its first sign written so, too.
LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_part(
    path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Value]], after: int
) -> int:
    """Write rows behind row ``after`` to a part and return how many.

    Raises UnwritableError for more rows or a longer text than a sheet may have.
    """
    numbers = [field.type in NUMBERS for field in fields]
    columns = [_letters(place) for place in range(len(fields))]
    number = after
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            number += 1
            if number > MOST_ROWS:
                raise too_many_rows()
            # The header is the sheet's first row.
            file.write("".join(_row(row, number + 1, columns, numbers)))
    return number - after


def join(path: Path, fields: Sequence[Field], parts: Sequence[Part]) -> None:
    """Write the workbook of a header and all parts; raises UnwritableError for too large ones."""
    if sum(part.path.stat().st_size for part in parts) > MOST_SHEET:
        raise UnwritableError(
            _("The sheet would be larger than a spreadsheet opens; choose CSV or Parquet.")
        )
    columns = [_letters(place) for place in range(len(fields))]
    header = _row([field.name for field in fields], 1, columns, [False] * len(fields))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in PARTS.items():
            archive.writestr(name, XML + content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write((HEAD + "".join(header)).encode())
            for part in parts:
                with part.path.open("rb") as rows:
                    shutil.copyfileobj(rows, sheet, 1 << 20)
            sheet.write(TAIL.encode())


def too_many_rows() -> UnwritableError:
    """Return the refusal of more rows than a sheet has."""
    return UnwritableError(
        _("A sheet of XLSX holds %(most)d rows; choose CSV or Parquet, or narrow the list.")
        % {"most": MOST_ROWS}
    )


def _row(
    row: Sequence[Value], number: int, columns: Sequence[str], numbers: Sequence[bool]
) -> Iterator[str]:
    yield f'<row r="{number}">'
    for value, column, is_number in zip(row, columns, numbers, strict=True):
        if value is None or value == "":
            continue
        place = f"{column}{number}"
        if isinstance(value, bool):
            yield f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        elif is_number and _is_exact(value):
            yield f'<c r="{place}"><v>{as_text(value)}</v></c>'
        else:
            text = escaped(as_text(value))
            yield f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    yield "</row>"


def escaped(text: str) -> str:
    """Return text as XML has it; raises UnwritableError when it is too long for a cell."""
    if len(text) > LONGEST_CELL:
        raise UnwritableError(
            _(
                "A text is longer than the %(most)d signs a cell of XLSX holds; choose CSV or "
                "Parquet."
            )
            % {"most": LONGEST_CELL}
        )
    text = LOOKS_ESCAPED.sub("_x005F_", text)
    return NOT_IN_XML.sub(_sign, text).translate(MARKUP)


def _sign(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


def _is_exact(value: Value) -> bool:
    """Tell whether a spreadsheet, which keeps fifteen digits, keeps this number as it is."""
    digits = Decimal(str(value)).normalize().as_tuple().digits
    return len(digits) <= LONGEST_NUMBER and abs(Decimal(str(value))) < 10**LONGEST_NUMBER


def _letters(place: int) -> str:
    """Return the letters of a column from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
