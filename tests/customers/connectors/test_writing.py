"""Files that are written: no cell acts as a formula, and each reads back as it was."""

import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.connectors import tables
from customers.connectors.tables.harmless import guard, unguard
from customers.connectors.tables.writing import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    WRITERS,
    Field,
    Part,
    UnwritableError,
    workbook,
)

FIELDS = [
    Field("id"),
    Field("text"),
    Field("amount", AMOUNT),
    Field("number", NUMBER),
    Field("count", COUNT),
    Field("flag", FLAG),
    Field("day", DAY),
    Field("at", INSTANT),
]
SHANGHAI = timezone(timedelta(hours=8))
AT = datetime(2026, 3, 31, 18, 5, 0, 123456, tzinfo=SHANGHAI)
HOSTILE = [
    "=1+1", "+49 30", "-2", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "'text",
    "=cmd|' /C calc'!A0", 'a,b;"c"\r\nd\te', "_x000D_", "_x005F_x000D_", "\x01\x1f\ufffe\uffff",
    "<b>&amp;</b>", "]]>",
    "🐉 明 \u202e", "—", "1e5", "007", " blank ",
]  # fmt: skip


def write(tmp_path, kind, *parts, fields=FIELDS):
    """Write a file of parts, each a list of rows."""
    writer, after, written = WRITERS[kind], 0, []
    for place, rows in enumerate(parts):
        path = tmp_path / f"{place}.part"
        count = writer.write_part(path, fields, rows, after)
        written.append(Part(path, count))
        after += count
    whole = tmp_path / f"whole.{kind}"
    writer.join(whole, fields, written)
    return whole


def read(path):
    layout = tables.read_layout(path)
    return [list(row.cells.values()) for row in tables.read_rows(path, layout)]


def row(id, text):
    return [id, text, Decimal("-1234.5000"), Decimal("0.1"), -7, False, date(1990, 5, 1), AT]


@pytest.mark.parametrize("kind", WRITERS)
def test_hostile_text_reads_back_as_it_was(kind, tmp_path):
    rows = [row(str(place), text) for place, text in enumerate(HOSTILE)]

    found = read(write(tmp_path, kind, rows[:5], rows[5:]))

    assert [cells[1] for cells in found] == HOSTILE
    assert [cells[0] for cells in found] == [str(place) for place in range(len(HOSTILE))]


def test_values_of_each_type_as_csv_has_them(tmp_path):
    path = write(tmp_path, "csv", [row("a", "=1"), ["b", *[None] * 7]])

    assert path.read_bytes() == (
        b"\xef\xbb\xbfid,text,amount,number,count,flag,day,at\r\n"
        b"a,'=1,-1234.50,0.10,-7,false,1990-05-01,2026-03-31T18:05:00.123456+08:00\r\n"
        b"b,,,,,,,\r\n"
    )


def test_a_workbook_has_no_formula_and_numbers_are_numbers(tmp_path):
    path = write(tmp_path, "xlsx", [row("a", "=1+1"), row("b", "-2")])

    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f" not in sheet
    assert 't="inlineStr"><is><t xml:space="preserve">=1+1</t>' in sheet
    assert '<c r="C2"><v>-1234.50</v></c>' in sheet
    assert '<c r="F2" t="b"><v>0</v></c>' in sheet


def test_a_number_that_a_spreadsheet_would_round_is_text(tmp_path):
    most, least = Decimal("99999999999.9999"), Decimal("999999999999.9999")
    fields = [Field("id"), Field("amount", AMOUNT)]

    path = write(tmp_path, "xlsx", [["a", most], ["b", least]], fields=fields)

    assert [cells[1] for cells in read(path)] == ["99999999999.9999", "999999999999.9999"]
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '<c r="B2"><v>' in sheet
    assert '<c r="B3" t="inlineStr">' in sheet


def test_parquet_has_types_and_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.connectors.tables.writing.parquet.GROUP_ROWS", 3)
    parts = [[row(f"{part}{place}", "x") for place in range(2)] for part in range(4)]

    path = write(tmp_path, "parquet", *parts)

    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [4, 4]
    assert file.schema_arrow.types == [
        pa.string(), pa.string(), pa.decimal128(20, 4), pa.float64(), pa.int64(), pa.bool_(),
        pa.date32(), pa.timestamp("us", tz="UTC"),
    ]  # fmt: skip
    assert file.read().to_pylist()[0]["at"] == AT.astimezone(UTC)


@pytest.mark.parametrize("kind", WRITERS)
def test_no_rows_are_a_header(kind, tmp_path):
    path = write(tmp_path, kind)

    assert tables.read_layout(path).names == [field.name for field in FIELDS]
    assert read(path) == []


def test_a_sheet_has_a_last_row_and_a_cell_a_last_sign(tmp_path):
    fields = [Field("id")]
    fits = "x" * workbook.LONGEST_CELL

    assert workbook.write_part(tmp_path / "a", fields, [["a"]], workbook.MOST_ROWS - 1) == 1
    with pytest.raises(UnwritableError, match="1048575 rows"):
        workbook.write_part(tmp_path / "b", fields, [["a"]], workbook.MOST_ROWS)
    assert workbook.write_part(tmp_path / "c", fields, [[fits]], 0) == 1
    with pytest.raises(UnwritableError, match="32767 signs"):
        workbook.write_part(tmp_path / "d", fields, [[fits + "x"]], 0)


@given(st.text())
def test_the_guard_is_taken_off_exactly(text):
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")


@given(st.text(alphabet="'=+-@\t\r a"))
def test_the_guard_is_taken_off_exactly_where_it_matters(text):
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")
