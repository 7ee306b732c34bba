"""The same table gives the same record, whatever kind of file it is written in."""

import csv
import io
import re
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customers.connectors.tables.harmless import guard
from tests.customers.connectors.files import sheet, workbook
from tests.customers.importing import files
from tests.customers.importing.records import told_fates, told_record
from tests.factories import ShopSettingsFactory

EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days begin here, wherever it is
DIALECTS = [
    (delimiter, end, quoting)
    for delimiter in ",;\t|"
    for end in ("\n", "\r\n", "\r")
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    # Bare line ends of Macs in a cell without quotes end the row.
    if end != "\r" or quoting == csv.QUOTE_ALL
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "gb18030"]
# What no XML holds as it stands, and what would look like such a sign.
STRANGE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")

LETTERS = "ab1 0.,;|\t\n\"'=+-@<&_x中文客户订单"
# What is a number in a workbook has lost the zeros at its end.
WORDS = st.text(LETTERS, max_size=12).filter(lambda text: not re.fullmatch(r"-?\d+\.\d*0", text))
TEXT = WORDS | st.sampled_from(
    ["", "=cmd|'!A0", "'=1", "''", "two\r\nlines, and\n1,2", "_x000D_", "  wide  ", "#REF!", "n/a"]
)
KEY = st.sampled_from(
    ["c1", "c2", "7", "7.0", "0012", "123456789012345", "=1+1", "-5", "客户1", ""]
)
DAYS = ["2026-01-05", "2026-02-28", "1990-05-01", "2026-02-31", ""]
MOMENTS = st.sampled_from(
    ["2026-01-05", "2026-01-05 10:30", "2026-01-05T10:30:01", "2026-01-05 10:30:00+08:00", "soon"]
)
AMOUNT = st.sampled_from(
    ["0", "5", "12.5", "12.50", "0.1", "1234567.8901", "1e2", "-1", "dear", ""]
)
COUNT = st.sampled_from(["1", "2", "3.0", "0", "-1", "x", "12"])
FLAG = st.sampled_from(["true", "false", "yes", "", "maybe"])


def table(header, *columns):
    """Draw a table below a row that tells in which language it is."""
    row = st.tuples(*columns)
    return st.lists(row, min_size=1, max_size=6).map(lambda rows: (header.split(","), rows))


CUSTOMERS = table(
    "customer_id,name,city,email,phone,birthday,is_test,updated_at",
    *(KEY, TEXT, TEXT, st.sampled_from(["", "a@x.de", "B@x.de", "no"])),
    *(st.sampled_from(["", "+8613812345678", "12"]), st.sampled_from(DAYS), FLAG, MOMENTS),
)
ORDERS = table(
    "order_id,customer_id,customer_name,placed_at,total,charges,status,is_test",
    *(st.sampled_from(["o1", "o2", "1001", "#3", ""]), KEY, TEXT, MOMENTS, AMOUNT, AMOUNT),
    *(st.sampled_from(["paid", "", "shipped", "gone"]), FLAG),
)
LINES = table(
    "order_id,line_id,sku,title,quantity,unit_price,unit_cost",
    *(st.sampled_from(["k1", "k2", "k9"]), st.sampled_from(["1", "2", "a"]), KEY, TEXT),
    *(COUNT, AMOUNT, AMOUNT),
)
SHOPIFY = table(
    "Name,Email,Financial Status,Currency,Shipping,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Billing Name,Phone",
    st.sampled_from(["#1001", "#1002"]),
    st.sampled_from(["a@x.de", ""]),
    st.sampled_from(["paid", "", "refunded"]),
    st.sampled_from(["EUR", ""]),
    AMOUNT,
    AMOUNT,
    st.sampled_from(["2026-01-05 10:00:00 +0100", "2026-01-05 10:00", ""]),
    COUNT,
    TEXT,
    AMOUNT,
    KEY,
    TEXT,
    st.sampled_from(["", "'+4915112345678", "49151"]),
)
KNOWN = {
    "lines": [
        ("customer_id,name", "c1,Ann"),
        ("order_id,customer_id,placed_at,total", "k1,c1,2026-01-02,90", "k2,,2026-01-03,9"),
    ]
}
TABLES = {"customers": CUSTOMERS, "orders": ORDERS, "lines": LINES, "shopify": SHOPIFY}


