"""CSV and its encodings and dialects; what is no table; memory; going on in the middle."""

import itertools
import json
import random
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from customers.connectors import tables
from customers.connectors.tables.quotes import UNCLOSED
from customers.errors import UnreadableFileError
from tests.customers.connectors.files import DATA, cells, csv_text, read, write

SPECTRUM = sorted(path.stem for path in (DATA / "csv-spectrum").glob("*.csv"))


def test_all_cases_of_the_spectrum_are_there():
    assert len(SPECTRUM) == 11


@pytest.mark.parametrize("case", SPECTRUM)
def test_csv_spectrum(case, tmp_path):
    wanted = json.loads((DATA / "csv-spectrum" / f"{case}.json").read_text())
    content = (DATA / "csv-spectrum" / f"{case}.csv").read_bytes()
    if case.endswith("_crlf"):
        # The public copy lost the line ends that the case is about.
        content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    assert cells(write(tmp_path / "a.csv", content)) == wanted


@pytest.mark.parametrize(
    ("codec", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("gb18030", b"", "gb18030"),
    ],
)
def test_chinese_in_every_encoding(tmp_path, codec, mark, found):
    text = '订单编号,备注\r\n1,"第一行\n第二行"\r\n\r\n2,㐀中文\r\n'
    path = write(tmp_path / "a.csv", mark + text.encode(codec))

    layout, rows = read(path)

    assert layout.encoding == found
    assert layout.names == ["订单编号", "备注"]
    assert [row.cells["备注"] for row in rows] == ["第一行\n第二行", "㐀中文"]
    assert rows[-1].end == path.stat().st_size


@pytest.mark.parametrize(
    ("text", "codec", "found"),
    [
        ("name;total\nAndréa Müller;1.234,50 €\n", "cp1252", "cp1252"),
        ("name,city\nZoé,Köln\nJosé,Málaga\n", "latin-1", "cp1252"),
        ("name,x\n\x81b,é\n", "latin-1", "latin-1"),
    ],
)
def test_accented_letters_are_not_taken_for_chinese(tmp_path, text, codec, found):
    path = write(tmp_path / "a.csv", text.encode(codec))

    layout, rows = read(path)

    assert layout.encoding == found
    assert list(rows[0].cells.values()) == text.splitlines()[1].split(layout.delimiter)


@pytest.mark.parametrize(
    "rows",
    [
        [("客户,上海\n" * 40).encode("gb18030"), "客户,北京\n".encode() * 40],
        ["客户,北京\n".encode() * 500, ("客户,上海\n" * 500).encode("gb18030")],
        [("Zoé,Köln\n" * 40).encode("latin-1"), "Zoé,Köln\n".encode() * 40],
        ["客户,北京\n".encode() * 40, b"\xff\xfe\xfd,x\n"],
    ],
)
def test_two_encodings_in_one_file_are_refused_not_stored_as_nonsense(tmp_path, rows):
    path = write(tmp_path / "a.csv", b"name,city\n" + b"".join(rows))

    with pytest.raises(UnreadableFileError, match="Save it as CSV in UTF-8"):
        read(path)


def test_a_long_chinese_file_of_one_encoding_is_never_refused(tmp_path):
    """Chance pairs of GB18030 that look like UTF-8 are far fewer than what is refused."""
    common = range(0xB0, 0xF8), range(0xA1, 0xFE)
    signs = [bytes(pair).decode("gb2312", "ignore") for pair in itertools.product(*common)]
    random.Random(7).shuffle(signs)
    text = "".join(f"{a}{b}{c}{d},1\n" for a, b, c, d in zip(*[iter(signs * 20)] * 4, strict=False))
    path = write(tmp_path / "a.csv", f"名称,数\n{text}".encode("gb18030"))

    layout, rows = read(path)

    assert layout.encoding == "gb18030"
    assert rows[0].cells["名称"] == "".join(signs[:4])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_dialect(tmp_path, delimiter, end):
    rows = [["a", "b, c", 'say "d"'], ["1", "x;y|z\tw,v", "two\nlines"], ["2", "1,5", ""]]
    path = write(tmp_path / "a.csv", csv_text(*rows, delimiter=delimiter, end=end))

    layout, found = read(path)

    assert layout.delimiter == delimiter
    assert [list(row.cells.values()) for row in found] == rows[1:]
    assert layout.names == rows[0]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id;total\n1;1,50\n2;2,75\n", ";"),
        ('"id, no";total\n"1, a";1,5\n', ";"),
        ("sep=;\nid;total\n1;2\n", ";"),
        ("\n\nid,total\n1,2\n", ","),
        ("id,total,,,\n1,2,,,\n", ","),
    ],
)
def test_delimiters_by_shape_not_by_count(tmp_path, text, delimiter):
    layout, rows = read(write(tmp_path / "a.csv", text))

    assert layout.delimiter == delimiter
    assert len(layout.names) == 2
    assert not any(row.reason for row in rows)


