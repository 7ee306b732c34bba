"""Workbooks: what cells hold, going on in the middle, and what is built to harm."""

import struct
import tracemalloc
import zipfile

import pytest

from customers.connectors import tables
from customers.errors import UnreadableFileError
from tests.customers.connectors.files import MAIN, cells, inline, read, sheet, workbook

CHINESE = "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"
STYLES = (
    f'<numFmts><numFmt numFmtId="164" formatCode="{CHINESE}"/>'
    '<numFmt numFmtId="165" formatCode="#,##0.00 &quot;days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>'
)
STRINGS = (
    "<si><t>订单编号</t></si><si><r><t>two </t></r><r><t>runs</t></r>"
    '<rPh sb="0" eb="1"><t>よみ</t></rPh></si><si><t>a_x000D_b_x0000_</t></si>'
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v>3</v></c>", "3"),
        ("<c><v>3.0</v></c>", "3"),
        ("<c><v>1234567890123</v></c>", "1234567890123"),
        ("<c><v>0.30000000000000004</v></c>", "0.3"),
        ("<c><v>1.0000000000000001E-7</v></c>", "0.0000001"),
        ("<c><v>-12.5</v></c>", "-12.5"),
        ("<c><v>3.21456789012345E+18</v></c>", "3.21456789012345e+18"),
        ('<c s="1"><v>46112.7535</v></c>', "2026-03-31 18:05:02"),
        ('<c s="2"><v>46112</v></c>', "2026-03-31"),
        ('<c s="1"><v>0.5</v></c>', "12:00:00"),
        ('<c s="3"><v>46112</v></c>', "46112"),
        ('<c s="1"><v>99999999</v></c>', "99999999"),
        ('<c t="s"><v>1</v></c>', "two runs"),
        ('<c t="s"><v>2</v></c>', "a\rb"),
        ('<c t="b"><v>1</v></c>', "true"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="str"><f>CONCAT("a","b")</f><v>ab</v></c>', "ab"),
        ('<c><f>HYPERLINK("http://x.example")</f><v>7</v></c>', "7"),
        ("<c><f>1+1</f></c>", ""),
        ('<c t="inlineStr"><is><r><t>=1</t></r><r><t>+1</t></r></is></c>', "=1+1"),
    ],
)
def test_what_a_cell_holds(tmp_path, cell, text):
    path = workbook(
        tmp_path / "a.xlsx",
        sheet('<c t="s"><v>0</v></c>' + inline("other"), cell + inline("there")),
        strings=STRINGS,
        styles=STYLES,
    )

    assert cells(path) == [{"订单编号": text, "other": "there"}]


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path):
    rows = sheet(inline("day", "x"), '<c s="1"><v>44650</v></c>')

    path = workbook(tmp_path / "a.xlsx", rows, styles=STYLES, book='<workbookPr date1904="1"/>')

    assert cells(path)[0]["day"] == "2026-03-31"


def test_empty_sheets_titles_gaps_and_merged_cells_are_passed_over(tmp_path):
    title = '<c r="A1" t="inlineStr"><is><t>Report of March</t></is></c>'
    gap = '<c r="C5" t="inlineStr"><is><t>z</t></is></c>'
    rows = sheet(title, "", inline("a", "b", "c"), inline("1", "2", "3"), gap, "<c/><c/>")
    merged = rows.replace(
        "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:C1"/></mergeCells>'
    )

    layout, found = read(workbook(tmp_path / "a.xlsx", sheet(), merged))

    assert layout.names == ["a", "b", "c"]
    assert [row.cells for row in found] == [
        {"a": "1", "b": "2", "c": "3"},
        {"a": "", "b": "", "c": "z"},
    ]
    assert [row.number for row in found] == [1, 2]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_reading_goes_on_behind_any_row(tmp_path, prefix):
    rows = sheet(inline("id", "text"), *(inline(f"{n}", f"行 {n}") for n in range(40)))
    for name in ("worksheet", "sheetData", "row", "c", "is", "t"):
        rows = rows.replace(f"<{name} ", f"<{prefix}{name} ").replace(
            f"<{name}>", f"<{prefix}{name}>"
        )
        rows = rows.replace(f"</{name}>", f"</{prefix}{name}>")
    if prefix:
        rows = rows.replace("xmlns=", "xmlns:x=")
    path = workbook(tmp_path / "a.xlsx", rows)
    layout, found = read(path)

    assert len(found) == 40
    for place, row in enumerate(found, 1):
        rest = list(tables.read_rows(path, layout, after=row.number, byte=row.end))
        assert rest == found[place:]