def delimited(header, rows, dialect, codec):
    delimiter, end, quoting = dialect
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    # In a CSV file alone an apostrophe may guard a formula, so one of its own needs another.
    guarded = [[guard(cell) if cell[:1] == "'" else cell for cell in row] for row in rows]
    writer.writerows([header, *guarded])
    return text.getvalue().encode(codec)


def typed(cell):
    """Return what a spreadsheet or a data frame would make of a cell, where nothing is lost."""
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})", cell) and cell != "-0":
        return int(cell)
    if re.fullmatch(r"-?(0|[1-9]\d{0,9})\.\d{1,4}", cell) and not cell.endswith(".0"):
        return float(cell)
    if cell in ("true", "false"):
        return cell == "true"
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            moment = read(cell)
        except ValueError:
            continue
        return cell if isinstance(moment, datetime) and moment.tzinfo else moment
    return cell


def text_cell(text):
    written = STRANGE.sub(lambda sign: f"_x{ord(sign[0]):04X}_", escape(text))
    return (
        f'<c t="inlineStr"><is><t xml:space="preserve">{written}</t></is></c>' if text else "<c/>"
    )


def spreadsheet_cell(cell):
    value = typed(cell)
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, datetime):
        return f'<c s="1"><v>{(value - EPOCH).total_seconds() / 86_400!r}</v></c>'
    if isinstance(value, date):
        return f'<c s="1"><v>{(value - EPOCH.date()).days}</v></c>'
    return text_cell(cell)


def spread(header, rows, write):
    file = io.BytesIO()
    written = ["".join(map(write, row)) for row in rows]
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
    workbook(file, sheet("".join(map(text_cell, header)), *written), styles=styles)
    return file.getvalue()


def column(cells, *, is_typed):
    """Return a column of Parquet: of one type where all its cells are, else of text."""
    values = [typed(cell) if cell else None for cell in cells] if is_typed else list(cells)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
    elif len(kinds) > 1:
        values = list(cells)
    return pa.array(values)


def columnar(header, rows, *, is_typed):
    file = io.BytesIO()
    columns = [column(cells, is_typed=is_typed) for cells in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=header), file, row_group_size=2)
    return file.getvalue()


def decimals(cells):
    """Return cells as decimals where all are."""
    try:
        return pa.array([Decimal(cell) if cell else None for cell in cells])
    except (InvalidOperation, pa.ArrowInvalid):
        return pa.array(list(cells))


def exact(header, rows):
    file = io.BytesIO()
    amounts = ("total", "charges", "unit_price", "unit_cost", "Total", "Shipping")
    columns = [
        decimals(cells) if name in amounts else pa.array([cell.encode() for cell in cells])
        for name, cells in zip(header, zip(*rows, strict=True), strict=True)
    ]
    pq.write_table(pa.table(columns, names=header), file)
    return file.getvalue()


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def brought(kind, content):
    """Return what the record is once a file was brought into a shop."""
    with undone():
        ShopSettingsFactory(zone="Europe/Berlin", currency="EUR")
        for rows in KNOWN.get(kind, []):
            files.bring(*rows)
        batch = files.finish(files.start(content))
        assert (batch.state, batch.error) == ("finished", "")
        return told_fates(batch), told_record()


@pytest.mark.parametrize("kind", TABLES)
@settings(
    max_examples=10,
    deadline=None,
    # Seven imports an example: shrinking would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.django_db
def test_one_table_in_every_kind_of_file_gives_one_record(kind, data):
    header, rows = data.draw(TABLES[kind])
    codec = data.draw(st.sampled_from(ENCODINGS))
    if codec == "gb18030":
        # In a few signs without words nobody tells Chinese from anything else.
        rows[0] = tuple("上海客户" if name in ("name", "title", "customer_name", "Billing Name")
                        else cell for name, cell in zip(header, rows[0], strict=True))  # fmt: skip
    wanted = brought(kind, delimited(header, rows, DIALECTS[0], "utf-8"))

    others = {
        "csv": delimited(header, rows, data.draw(st.sampled_from(DIALECTS)), codec),
        "xlsx of text": spread(header, rows, text_cell),
        "xlsx": spread(header, rows, spreadsheet_cell),
        "parquet of text": columnar(header, rows, is_typed=False),
        "parquet": columnar(header, rows, is_typed=True),
        "parquet of decimals and bytes": exact(header, rows),
    }
    for name, content in others.items():
        assert (name, brought(kind, content)) == (name, wanted)
