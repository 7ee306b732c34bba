"""What was exported comes in again: the same record is unchanged, an empty one made whole."""

import pytest
from django.db import connection

from customers.models import (
    Attribute,
    Category,
    Consent,
    Customer,
    Identity,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    Source,
    SurveyResponse,
    Ticket,
)
from customers.selectors.exporting import KINDS
from tests.customers.exporting import files
from tests.customers.importing.files import bring, fates
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db
FORMATS = ("csv", "xlsx", "parquet")
# In an order in which each finds what it names.
ORDER = (
    "customers", "categories", "products", "orders", "lines", "refunds", "reviews", "answers",
    "tickets", "consents",
)  # fmt: skip
UNTOLD = {"id", "public_id", "created_at", "updated_at", "recorded_at"}
TABLES = (
    Customer, Identity, Consent, Category, Product, Order, OrderLine, Refund, Review,
    SurveyResponse, Ticket,
)  # fmt: skip


@pytest.fixture
def shop():
    """A shop with something hostile, foreign or empty in every corner."""
    settings = ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")
    Attribute.objects.create(key="vip", label="VIP", type="boolean")
    Attribute.objects.create(key="height", label="Height", type="number")
    Attribute.objects.create(key="size", label="Size", type="choice", choices=["S", "L"])
    Attribute.objects.create(key="since", label="Since", type="date")
    Attribute.objects.create(key="note", label="Note", type="text")
    bring(
        "customer_id,name,email,phone,country,city,language,time_zone,birthday,is_test,"
        "is_wholesale,consent_email,consent_sms,consent_at,consent_evidence,updated_at,"
        "attribute:vip,attribute:height,attribute:size,attribute:since,attribute:note,"
        "marketplace:taobao,messenger:wechat",
        'k1,"王小明 ""明"", 🐉",ming@example.com,+8613812345678,CN,上海,zh-hans,Asia/Shanghai,'
        "1990-05-01,false,true,given,given,2026-03-01T10:00:00.123456+01:00,signup form,"
        "2026-03-02 08:00,true,1.755,L,2020-02-29,=1+1,open-1,union-1",
        "k2,\"'=cmd|' /C calc'!A0\",ann@example.com,,,,,,,true,,withdrawn,,2026-03-03 09:30,"
        "-by phone,,false,-3,,,@SUM(A1),,",
        '00042,"-2+3\nsecond line",,+447700900123,GB,,,,,,,,,,,,,,,,,,',
    )
    bring(
        "category_id,name,parent_id",
        "c1,Clothes,",
        "c2,=Coats,c1",
    )
    bring(
        "sku,title,category,brand,price,currency,unit_cost,stock,is_active,updated_at",
        "S1,+Coat,c2,@Brand,120.5,CNY,60.1234,-4,true,2026-01-05 10:00",
        "S2,茶杯,c1,,8,EUR,,12,false,",
        "S3,,,,,,,,,",
    )
    bring(
        "order_id,customer_id,customer_name,email,phone,placed_at,status,currency,total,charges,"
        "shop_discount,platform_discount,tax,platform_fee,shipping_cost,deposit,deposit_paid_at,"
        "paid_at,promised_at,delivered_at,cancelled_at,refunded_amount,refunded_at,country,"
        "is_test,updated_at",
        "1001,k1,,,,2026-03-01 18:05,completed,,241,10,5,2.5,20,3.3333,7,50,2026-02-20 10:00,"
        "2026-03-01 18:06,2026-03-05 00:00,2026-03-06 12:00,,4.5,2026-03-09 10:00,CN,false,"
        "2026-03-07 10:00",
        "=1002,,Bea,bea@example.com,,2026-03-02 08:00,paid,,16,,,,,,,,,,,,,,,,,",
        "1003,k2,,,,2026-03-03 08:00,cancelled,EUR,8,,,,,,,,,,,,2026-03-03 09:00,,,,true,",
        "1004,,,,,2026-03-04 08:00:30.5,,,99999999999.9999,,,,,,,,,,,,,,,,,",
        "1005,,Cem,,+491701234567,2026-03-04 09:00,pending,,5,,,,,,,,,,,,,,,,,",
    )
    bring(
        "order_id,line_id,kind,sku,title,category,quantity,unit_price,amount,unit_cost,"
        "refunded_quantity,refunded_amount,refunded_at",
        "1001,1,product,S1,+Coat,,2,120.5,241,60,1,100,2026-03-08 10:00",
        "1001,2,discount,D,-Welcome,,1,-5,-5,,,,",
        "1001,3,charge,POST,Post,,1,10,10,,,,",
        "=1002,1,product,S2,茶杯,,2,8,16,,,,",
        "1003,1,product,S3,,,1,8,8,,,,",
    )
    bring(
        "refund_id,order_id,sku,quantity,amount,currency,kind,refunded_at,customer_id",
        "r1,=1002,S2,1,8,,return,2026-03-09 10:00,",
        "r2,unknown,,,3.25,CNY,refund_only,2026-03-09 11:00,k1",
        "@r|3,1003,,0,0.0001,EUR,cancellation,2026-03-03 10:00,",
    )
    bring(
        "review_id,customer_id,email,phone,sku,order_id,rating,text,written_at",
        'v1,k1,,,S1,1001,5,"很好！\r\n=HYPERLINK(""http://x"",""y"")",2026-03-10 10:00',
        "v2,,,,S2,,,+1 from me,2026-03-10 11:00",
        "v3,,ann@example.com,,,,1,\u202e-bad <b>&amp;</b> _x000D_,2026-03-11 11:00",
    )
    bring(
        "answer_id,customer_id,email,phone,order_id,metric,value,comment,answered_at",
        "a1,k1,,,1001,nps,0,@home,2026-03-10 10:00",
        "a2,,,+447700900123,,csat,4,,2026-03-10 11:00",
    )
    bring(
        "ticket_id,customer_id,email,phone,order_id,subject,body,state,opened_at,closed_at",
        't1,k2,,,,=Where?,"-a\tb",closed,2026-03-10 10:00,2026-03-11 10:00',
        "t2,,,,1001,Broken,,waiting,2026-03-10 11:00,",
    )
    bring(
        "customer_id,email,phone,channel,topic,action,at,evidence",
        "k1,,,phone,news,given,2026-03-12 10:00,=call",
        ",bea@example.com,,email,,given,2026-03-12 11:00,box at the till",
        "k1,,,sms,marketing,withdrawn,2026-04-01 10:00,STOP",
    )
    return settings


