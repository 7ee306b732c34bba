"""Any other file: a mapping by hand, kept as JSON, guessed from names and cells."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.connectors import huike, presets
from customers.connectors.presets import KINDS, MappedFile, Mapping, suggest
from customers.connectors.presets.kinds import ONE_OF, required, target
from customers.connectors.tables import RawRow
from customers.connectors.values import Rules
from customers.connectors.values.rules import DATE_ORDERS
from customers.errors import InvalidMappingError
from customers.selectors.column_words import COLUMNS
from tests.customers.connectors.files import records

QUIET = settings(deadline=None, max_examples=60)
ORDERS = {
    "kind": "orders",
    "columns": {"order_id": "No", "placed_at": "When", "total": "Sum", "phone": "Mobile"},
    "rules": {"date_order": "dmy", "decimal_mark": ",", "zone": "Europe/Berlin", "currency": "EUR"},
}


def test_a_row_by_a_mapping():
    mapping = Mapping.from_json(ORDERS)
    translate = MappedFile(mapping).translator(["no", "WHEN ", "sum", "Mobile", "x"])

    row = RawRow(
        1, {"no": "7", "WHEN ": "03/04/2026 8:05", "sum": "1.234,50", "Mobile": "138****8"}
    )
    found = translate(row)

    assert found.records[0].kind == "orders"
    assert found.records[0].cells == {
        "order_id": "7",
        "placed_at": "2026-04-03 08:05:00+02:00",
        "total": "1234.50",
        "currency": "EUR",
    }
    assert found.notes == ("phone: masked: many people share it, so it is no key",)
    assert translate(RawRow(2, {"no": "", "WHEN ": "", "sum": ""})).reason == "order_id: empty"
    assert translate(RawRow(3, {}, reason="torn")).reason == "torn"


def test_mapped_orders_are_cancelled_and_refunded_though_the_file_does_not_say_when():
    columns = {**ORDERS["columns"], "status": "State", "refunded_amount": "Back"}
    translate = MappedFile(Mapping.from_json(ORDERS | {"columns": columns})).translator(
        list(columns.values())
    )
    row = {"No": "7", "When": "03/04/2026 8:05", "Sum": "9,00"}
    placed = "2026-04-03 08:05:00+02:00"

    cancelled = translate(RawRow(1, row | {"State": "cancelled", "Back": "0,00"}))
    returned = translate(RawRow(2, row | {"State": "paid", "Back": "9,00"}))

    assert cancelled.records[0].cells["cancelled_at"] == placed
    assert returned.records[0].cells["refunded_at"] == placed
    unknown = "the file does not say when; the order's last known time is taken"
    assert cancelled.notes == (f"cancelled_at: {unknown}",)
    assert returned.notes == (f"refunded_at: {unknown}",)


@pytest.mark.parametrize("error", ["#DIV/0!", "#REF!", "#name?", "#VALUE!", "#NUM!", "########"])
def test_a_spreadsheets_error_is_nobodys_key_and_no_name(error):
    translate = MappedFile(Mapping.from_json(ORDERS)).translator(["No", "When", "Sum", "Mobile"])
    row = {"No": "7", "When": "03/04/2026", "Sum": "1,5", "Mobile": "+8613800138000"}

    assert translate(RawRow(1, row)).reason == ""
    for column in row:
        found = translate(RawRow(2, row | {column: error}))
        assert found.records == ()
        assert found.reason == f"{column}: a spreadsheet's error; mend the cell and save again"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "pets"}, "no kind “pets”"),
        ({"columns": {"order_id": "No"}}, "Say which column holds placed_at, total"),
        ({"columns": {**ORDERS["columns"], "colour": "C"}}, "no columns colour"),
        ({"columns": {**ORDERS["columns"], "customer_id": "No"}}, "“No” cannot be two keys"),
        ({"columns": ["No"]}, "must be objects"),
        ({"rules": {"zone": "Mars"}}, "time zone"),
        ({"rules": {"colour": "red"}}, "unknown rules: colour"),
        ({"rules": {"yes": 7}}, "rules cannot be read"),
        ({"kind": "consents", "columns": {"channel": "a", "action": "b", "at": "c"}}, "Map one of"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_reasons(change, said):
    with pytest.raises(InvalidMappingError, match=said):
        Mapping.from_json(ORDERS | change)


def test_changed_headers_are_told_by_name():
    mapping = Mapping.from_json(ORDERS)

    assert mapping.problems(["No", "When", "Sum", "Mobile"]) == []
    assert mapping.problems(["No", "When", "Sum"]) == ["The file has no columns Mobile."]
    assert MappedFile(mapping).missing(["No", "When", "Sum"]) == (["Mobile"], 4)


@pytest.mark.parametrize("kind", ["customers", "orders", "lines"])
def test_the_kinds_columns_are_the_formats(kind):
    columns = {"customers": huike.CUSTOMERS, "orders": huike.ORDERS, "lines": huike.LINES}[kind]
    ours = {name: column.is_required for name, column in KINDS[kind].items()}

    ours.pop("customer_name", None)
    theirs = {name: column.is_required for name, column in columns.items()}
    theirs.pop("customer_name", None)
    assert ours == theirs


def test_customers_have_attributes_and_ids_of_others():
    columns = {"customer_id": "Id", "attribute:tier": "Tier", "messenger:wechat": "OpenID"}
    mapping = Mapping.from_json({"kind": "customers", "columns": columns})

    (record,) = (
        MappedFile(mapping)
        .translator(list(columns.values()))(
            RawRow(1, {"Id": "7.0", "Tier": "gold", "OpenID": "o-1"})
        )
        .records
    )

    assert record.cells == {"customer_id": "7", "attribute:tier": "gold", "messenger:wechat": "o-1"}
    assert target("orders", "attribute:tier") is None
    assert target("customers", "attribute:") is None


RULES = st.builds(
    Rules,
    date_order=st.sampled_from(DATE_ORDERS),
    decimal_mark=st.sampled_from(".,"),
    zone=st.sampled_from(["UTC", "Asia/Shanghai"]),
    currency=st.sampled_from(["", "EUR"]),
    region=st.sampled_from(["", "CN"]),
    yes=st.lists(st.text(min_size=1)).map(tuple),
    empty=st.lists(st.text()).map(tuple),
    statuses=st.dictionaries(st.text(), st.sampled_from(sorted(huike.STATUSES))).map(
        lambda words: tuple(sorted(words.items()))
    ),
)


@st.composite
def mappings(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    needed = [*required(kind), *ONE_OF.get(kind, ())[:1]]
    others = draw(st.lists(st.sampled_from(sorted(KINDS[kind]))))
    names = list(dict.fromkeys([*needed, *others]))
    theirs = draw(
        st.lists(st.text(min_size=1), min_size=len(names), max_size=len(names), unique=True)
    )
    return Mapping(kind, dict(zip(names, theirs, strict=True)), draw(RULES))


@QUIET
@given(mappings())
def test_a_mapping_survives_json(mapping):
    again = Mapping.from_json(json.loads(json.dumps(mapping.as_json())))

    assert again == mapping


@QUIET
@given(mappings(), st.lists(st.text()), st.booleans())
def test_any_row_is_translated_or_rejected(mapping, cells, is_torn):
    header = list(mapping.columns.values())
    row = RawRow(1, dict(zip(header, cells, strict=False)), reason="torn" if is_torn else "")

    found = MappedFile(mapping).translator(header)(row)

    assert bool(found.records) != bool(found.reason)


@pytest.mark.parametrize(
    ("samples", "kind", "columns"),
    [
        (
            {
                "单号": ["21", "22"],
                "下单时间": ["2026/3/1 8:05"],
                "买家手机号": ["13812345678", "186******05"],
                "实付金额": ["12.00"],
                "状态": ["交易成功"],
                "收货人": ["张三"],
                "备注": ["请快点"],
            },
            "orders",
            {
                "order_id": "单号",
                "placed_at": "下单时间",
                "phone": "买家手机号",
                "total": "实付金额",
                "status": "状态",
                "customer_name": "收货人",
            },
        ),
        (
            {
                "Order No.": ["A1"],
                "Date": ["13/02/2026"],
                "Kunde": ["ann@example.com"],
                "Grand Total": ["1.234,50 €"],
            },
            "orders",
            {
                "order_id": "Order No.",
                "placed_at": "Date",
                "email": "Kunde",
                "total": "Grand Total",
            },
        ),
        (
            {
                "ID": ["000000001"],
                "Purchase Date": ["Jul 01, 2026 4:00:00 PM"],
                "Bill-to Name": ["Ann Lee"],
                "Grand Total (Base)": ["$69.05"],
                "Status": ["complete"],
                "Customer Email": ["ann@example.com"],
                "Customer Name": ["Ann Lee"],
            },
            "orders",
            {
                "order_id": "ID",
                "placed_at": "Purchase Date",
                "total": "Grand Total (Base)",
                "status": "Status",
                "email": "Customer Email",
                "customer_name": "Customer Name",
            },
        ),
        (
            {"单号": ["X1"], "下单日期（北京）": ["2026-03-01"], "金额（元）": ["12.00"]},
            "orders",
            {"order_id": "单号", "placed_at": "下单日期（北京）", "total": "金额（元）"},
        ),
        (
            {"Member ID": ["7"], "Full Name": ["Ann"], "Mobile": [], "Birthday": ["1990-05-01"]},
            "customers",
            {
                "customer_id": "Member ID",
                "name": "Full Name",
                "phone": "Mobile",
                "birthday": "Birthday",
            },
        ),
        (
            {"Comment ID": ["1"], "Stars": ["5"], "Review": ["good"], "Date": ["2026-03-01"]},
            "reviews",
            {
                "review_id": "Comment ID",
                "rating": "Stars",
                "text": "Review",
                "written_at": "Date",
            },
        ),
        (
            {"SKU": ["A"], "Product": ["Mug"], "Price": ["1.50"], "Stock": ["3"], "Vendor": ["X"]},
            "products",
            {
                "sku": "SKU",
                "title": "Product",
                "price": "Price",
                "stock": "Stock",
                "brand": "Vendor",
            },
        ),
    ],
)
def test_a_mapping_is_guessed(samples, kind, columns):
    found = suggest(list(samples), samples)

    assert found.mapping.kind == kind
    assert found.mapping.columns == columns
    assert found.mapping.problems(list(samples)) == []
    assert set(found.scores) == set(columns)
    assert all(0.4 < score <= 1 for score in found.scores.values())


def test_cells_decide_against_a_name():
    samples = {"order id": ["a1"], "date": ["2026-03-01"], "total": ["see notes", "none", "later"]}

    found = suggest(list(samples), samples, kind="orders")

    assert "total" not in found.mapping.columns
    assert found.mapping.problems() == ["Say which column holds total."]


@QUIET
@given(st.lists(st.text(max_size=20), max_size=8, unique=True), st.lists(st.text(max_size=20)))
def test_a_guess_can_be_made_of_anything(header, cells):
    found = suggest(header, dict.fromkeys(header, cells))

    assert set(found.mapping.columns.values()) <= set(header)
    json.dumps(found.mapping.as_json())


def test_a_file_with_a_row_per_item_gives_orders_and_lines():
    samples = {
        "Order No": ["7", "7", "8"],
        "Date": ["2026-03-31"] * 3,
        "Order Total": ["30.00", "30.00", "5.00"],
        "SKU": ["A", "A", "B"],
        "Qty": ["2", "1", "1"],
        "Price": ["10.00", "10.00", "5.00"],
    }
    rows = [
        RawRow(place, dict(zip(samples, cells, strict=True)))
        for place, cells in enumerate(zip(*samples.values(), strict=True))
    ]
    mapping = suggest(list(samples), samples, base=Rules(currency="EUR")).mapping
    preset = MappedFile(mapping)

    assert mapping.kind == "orders_with_lines"
    assert preset.kinds == ("orders", "lines")
    assert mapping.problems(list(samples)) == []
    state, found = None, []
    for row in rows:
        translator = preset.translator(list(samples), state=state)
        found.append(translator(row))
        state = json.loads(json.dumps(translator.state))
    assert [(o["order_id"], o["total"], o["currency"]) for o in records(found, "orders")] == [
        ("7", "30.00", "EUR"),
        ("8", "5.00", "EUR"),
    ]
    assert [(line["line_id"], line["quantity"]) for line in records(found, "lines")] == [
        ("A#1", "2"),
        ("A#2", "1"),
        ("B#1", "1"),
    ]


def test_every_preset_gives_kinds_that_there_are():
    for preset in presets.PRESETS.values():
        assert set(preset.kinds) <= set(KINDS)


def test_every_column_has_a_name_in_words():
    names = {name for kind in KINDS.values() for name in kind}
    assert names == set(COLUMNS)
