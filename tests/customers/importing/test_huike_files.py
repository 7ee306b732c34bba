"""Huike's own files: customers, orders and lines, each read twice without harm."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from customers.connectors import huike
from customers.enums import (
    AttributeType,
    Channel,
    ConsentAction,
    IdentityKind,
    ImportFormat,
    LineKind,
    OrderStatus,
    RefundKind,
    SurveyMetric,
    TicketState,
)
from customers.errors import UnknownFormatError
from customers.models import (
    Attribute,
    Category,
    Consent,
    Customer,
    CustomerFacts,
    ExchangeRate,
    FactsMark,
    Identity,
    ImportBatch,
    Order,
    OrderLine,
    Product,
    Refund,
)
from customers.services.importing import formats
from customers.services.importing.huike import KINDS
from tests.customers.importing.files import bring, fates, rebuild_drift, rejects, start
from tests.factories import CustomerFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
PEOPLE = "customer_id,name,email,phone"
ORDERS = "order_id,customer_id,placed_at,total"
LINES = "order_id,line_id,sku,title,quantity,unit_price"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")


def snapshot():
    """Everything the files write, row by row."""
    tables = (Customer, Identity, Consent, Order, OrderLine, Product, Category, Refund)
    return [list(model.objects.order_by("pk").values()) for model in tables]


def test_the_connectors_words_are_the_records():
    assert frozenset(OrderStatus.values) == huike.STATUSES
    assert frozenset(LineKind.values) == huike.LINE_KINDS
    assert frozenset(ConsentAction.values) == huike.ACTIONS
    assert frozenset(RefundKind.values) == huike.REFUND_KINDS
    assert frozenset(SurveyMetric.values) == huike.METRICS
    assert frozenset(TicketState.values) == huike.TICKET_STATES
    assert frozenset(Channel.values) == huike.CHANNELS
    assert set(AttributeType.values) == set(huike.ATTRIBUTE_TYPES)
    assert set(huike.SCOPED_KINDS) < set(IdentityKind.values)


@pytest.mark.parametrize(
    ("header", "format"),
    [
        ("customer_id,email", ImportFormat.HUIKE_CUSTOMERS),
        ("Order ID,customer id,Placed At,total", ImportFormat.HUIKE_ORDERS),
        (LINES, ImportFormat.HUIKE_ORDER_LINES),
        (
            "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
            ImportFormat.ONLINE_RETAIL,
        ),
    ],
)
def test_a_file_is_recognised_by_its_header(header, format):
    assert start(header + "\n").format == format


@pytest.mark.parametrize("format", KINDS)
def test_no_header_of_one_kind_is_taken_for_another(format):
    columns = KINDS[format].columns

    for header in (list(columns), columns.required, [*columns.required, *columns]):
        assert formats.recognise(list(dict.fromkeys(header)), "") == format
    for extra in columns:
        assert formats.recognise(list(dict.fromkeys([*columns.required, extra])), "") == format


@pytest.mark.parametrize(
    ("header", "wanted", "says"),
    [
        ("customer_id,shoe size", "", "shoe size"),
        ("customer_id,attribute:vip", "", "vip"),
        ("order_id,total", "", "placed_at"),
        ("customer_id", "huike_orders", "order_id"),
        ("customer_id", "shopify", "huike_customers"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_what_to_do(header, wanted, says):
    with pytest.raises(UnknownFormatError) as refusal:
        start(header + "\n", format=wanted)

    assert says in refusal.value.message
    assert not ImportBatch.objects.exists()


def test_the_documentation_names_every_column():
    text = (Path(settings.BASE_DIR) / "docs" / "importing.md").read_text()
    tables = dict(part.partition("\n")[::2] for part in text.split("\n### "))
    for format, kind in KINDS.items():
        title = str(ImportFormat(format).label).removeprefix("Huike ").capitalize()
        told = {
            (name, "**`" in cell)
            for row in tables[title].splitlines()
            if row.startswith("| ") and "`" in row
            for cell in row.split("|")[1].split(",")
            for name in re.findall("`([a-z_]+)`", cell)
        }
        assert told == {(name, column.is_required) for name, column in kind.columns.items()}


def test_people_without_an_id_of_the_source_are_known_by_what_else_there_is():
    header = f"{PEOPLE},messenger:wechat"
    rows = (
        ",Ann,ann@example.com,,",
        ",Bea,,+8613812345678,",
        ",Cem,,,union-1",
        ",Dan,,,union-2",
        ",Eve,,,",
        ",Ann again,ANN@example.com,,",
        "k1,Fay,fay@example.com,,",
    )

    batch = bring(header, *rows)

    assert fates(batch) == (7, 5, 0, 0, 2)
    assert [row["reason"] for row in rejects(batch)] == [
        "customer_id: the same one stands again further down; the last row counts",
        "customer_id: empty",
    ]
    people = Customer.objects.order_by("pk").values_list("external_id", "name")
    assert list(people) == [
        (None, "Bea"), (None, "Cem"), (None, "Dan"), (None, "Ann again"), ("k1", "Fay"),
    ]  # fmt: skip
    held = snapshot()
    assert fates(bring(header, *rows)) == (7, 0, 0, 5, 2)
    assert fates(bring(header, ",,fay@example.com,,")) == (1, 0, 0, 1, 0)
    assert snapshot() == held


def test_what_guards_a_cell_in_the_error_file_comes_off_again():
    batch = bring(PEOPLE, "k1,=1+1,nobody,", "'=k2,'=text,ann@example.com,")
    assert fates(batch) == (2, 1, 0, 0, 1)
    assert Customer.objects.get().name == "=text"
    guarded = rejects(batch)[0]
    assert guarded["name"] == "'=1+1"
    # The columns stand as they did in the file, whatever order the database keeps.
    assert list(guarded) == [*PEOPLE.split(","), "row", "reason"]

    corrected = ",".join([guarded["customer_id"], guarded["name"], "bea@example.com", ""])
    assert fates(bring(PEOPLE, corrected)) == (1, 1, 0, 0, 0)
    assert Customer.objects.get(external_id="k1").name == "=1+1"


def test_customers_come_with_their_keys_consent_and_attributes():
    Attribute.objects.create(key="vip", label="VIP", type="boolean")
    Attribute.objects.create(key="size", label="Size", type="choice", choices=["S", "L"])
    batch = bring(
        "customer_id,name,email,phone,birthday,time_zone,attribute:vip,attribute:size,"
        "marketplace:taobao,consent_email,consent_at,consent_evidence",
        "k1,王小明, Ming@Example.com ,+8613812345678,1990-05-01,Asia/Shanghai,是,L,open-1,"
        "given,2026-03-01 10:00,signup form",
        "k2,Ann,,,,,no,,,,,",
    )

    assert fates(batch) == (2, 2, 0, 0, 0)
    ming = Customer.objects.get(external_id="k1")
    assert (ming.name, ming.email, ming.phone) == ("王小明", "ming@example.com", "+8613812345678")
    assert (ming.birthday, ming.zone) == (date(1990, 5, 1), "Asia/Shanghai")
    assert ming.attributes == {"vip": True, "size": "L"}
    assert set(ming.identities.values_list("issuer", "kind", "value")) == {
        ("shop", "external_id", "k1"),
        ("", "email", "ming@example.com"),
        ("", "phone", "+8613812345678"),
        ("taobao", "marketplace", "open-1"),
    }
    consent = ming.consents.get()
    assert (consent.channel, consent.action, consent.evidence) == ("email", "given", "signup form")
    assert consent.at == datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    assert Customer.objects.get(external_id="k2").attributes == {"vip": False}


def test_every_file_twice_changes_nothing():
    files = [
        [
            PEOPLE + ",consent_sms,consent_at,consent_evidence",
            "k1,Ann,ann@example.com,+4915112345678,given,2026-01-01,till",
        ],
        [ORDERS + ",refunded_amount,refunded_at", "1,k1,2026-01-02 10:00,90,5,2026-01-05"],
        [
            LINES + ",category,unit_cost,refunded_quantity,refunded_at",
            "1,1,A,Cup,3,30,Kitchen,12,1,2026-01-06",
        ],
    ]
    first = [bring(*rows) for rows in files]
    before = snapshot()
    assert rebuild_drift() == 0
    FactsMark.objects.all().delete()

    second = [bring(*rows) for rows in files]

    assert [fates(batch) for batch in first] == [(1, 1, 0, 0, 0)] * 3
    assert [fates(batch) for batch in second] == [(1, 0, 0, 1, 0)] * 3
    assert snapshot() == before
    assert not FactsMark.objects.exists()


def test_an_empty_cell_leaves_and_an_older_row_does_not_undo():
    bring(PEOPLE + ",updated_at", "k1,Ann,ann@example.com,,2026-03-02 10:00")

    batch = bring(
        "customer_id,name,city,updated_at",
        "k1,,Köln,2026-03-03 10:00",
    )
    older = bring("customer_id,name,updated_at", "k1,Anna,2026-03-01 10:00")

    assert (fates(batch), fates(older)) == ((1, 0, 1, 0, 0), (1, 0, 0, 1, 0))
    ann = Customer.objects.get()
    assert (ann.name, ann.email, ann.city) == ("Ann", "ann@example.com", "Köln")


def test_a_known_address_is_recognised_and_nobody_loses_one():
    known = CustomerFactory(email="ann@example.com")
    Identity.objects.create(customer=known, kind="email", value="ann@example.com")
    bring(PEOPLE, "k1,Ann,ann@example.com,")

    batch = bring(
        PEOPLE,
        "k2,Bob,ann@example.com,",
        "k3,Cid,new@example.com,",
        "k4,Dan,new@example.com,",
        "k5,Eve,***@example.com,",
        "k5,Eve,eve@example.com,",
        "k6,Fay,,12",
    )

    known.refresh_from_db()
    assert known.name == "Ann"
    assert set(known.identities.values_list("value", flat=True)) == {"ann@example.com", "k1"}
    assert fates(batch) == (6, 2, 0, 0, 4)
    assert [(row["customer_id"], row["reason"].partition(":")[0]) for row in rejects(batch)] == [
        ("k2", "customer_id"),
        ("k4", "email"),
        ("k5", "email"),
        ("k6", "phone"),
    ]
    assert Customer.objects.count() == 3


def test_a_spreadsheets_error_goes_back_and_makes_no_customer():
    batch = bring(
        "customer_id,name",
        "#REF!,Zoé",
        "k1,#DIV/0!",
        "k2,#N/A",
        "k3,#1 Fan",
        name="customers.csv",
    )

    assert fates(batch) == (4, 2, 0, 0, 2)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == ["customer_id", "name"]
    assert set(Customer.objects.values_list("name", flat=True)) == {"", "#1 Fan"}


def test_rows_that_contradict_themselves_go_back_with_the_column():
    batch = bring(
        ORDERS + ",status,cancelled_at,refunded_amount,refunded_at,currency,email",
        "1,k1,2026-01-02,1,cancelled,,,,,",
        "2,k1,2026-01-02,1,,,2,2026-01-03,,",
        "3,k1,2026-01-02,1,,,1,,,",
        '4,k1,2026-01-02,"1,50",,,,,,',
        "5,k1,tomorrow,1,,,,,,",
        "6,k1,2999-01-01,1,,,,,,",
        "7,k1,2026-01-02,1,,,,,euro,",
        "8,k1,2026-01-02,1,lost,,,,,",
        "9,k1,2026-01-02,-1,,,,,,",
        "10,k1,2026-01-02,1",
        "11,k1,2026-01-02,1,,,,,,",
        "11,k1,2026-01-02,2,,,,,,",
    )

    assert fates(batch) == (12, 1, 0, 0, 11)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == [
        "cancelled_at",
        "refunded_amount",
        "refunded_at",
        "total",
        "placed_at",
        "placed_at",
        "currency",
        "status",
        "total",
        "more or fewer cells than the header has",
        "order_id",
    ]
    assert Order.objects.get().total == 2


def test_orders_find_their_buyers_by_id_then_e_mail_then_phone():
    bring(
        "order_id,customer_id,email,phone,placed_at,total",
        "1,,ann@example.com,,2026-01-02,10",
        "2,,ann@example.com,+4915112345678,2026-01-03,10",
        "3,,,+4915112345678,2026-01-04,10",
        "4,k1,ann@example.com,,2026-01-05,10",
        "5,k2,bob@example.com,,2026-01-06,10",
        "6,,,,2026-01-07,10",
    )

    by_order = {o.external_id: o.customer for o in Order.objects.select_related("customer")}
    ann, bob = by_order["1"], by_order["5"]
    assert by_order == {"1": ann, "2": ann, "3": ann, "4": ann, "5": bob, "6": None}
    assert (ann.email, ann.phone) == ("ann@example.com", "+4915112345678")
    assert (bob.email, bob.external_id) == ("bob@example.com", "k2")
    assert Customer.objects.count() == 2
    assert rebuild_drift() == 0
    assert CustomerFacts.objects.get(customer=ann).total_spend == 40


def test_an_orders_name_is_for_a_buyer_who_is_new_with_it():
    bring("customer_id,name", "k1,Ann")

    batch = bring(
        "order_id,customer_id,customer_name,email,placed_at,total",
        "1,k1,Annie,,2026-01-02,10",
        "2,k2,Bob,,2026-01-02,10",
        "3,k2,Bobby,,2026-01-03,10",
        "4,,Cid,cid@example.com,2026-01-03,10",
        "5,k3,,,2026-01-03,10",
    )
    late = bring(
        "order_id,customer_id,customer_name,email,placed_at,total",
        "6,k3,Dan,,2026-01-04,10",
        "7,,Cidney,cid@example.com,2026-01-04,10",
    )

    assert (fates(batch), fates(late)) == ((5, 5, 0, 0, 0), (2, 2, 0, 0, 0))
    names = dict(Customer.objects.values_list("external_id", "name"))
    assert names == {"k1": "Ann", "k2": "Bob", "k3": "", None: "Cid"}


def test_an_amount_that_no_table_holds_rejects_its_row_alone():
    bring(ORDERS, "1,k1,2026-01-02,100")

    batch = bring(
        LINES,
        "1,1,A,Cup,1,10000000000",
        "1,2,A,Cup,2147483647,9999999999",
        "1,3,A,Cup,1,9999999999",
    )

    assert fates(batch) == (3, 1, 0, 0, 2)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == ["unit_price"] * 2
    assert OrderLine.objects.get().unit_price == 9999999999


def test_an_order_from_the_future_is_put_aside_and_one_of_a_clock_ahead_is_not():
    now = datetime.now(UTC)
    ahead, far = ((now + timedelta(minutes=minutes)).isoformat() for minutes in (3, 10))

    batch = bring(ORDERS, f"1,k1,{ahead},10", f"2,k1,{far},10")

    assert [order.external_id for order in Order.objects.all()] == ["1"]
    assert [row["reason"] for row in rejects(batch)] == ["placed_at: the time lies in the future"]


def test_an_order_in_another_currency_waits_for_its_rate():
    ExchangeRate.objects.create(
        currency="USD", shop_currency="CNY", day=date(2026, 1, 2), rate=Decimal("7.2")
    )
    bring(
        ORDERS + ",currency,refunded_amount,refunded_at",
        "1,k1,2026-01-02 08:00,10,USD,2.5,2026-01-09",
        "2,k1,2026-01-03 08:00,10,usd,,",
    )

    first, second = Order.objects.order_by("external_id")
    assert (first.total_shop, first.refunded_shop) == (Decimal(72), Decimal(18))
    assert (second.total_shop, second.exchange_rate, second.currency) == (None, None, "USD")
    assert rebuild_drift() == 0


def test_an_order_changes_hands_amount_and_state():
    bring(ORDERS + ",refunded_amount,refunded_at", "1,k1,2026-01-02,10,4,2026-01-05")
    rebuild_drift()

    batch = bring(
        ORDERS + ",status,cancelled_at,refunded_amount,refunded_at",
        "1,k2,2026-01-02,12,cancelled,2026-01-06,0,",
    )

    assert fates(batch) == (1, 0, 1, 0, 0)
    order = Order.objects.get()
    assert (order.customer.external_id, order.status, order.refunded) == ("k2", "cancelled", 0)
    assert (order.total, order.total_shop) == (12, 12)
    assert not Refund.objects.exists()
    assert rebuild_drift() == 0


def test_lines_give_goods_costs_and_what_came_back():
    bring(ORDERS, "1,k1,2026-01-02,100")

    batch = bring(
        LINES + ",kind,category,unit_cost,refunded_quantity,refunded_at",
        "1,1,A,Cup,3,30,,Kitchen,12.5,1,2026-01-06",
        "1,2,POST,Postage,1,15,charge,,,,",
        "1,3,VOUCHER,Voucher,1,-5,discount,,,,",
        "9,1,A,Cup,1,30,,,,,",
        "1,4,A,Cup,1,-30,,,,,",
        "1,5,A,Cup,1,30,,,,2,2026-01-06",
        "1,6,A,Cup,0,30,,,,,",
    )

    assert fates(batch) == (7, 3, 0, 0, 4)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == [
        "order_id",
        "unit_price",
        "refunded_quantity",
        "quantity",
    ]
    cup = Product.objects.get()
    assert (cup.sku, cup.category.name, cup.unit_cost) == ("A", "Kitchen", Decimal("12.5"))
    order = Order.objects.get()
    assert (order.total, order.refunded) == (100, 30)
    refund = Refund.objects.get()
    assert (refund.kind, refund.quantity, refund.amount, refund.line.sku) == ("return", 1, 30, "A")
    assert rebuild_drift() == 0
    facts = CustomerFacts.objects.get()
    assert (facts.total_spend, facts.item_count) == (70, 2)


def test_a_return_that_is_taken_back_is_no_return():
    bring(ORDERS, "1,k1,2026-01-02,100")
    head = LINES + ",refunded_quantity,refunded_at"
    bring(head, "1,1,A,Cup,3,30,2,2026-01-06")

    batch = bring(head, "1,1,A,Cup,3,30,0,")

    assert fates(batch) == (1, 0, 1, 0, 0)
    assert not Refund.objects.exists()
    assert Order.objects.get().refunded == 0
    assert OrderLine.objects.get().refunded_amount == 0
    assert rebuild_drift() == 0


def test_a_lines_order_may_be_cut_into_pages(monkeypatch):
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 2)
    bring(ORDERS, *[f"{n},k{n % 3},2026-01-0{n},10" for n in range(1, 8)])

    batch = bring(LINES, *[f"{n},{m},A{m},Cup,1,5" for n in range(1, 8) for m in (1, 2)])

    assert fates(batch) == (14, 14, 0, 0, 0)
    assert Customer.objects.count() == 3
    assert {order.lines.count() for order in Order.objects.all()} == {2}