def test_one_column_is_a_table_too(tmp_path):
    assert cells(write(tmp_path / "a.csv", "email\na@b.de\n")) == [{"email": "a@b.de"}]


def test_rows_that_are_torn_say_so_and_keep_their_cells(tmp_path):
    layout, rows = read(write(tmp_path / "a.csv", "a,b\n1\n1,2,3\n1,2\n1,2,,\n"))

    assert layout.names == ["a", "b"]
    assert [bool(row.reason) for row in rows] == [True, True, False, False]
    assert rows[1].cells == {"a": "1", "b": "2", "(1)": "3"}


BEGUN = [f"{n},Ann,Bath" for n in range(1, 4)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize(
    ("row", "behind"),
    [
        ('4,"Ann,Bath', []),
        ('4,"Ann,Bath', ["5,Bob,York", "6,Cy,Rome"]),
        ('4,"Ann,Bath', ["5,Bob,York", '6,"Cy, Jr",Rome', "7,Di,Oslo"]),
        ('4,"big TV,Bath', ['5,"TV,York', '6,"TV,Rome', "7,Cy,Rome"]),
        ('4,"Ann,Bath', [f"{n},Bob,York" for n in range(5, 8_000)]),
        ('4,"Ann,Bath', [f"{n},Bob,{'York' * 900}" for n in range(5, 200)]),
    ],
)
def test_a_mark_that_is_not_closed_rejects_its_row_alone(tmp_path, row, behind, codec, end):
    text = end.join(["id,name,city", *BEGUN, row, *behind, ""])
    path = write(tmp_path / "a.csv", text.encode(codec))

    layout, rows = read(path)

    opened = sum(line.count('"') == 1 and ',"' in line for line in [row, *behind])
    assert len(rows) == 4 + len(behind)
    assert [one.reason for one in rows if one.reason] == [UNCLOSED] * opened
    assert rows[3].cells["id"] == "4"
    assert rows[3].cells["city"].strip() == "Bath"
    assert rows[-1].cells["city"].strip() == [row, *behind][-1].rpartition(",")[2]
    for one in (rows[2], rows[3], rows[-1]):
        rest = list(tables.read_rows(path, layout, after=one.number, byte=one.end))
        assert rest[:50] == rows[one.number : one.number + 50]


@pytest.mark.parametrize(
    "cell",
    [
        "Dear Ann,\nthanks, and bye, Bob",
        "12 High Street, Flat 3\nBath, Somerset\nUK",
        "two of them:\n1, red\n2, blue\n3, green",
        "10, red\n20, blue",
        "\n\n5,Bob,York\n",
        'he said "no",\nshe said "yes", both left',
        "<table>\n" + '<tr><td class="a">1,5</td></tr>\n' * 2_000 + "</table>",
        "\n" * 3_000,
        "a, b, c\n" * 9,
        "sku;price\n1;2\n3;4",
        "4,",
        '"',
        '"\n"',
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_cells_of_several_lines_are_cells(tmp_path, cell, place):
    wanted = [[str(n), f"name {n}", "Bath"] for n in range(1, 6)]
    wanted[3][place] = cell
    text = csv_text(["id", "name", "city"], *wanted)

    _layout, rows = read(write(tmp_path / "a.csv", text))

    assert [row.reason for row in rows] == [""] * 5
    assert [list(row.cells.values()) for row in rows] == wanted


def test_rows_of_a_wide_table_are_seen_even_where_the_marks_are_in_order(tmp_path):
    rows = ["id,name,size,city,sum", '#1,"big TV,9,Bath,5', '#2,TV,24",York,7', "#3,TV,9,Rome,5"]

    _layout, found = read(write(tmp_path / "a.csv", "\n".join(rows)))

    assert [row.cells["id"] for row in found] == ["#1", "#2", "#3"]
    assert [row.reason for row in found] == [UNCLOSED, "", ""]


def test_a_cell_that_is_too_long_rejects_its_row_alone(tmp_path):
    rows = ["a,b", "1,x", f"2,{'x' * 100_001}", "3,x", f'4,"{"x" * 100_001}"', "5,x", ""]

    _layout, found = read(write(tmp_path / "a.csv", "\n".join(rows)))

    assert [row.cells["a"] for row in found] == ["1", "2", "3", "4", "5"]
    assert [bool(row.reason) for row in found] == [False, True, False, True, False]
    assert found[1].cells["b"].startswith("xxx")


def test_columns_of_one_name_keep_the_first_and_are_told(tmp_path):
    layout, rows = read(write(tmp_path / "a.csv", "a,b,a,a (2),,c\n1,2,3,4,5,6\n"))

    assert layout.names == ["a", "b", "a (3)", "a (2)", "column 5", "c"]
    assert layout.doubled == ["a"]
    assert rows[0].cells["a"] == "1"


def test_nul_signs_are_taken_out(tmp_path):
    assert cells(write(tmp_path / "a.csv", "a,b\n" + "1,x\0y\n" + "2,word\n" * 50))[0]["b"] == "xy"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b",,,\n\n", "header"),
        (",".join(f"c{n}" for n in range(301)).encode(), "301 columns"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "old format"),
        (b"\x1f\x8b\x08\0\0\0", "packed"),
        (b"Rar!\x1a\x07", "packed"),
        (b"\x89PNG\r\n", "picture"),
        (b"{\\rtf1 ", "text document"),
        (b"<html><body><table><tr><td>x", "web page"),
        ('\ufeff <TABLE border="1"><tr><td>订单编号'.encode(), "web page"),
        (b'<?xml version="1.0"?><html xmlns="">', "web page"),
        ("<meta charset=gb2312>".encode("utf-16"), "web page"),
        (b'<?xml version="1.0"?><Workbook>', "XML"),
        (b'[{"id": 1}]', "JSON"),
        (b"a,b\n" + b"\0" * 500, "NUL"),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xd8", "UTF-16"),
        (b'a,b\n1,2\n2,"' + b"x\n" * 60_000, "Behind row 1 .* quotation mark"),
        (b'"a,b\n1,2\n', "quotation mark in the first line"),
        (b"a,b\n" + b"1,2\n" * 70 + b"x" * 2_000_001, "Behind row 70 a line is longer"),
        (b"a,b\n" + b'"\n",' * 3_000_000, "quotation mark"),
        (b"PAR1 is all there is", "Parquet"),
    ],
)
def test_what_is_no_table_is_told_what_to_do(tmp_path, content, said):
    path = write(tmp_path / "a.xls", content)

    with pytest.raises(UnreadableFileError, match=said):
        read(path)


