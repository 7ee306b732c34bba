"""Write the files that shops send, and read them through a preset."""

import csv
import io
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

from customers.connectors import huike, presets, tables
from customers.connectors.tables import RawRow

DATA = Path(__file__).parents[2] / "data" / "imports"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
FORMATS = {"customers": huike.CUSTOMERS, "orders": huike.ORDERS, "lines": huike.LINES}
READERS = huike.Readers(zone=ZoneInfo("UTC"), email=str, phone=str)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_text(*rows, delimiter=",", end="\r\n"):
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if end == "\r" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def read(path):
    """Return a file's layout and rows."""
    layout = tables.read_layout(path)
    return layout, list(tables.read_rows(path, layout))


def cells(path):
    return [row.cells for row in read(path)[1]]


def translate(path, key="", base=None):
    """Read a file through the preset it is recognised by; return what became of each row."""
    layout, rows = read(path)
    preset = presets.PRESETS[key] if key else presets.recognise(layout.names)
    translator = preset.translator(layout.names, preset.rules(base))
    return preset, [translator(row) for row in rows]


def records(translated, kind=""):
    """Return the cells of all records of a kind; each is a row that Huike's own formats accept."""
    found = [record for row in translated for record in row.records]
    for record in found:
        if columns := FORMATS.get(record.kind):
            parsed = huike.parser(record.cells, columns, READERS)(RawRow(1, record.cells))
            assert parsed.reason == ""
    return [record.cells for record in found if kind in ("", record.kind)]


def sheet(*rows):
    """Return a sheet's XML; a row is the text of its cells' tags."""
    lines = "".join(f'<row r="{place}">{row}</row>' for place, row in enumerate(rows, 1))
    return f'<?xml version="1.0"?><worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>'


def inline(*texts):
    """Return cells with text in them."""
    return "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)


def workbook(path, *sheets, strings="", styles="", book="", **parts):
    """Write an .xlsx by hand; ``parts`` replaces or adds parts by name."""
    names = "".join(
        f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, len(sheets) + 1)
    )
    targets = "".join(
        f'<Relationship Id="rId{n}" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    written = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}">{book}<sheets>{names}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>",
        **{f"xl/worksheets/sheet{n}.xml": text for n, text in enumerate(sheets, 1)},
    }
    if strings:
        written["xl/sharedStrings.xml"] = f"<sst {MAIN}>{strings}</sst>"
    if styles:
        written["xl/styles.xml"] = f"<styleSheet {MAIN}>{styles}</styleSheet>"
    written |= parts.get("parts", {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in written.items():
            archive.writestr(name, text)
    return path