def record():
    """Return everything the formats carry, by the keys that people outside know."""
    names = {
        (model, row.pk): natural(row)
        for model in (Source, Customer, Category, Product, Order, OrderLine)
        for row in model.objects.all()
    }
    found = {}
    for model in TABLES:
        rows = []
        for row in model.objects.all():
            told = {}
            for field in model._meta.concrete_fields:
                if field.name in UNTOLD:
                    continue
                value = field.value_from_object(row)
                if field.is_relation and value is not None:
                    value = names[field.related_model, value]
                told[field.name] = value
            rows.append(repr(sorted(told.items())))
        found[model.__name__] = sorted(rows)
    return found


def natural(row):
    if isinstance(row, OrderLine):
        return (natural(row.order), row.line_key)
    for name in ("key", "external_id", "sku"):
        if value := getattr(row, name, None):
            return (type(row).__name__, value)
    return (type(row).__name__, row.email or row.phone)


def export_all(format):
    """Return every kind's rows and bytes."""
    done = {kind: files.export(kind, format) for kind in ORDER}
    return {kind: (files.cells(one), files.content(one)) for kind, one in done.items()}


def empty_the_record():
    with connection.cursor() as cursor:
        names = ", ".join(model._meta.db_table for model in TABLES)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {names} CASCADE")


def test_every_kind_has_its_place_in_the_order():
    assert set(ORDER) == set(KINDS)


@pytest.mark.parametrize("format", FORMATS)
def test_brought_into_the_same_record_it_changes_nothing(format, shop):
    before = record()
    for kind in ORDER:
        done = files.export(kind, format)

        batch = files.bring_back(files.content(done), format)

        assert done.rows > 0
        assert batch.format == f"huike_{'order_lines' if kind == 'lines' else kind}"
        assert (kind, *fates(batch)) == (kind, done.rows, 0, 0, done.rows, 0)
    assert record() == before


@pytest.mark.parametrize("format", FORMATS)
def test_brought_into_an_empty_record_it_makes_the_same_one(format, shop):
    before = record()
    taken = export_all(format)
    empty_the_record()

    for kind, (rows, data) in taken.items():
        batch = files.bring_back(data, format)
        assert (kind, fates(batch)[0], fates(batch)[-1]) == (kind, len(rows), 0)

    assert record() == before
    again = export_all(format)
    for kind, (rows, data) in taken.items():
        if kind == "consents":
            # The customers' file brought the newest lines of the log in first.
            assert sorted(map(repr, again[kind][0])) == sorted(map(repr, rows))
            continue
        assert again[kind][0] == rows, kind
        if format == "csv":
            assert again[kind][1] == data, kind


@pytest.mark.parametrize("format", FORMATS)
def test_a_list_without_rows_is_a_file_with_a_header(format):
    ShopSettingsFactory()
    Source.objects.create(key="shop", name="Shop")
    for kind in ORDER:
        done = files.export(kind, format)

        assert (done.rows, files.cells(done)) == (0, [])
        batch = files.bring_back(files.content(done), format)
        assert (kind, *fates(batch)) == (kind, 0, 0, 0, 0, 0)
        assert batch.header == list(KINDS[kind].columns)


def test_what_came_from_a_foreign_file_goes_out_and_in_again_too():
    ShopSettingsFactory()
    bring(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
        "536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom",
        "536365,POST,POSTAGE,1,2010-12-01 08:26:00,18,17850,United Kingdom",
        "536366,22633,HAND WARMER,2,2010-12-01 08:28:00,1.85,,United Kingdom",
        "C536379,85123A,WHITE HEART,-7,2010-12-01 09:41:00,2.55,17850,United Kingdom",
        "C536380,D,Discount,-1,2010-12-01 09:41:00,27.5,14527,United Kingdom",
    )
    before = record()
    kinds = ("customers", "products", "orders", "lines", "refunds")
    for kind in kinds:
        done = files.export(kind)
        assert done.rows > 0
        batch = files.bring_back(files.content(done), "csv")
        assert (kind, *fates(batch)) == (kind, done.rows, 0, 0, done.rows, 0)
    assert record() == before