def test_a_line_without_end_is_refused_without_being_held(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,")
        for _piece in range(100):
            file.write(b"x" * 1_000_000)

    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError, match="two million bytes"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def peak_of(path):
    tracemalloc.start()
    try:
        for _row in tables.read_rows(path, tables.read_layout(path)):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(tmp_path):
    row = "订单,1234.50,2026-03-31 18:05:12," + "备注" * 20 + "\n"
    small = write(tmp_path / "a.csv", ("a,b,c,d\n" + row * 10_000).encode("gb18030"))
    large = write(tmp_path / "b.csv", ("a,b,c,d\n" + row * 60_000).encode("gb18030"))

    assert peak_of(large) < 1.2 * peak_of(small)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_reading_goes_on_behind_any_row(tmp_path, codec, end):
    rows = [["id", "注"], *([str(n), f"第{n}\n行, 😀"] for n in range(30))]
    path = write(tmp_path / "a.csv", csv_text(*rows, end=end).encode(codec))
    layout, found = read(path)

    for place, row in enumerate(found, 1):
        rest = list(tables.read_rows(path, layout, after=row.number, byte=row.end))
        assert rest == found[place:]


def test_a_layout_is_json(tmp_path):
    layout, rows = read(write(tmp_path / "a.csv", "a;b;a\n1;2;3\n"))

    again = tables.Layout(**json.loads(json.dumps(vars(layout))))

    assert again == layout
    assert list(tables.read_rows(tmp_path / "a.csv", again)) == rows


def test_parquet_gives_text_and_goes_on(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "id": [1.0, None, 3.5],
            "s": ["a\0b", None, "c"],
            "n": [1, 2, 3],
            "f": [0.1 + 0.2, 1e15, -0.0],
            "b": [True, False, None],
        }
    )
    pq.write_table(table, path, row_group_size=2)

    layout, rows = read(path)

    assert [row.cells for row in rows] == [
        {"id": "1", "s": "ab", "n": "1", "f": "0.3", "b": "true"},
        {"id": "", "s": "", "n": "2", "f": "1.00000000000000e+15", "b": "false"},
        {"id": "3.5", "s": "c", "n": "3", "f": "0", "b": ""},
    ]
    for place in (1, 2):
        assert list(tables.read_rows(path, layout, after=place)) == rows[place:]


def test_a_torn_parquet_file_is_refused_not_broken(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(5_000))}), path)
    content = path.read_bytes()

    for cut in (8, len(content) // 2, len(content) - 4):
        with pytest.raises(UnreadableFileError):
            read(write(tmp_path / "b.parquet", content[:cut]))


def test_a_long_text_that_parquet_repeats_is_refused_before_it_is(tmp_path):
    path = tmp_path / "a.parquet"
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), ["x" * 1_000_000])
    pq.write_table(pa.table({"id": list(range(50_000)), "text": long}), path)

    with pytest.raises(UnreadableFileError, match="hundred thousand characters"):
        read(path)
    assert path.stat().st_size < 2_000_000