def test_strings_and_rows_wait_on_disk_not_in_memory(tmp_path):
    def written(name, count):
        strings = "".join(
            f"<si><t>text number {n} that is nobody else's</t></si>" for n in range(count)
        )
        rows = [f'<c t="s"><v>{n}</v></c><c><v>{n}</v></c>' for n in range(count)]
        return workbook(tmp_path / name, sheet(inline("a", "b"), *rows), strings=strings)

    peaks = []
    for path in (written("a.xlsx", 4_000), written("b.xlsx", 40_000)):
        tracemalloc.start()
        rows = sum(1 for _row in tables.read_rows(path, tables.read_layout(path)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows in (4_000, 40_000)

    # Eight bytes a string, and the strings last looked up.
    assert peaks[1] - peaks[0] < 36_000 * 8 * 2 + 20_000 * 220


def harmful(tmp_path, **parts):
    return workbook(tmp_path / "a.xlsx", sheet(inline("a", "b"), inline("1", "2")), **parts)


def refused(path, said):
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError, match=said):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    refused(harmful(tmp_path, parts={"xl/media/bomb.xml": "0" * 30_000_000}), "far more")


def test_a_part_that_lies_about_its_size_is_no_bomb_either(tmp_path):
    path = harmful(tmp_path, parts={"xl/styles.xml": "<x>" + "0" * 3_000_000 + "</x>"})
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 3_000_007), struct.pack("<L", 100)))

    refused(path, "damaged")


def test_a_directory_of_a_million_parts_is_refused_unread(tmp_path):
    path = harmful(tmp_path)
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    path.write_bytes(
        content[: end + 8] + struct.pack("<HHL", 60_000, 60_000, 900_000_000) + content[end + 16 :]
    )

    refused(path, "far more")


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        (
            "xl/worksheets/sheet1.xml",
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>',
            "damaged",
        ),
        ("xl/worksheets/sheet1.xml", sheet(inline("a", "b"))[:-20], "damaged"),
        ("xl/worksheets/sheet1.xml", sheet(inline("a", "x" * 200_000)), "hundred thousand"),
        ("xl/worksheets/sheet1.xml", f'<worksheet a="{"x" * 3_000_000}">', "far more"),
        ("xl/worksheets/sheet1.xml", sheet('<c r="ZZZZ1"><v>1</v></c>'), "damaged"),
        ("xl/worksheets/sheet1.xml", sheet('<c t="s"><v>99</v></c><c><v>1</v></c>'), "damaged"),
        ("xl/worksheets/sheet1.xml", sheet(inline(*"a" * 301)), "300"),
        ("xl/worksheets/sheet1.xml", sheet(), "No sheet"),
        ("xl/_rels/workbook.xml.rels", "<Relationships/>", "No sheet"),
        ("xl/workbook.xml", "no xml", "damaged"),
    ],
)
def test_what_is_built_to_harm_is_refused(tmp_path, part, text, said):
    refused(harmful(tmp_path, parts={part: text}), said)


@pytest.mark.parametrize(
    ("name", "said"),
    [("xl/workbook.bin", "xlsb"), ("content.xml", "ods"), ("orders.csv", "packed")],
)
def test_other_archives_are_told_what_to_do(tmp_path, name, said):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "a,b")

    refused(path, said)


def test_a_sheet_may_have_a_name_space_of_its_own(tmp_path):
    strict = MAIN.replace("schemas.openxmlformats.org/spreadsheetml/2006", "purl.oclc.org/ooxml")
    rows = sheet(inline("a", "b"), inline("1", "2")).replace(MAIN, strict)

    assert cells(workbook(tmp_path / "a.xlsx", rows)) == [{"a": "1", "b": "2"}]
