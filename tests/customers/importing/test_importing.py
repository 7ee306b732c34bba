"""Orders in: known answers, the same file twice, netting, rejects, a killed worker."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import File
from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.errors import UnknownFormatError, UnreadableFileError
from customers.models import (
    Customer,
    FactsMark,
    ImportBatch,
    ImportRow,
    Order,
    OrderLine,
    Product,
    Refund,
)
from customers.services import importing
from tests.customers.importing.files import fates, finish, rebuild_drift, rejects, start
from tests.factories import ShopSettingsFactory
from tests.workers import sweep_until_final, wait_for

SAMPLE = Path(settings.BASE_DIR) / "samples" / "online_retail.parquet"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def lines(*rows):
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.mark.django_db
def test_online_retail_gives_its_known_answers():
    ShopSettingsFactory()
    with SAMPLE.open("rb") as content:
        batch = importing.start_import(
            file=File(content),
            filename="online_retail.parquet",
            source_key="online-retail",
            user_id=None,
            now=timezone.now(),
        )

    finish(batch)

    assert batch.job.error == ""
    audit = batch.audit
    assert audit["lines"] == batch.rows_total == 541_909
    assert audit["without_customer"] == 135_080
    assert audit["cancellation_lines"] == 9_288
    assert audit["orders"] == 25_900
    assert audit["articles"] == 4_070
    assert audit["without_title"] == 1_454
    assert audit["duplicates"] == 5_268
    assert Decimal(audit["total"]) == Decimal("9747747.934")
    assert (audit["clean_customers"], audit["clean_lines"]) == (4_338, 397_884)
    assert Decimal(audit["clean_total"]) == Decimal("8911407.904")
    assert fates(batch) == (541_909, 540_570, 0, 0, 1_339)
    assert Customer.objects.count() == 4_372
    assert OrderLine.objects.count() + 9_288 == batch.rows_created
    assert not Product.objects.filter(sku__in=["POST", "D", "M", "BANK CHARGES"]).exists()
    # 80,995 paper crafts, ordered and cancelled within minutes, are worth nothing.
    mistake = Order.objects.get(external_id="581483")
    assert (mistake.total_shop, mistake.refunded_shop) == (Decimal("168469.6"), Decimal("168469.6"))
    assert audit["netted_quantity"] + audit["unmatched_quantity"] == sum(
        Refund.objects.values_list("quantity", flat=True)
    )
    assert not ImportRow.objects.exists()
    assert rebuild_drift() == 0


@pytest.mark.django_db
def test_the_same_file_twice_changes_nothing():
    text = lines(
        "1,A,Cup,2,2011-01-03 10:00,2.50,17850,United Kingdom",
        "1,A,Cup,2,2011-01-03 10:00,2.50,17850,United Kingdom",
        "1,POST,Postage,1,2011-01-03 10:00,4.00,17850,United Kingdom",
        "C2,A,Cup,-1,2011-01-04 10:00,2.50,17850,United Kingdom",
        "3,B,Bowl,1,2011-01-05 10:00,9.00,,France",
    )
    first = finish(start(text))
    before = list(Order.objects.order_by("pk").values())
    FactsMark.objects.all().delete()

    second = finish(start(text))

    assert fates(first) == (5, 5, 0, 0, 0)
    assert fates(second) == (5, 0, 0, 5, 0)
    assert list(Order.objects.order_by("pk").values()) == before
    assert not FactsMark.objects.exists()
    order = Order.objects.get(external_id="1")
    assert (order.total, order.charges, order.refunded) == (Decimal(14), Decimal(4), Decimal("2.5"))
    assert Order.objects.get(external_id="3").customer is None


@pytest.mark.django_db
def test_an_overlapping_file_of_the_other_variant_adds_only_what_is_new():
    finish(start(lines("1,A,Cup,2,2011-01-03 10:00,2.50,17850,France")))
    other = (
        "Invoice;StockCode;Description;Quantity;InvoiceDate;Price;Customer ID;Country\n"
        "1;A;Cup;2;2011-01-03 10:00;2.5;17850.0;France\n"
        "1;B;Bowl;1;2011-01-03 10:00;3.0;17850.0;France\n"
    )

    batch = finish(start(other))

    assert fates(batch) == (2, 1, 0, 1, 0)
    assert Order.objects.get().total == Decimal("8.0")


@pytest.mark.django_db
def test_a_guest_order_learns_its_customer_from_a_later_file():
    finish(start(lines("1,A,Cup,2,2011-01-03 10:00,2.50,,France")))

    batch = finish(start(lines("1,A,Cup,2,2011-01-03 10:00,2.50,17850,France")))

    assert fates(batch) == (1, 0, 1, 0, 0)
    assert Order.objects.get().customer.external_id == "17850"


def refunds():
    return list(
        Refund.objects.order_by("pk").values_list("order__external_id", "quantity", "amount")
    )


@pytest.mark.django_db
def test_a_cancellation_nets_the_latest_earlier_line_and_spills_over():
    finish(
        start(
            lines(
                "1,A,Cup,3,2011-01-01 10:00,2.00,7,France",
                "2,A,Cup,2,2011-01-02 10:00,2.00,7,France",
                "4,A,Cup,9,2011-01-09 10:00,2.00,7,France",
                "5,A,Cup,9,2011-01-01 10:00,2.00,8,France",
                "C3,A,Cup,-4,2011-01-03 10:00,2.00,7,France",
            )
        )
    )

    assert refunds() == [("2", 2, Decimal(4)), ("1", 2, Decimal(4))]
    left = dict(Order.objects.values_list("external_id", "refunded"))
    assert left == {"1": Decimal(4), "2": Decimal(4), "4": 0, "5": 0}


@pytest.mark.django_db
def test_a_cancellation_that_finds_nothing_is_an_unmatched_refund():
    batch = finish(
        start(
            lines(
                "1,A,Cup,1,2011-01-05 10:00,2.00,7,France",
                "C2,A,Cup,-1,2011-01-03 10:00,2.00,7,France",
                "C3,A,Cup,-3,2011-01-06 10:00,2.00,7,France",
                "C4,B,Bowl,-1,2011-01-06 10:00,5.00,,France",
            )
        )
    )

    assert sorted(refunds(), key=str) == sorted(
        [
            (None, 1, Decimal(5)),
            (None, 1, Decimal(2)),
            ("1", 1, Decimal(2)),
            (None, 2, Decimal(4)),
        ],
        key=str,
    )
    assert batch.audit["unmatched_refunds"] == 3
    assert (batch.audit["netted_quantity"], batch.audit["unmatched_quantity"]) == (1, 4)
    assert rebuild_drift() == 0


@pytest.mark.django_db
def test_bad_rows_are_rejected_with_their_reason_and_the_rest_goes_in():
    future = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M")
    batch = finish(
        start(
            lines(
                "1,A,Cup,1,2011-01-05 10:00,2.00,7,France",
                "2,A,=cmd(),many,2011-01-05 10:00,2.00,7,France",
                "3,A,Cup,1,yesterday,2.00,7,France",
                "4,A,Cup,1,2011-01-05 10:00,dear,7,France",
                ",A,Cup,1,2011-01-05 10:00,2.00,7,France",
                f"6,A,Cup,1,{future},2.00,7,France",
                "7,A,Cup,-5,2011-01-05 10:00,0,,France",
                "8,A,Cup",
            )
        )
    )

    assert fates(batch) == (8, 1, 0, 0, 7)
    rows = rejects(batch)
    assert [row["row"] for row in rows] == ["2", "3", "4", "5", "6", "7", "8"]
    assert rows[0]["Description"] == "'=cmd()"
    assert [row["reason"] for row in rows][:2] == [
        "the quantity is no whole number",
        "the date cannot be read",
    ]
    assert Order.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "latin-1"])
def test_encodings_are_recognised(encoding):
    title = "café" if encoding == "latin-1" else "青花瓷杯"
    text = lines(f"1,A,{title},1,2011-01-05 10:00,2.00,7,France")

    finish(start(text.encode(encoding)))

    assert Product.objects.get().title == title


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnreadableFileError),
        (b"PAR1 is all there is", UnreadableFileError),
        (b"name,age\nann,7\n", UnknownFormatError),
        (b"InvoiceNo,InvoiceNo\n1,2\n", UnknownFormatError),
        (",".join(f"c{n}" for n in range(400)).encode(), UnreadableFileError),
    ],
)
def test_what_is_no_order_file_is_refused_at_once_and_nothing_is_kept(content, error):
    with pytest.raises(error):
        start(content)

    assert not ImportBatch.objects.exists()
    assert not Job.objects.exists()
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_a_cancelled_import_keeps_whole_orders_and_says_so():
    batch = start(lines("1,A,Cup,1,2011-01-05 10:00,2.00,7,France"))
    jobs.cancel_job(job_id=batch.job_id, now=timezone.now())

    batch.refresh_from_db()

    assert batch.state == "cancelled"
    assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_an_import_that_another_one_ends(start_worker, monkeypatch):
    day = datetime(2011, 1, 1, 9, tzinfo=UTC)
    rows = [
        f"{number},A{number % 50},Cup,2,{day + timedelta(hours=number % 900):%Y-%m-%d %H:%M},"
        f"2.00,{number % 300},France"
        for number in range(30_000)
    ]
    rows += [
        f"C{number},A{number % 50},Cup,-1,2011-12-01 10:00,2.00,{number % 300},France"
        for number in range(600)
    ]
    worker = start_worker()
    batch = start(lines(*rows))
    worker.hint(batch.job_id)
    wait_for(Order.objects.exists, timeout=60)

    worker.kill()

    assert not Job.objects.get(pk=batch.job_id).is_final
    second = start_worker()
    sweep_until_final(batch.job, second.queue)
    batch.refresh_from_db()
    assert batch.state == "finished", batch.error
    assert fates(batch) == (30_600, 30_600, 0, 0, 0)
    assert Order.objects.count() == 30_000
    assert sum(Refund.objects.values_list("quantity", flat=True)) == 600
