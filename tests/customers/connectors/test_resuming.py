"""Hostile bytes, and a translator made again in the middle of a file."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.connectors import presets, tables
from customers.connectors.tables import RawRow
from customers.connectors.values import Rules
from customers.errors import UnreadableFileError
from tests.customers.connectors.files import inline, sheet, workbook, write
from tests.customers.connectors.headers import (
    TAOBAO_ITEMS,
    TAOBAO_ORDERS,
    WOO,
    WOO_ITEMS,
    YOUZAN,
    header_of,
)

HEADERS = {
    "shopify_orders": header_of("orders_export_HEADER_ONLY.csv"),
    "shopify_customers": header_of("customers_export_current_HEADER_ONLY.csv"),
    "shopify_products": [
        "Handle",
        "Title",
        "Vendor",
        "Option1 Value",
        "Variant SKU",
        "Variant Price",
    ],
    "woocommerce_orders": [*WOO, *WOO_ITEMS, "line_items"],
    "woocommerce_customers": ["Name", "Username", "Sign Up", "Email"],
    "taobao_orders": TAOBAO_ORDERS,
    "taobao_items": TAOBAO_ITEMS,
    "youzan_orders": YOUZAN,
}
# Few values, so that rows of one order meet, and some rows are wrong.
CELLS = st.sampled_from(
    [*("", "", "1", "2", "#1", "A", "7.50", "yes", "a@b.de", "x*"), "交易成功", "2026-03-31 18:05"]
)
LENIENT = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_there_is_a_header_of_every_preset():
    assert set(HEADERS) == set(presets.PRESETS)


@pytest.mark.parametrize("key", sorted(HEADERS))
@LENIENT
@given(data=st.data())
def test_a_translator_made_again_at_any_row_goes_on_the_same(key, data):
    header, preset = HEADERS[key], presets.PRESETS[key]
    rows = [
        RawRow(number, dict(zip(header, row, strict=True)), "torn" if torn else "")
        for number, (row, torn) in enumerate(
            data.draw(
                st.lists(
                    st.tuples(
                        st.lists(CELLS, min_size=len(header), max_size=len(header)),
                        st.sampled_from([False, False, False, True]),
                    ),
                    max_size=6,
                )
            )
        )
    ]
    rules = preset.rules(Rules())
    whole = preset.translator(header, rules)
    wanted = [whole(row) for row in rows]

    again, state = [], None
    for row in rows:
        translator = preset.translator(header, rules, state=state)
        again.append(translator(row))
        state = json.loads(json.dumps(translator.state))

    assert again == wanted
    for found in wanted:
        assert not (found.reason and found.records)
        for record in found.records:
            assert record.kind in preset.kinds
            assert all(type(text) is str and text for text in record.cells.values())


def test_a_state_is_not_changed_by_who_goes_on_with_it():
    preset, header = presets.PRESETS["shopify_orders"], HEADERS["shopify_orders"]
    cells = {"Name": "#1", "Created at": "2026-03-31", "Total": "5", "Lineitem name": "A"}
    state = {"order": "#0", "is_rejected": True, "seen": {"B": 1}}
    kept = json.dumps(state)

    preset.translator(header, Rules(), state=state)(RawRow(1, cells))

    assert json.dumps(state) == kept


def read_all(path):
    """Return a file's rows, none when it is refused in words."""
    try:
        layout = tables.read_layout(path)
        return list(tables.read_rows(path, layout))
    except UnreadableFileError as error:
        return [] if str(error) else None


TEXTS = st.text("ab,;\t|\"'\r\n\0 =中é", max_size=200)
BYTES = (
    st.binary(max_size=300)
    | TEXTS.map(str.encode)
    | TEXTS.map(lambda text: b"\xff\xfe" + text.encode("utf-16-le"))
    | TEXTS.map(lambda text: text.encode("gb18030"))
    | st.binary(max_size=100).map(lambda rest: b"PK\x03\x04" + rest)
    | st.binary(max_size=100).map(lambda rest: b"PAR1" + rest + b"PAR1")
)


@LENIENT
@given(content=BYTES)
def test_any_bytes_are_rows_or_a_refusal(tmp_path, content):
    path = write(tmp_path / "a", content)
    rows = read_all(path)

    assert rows is not None
    if rows:
        layout = tables.read_layout(path)
        middle = rows[len(rows) // 2]
        rest = tables.read_rows(path, layout, after=middle.number, byte=middle.end)
        assert list(rest) == rows[middle.number :]
        assert all("\0" not in cell for row in rows for cell in row.cells.values())


@LENIENT
@given(data=st.data())
def test_a_bent_workbook_is_rows_or_a_refusal(tmp_path, data):
    path = workbook(
        tmp_path / "a.xlsx",
        sheet(inline("a", "b"), inline("1", "2"), '<c t="s"><v>0</v></c>'),
        strings="<si><t>x</t></si>",
        styles='<cellXfs><xf numFmtId="14"/></cellXfs>',
    )
    content = bytearray(path.read_bytes())
    for _change in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), len(content) // 2]))

    assert read_all(write(path, bytes(content[:cut]))) is not None


TAGS = "<row> </row> <c> <c/> </c> <v> </v> <is> </is> <t> </t> 1 x &amp; &x; <rPh> <!-- -->"
PIECES = st.sampled_from([*TAGS.split(), "<c t='s'>", "<c r='B1'>", "<sheetData>", "</sheetData>"])


@LENIENT
@given(pieces=st.lists(PIECES, max_size=20))
def test_a_sheet_of_any_tags_is_rows_or_a_refusal(tmp_path, pieces):
    text = sheet(inline("a", "b")).replace("</sheetData>", "".join(pieces) + "</sheetData>")

    path = workbook(tmp_path / "a.xlsx", text, strings="<si><t>x</t></si>")

    assert read_all(path) is not None
