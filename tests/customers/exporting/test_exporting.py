"""The export's job: whose rows leave, in how many steps, and what stays of a file."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.core.models import AuditEntry, Job
from crm.core.services import jobs
from customers.connectors.tables.writing import workbook
from customers.enums import ExportState
from customers.errors import ExportExpiredError, ExportRefusedError, ExportStateError
from customers.models import Consent, Export, Source
from customers.selectors import exporting as selectors
from customers.services import exporting
from customers.services.erasure import erase_customer
from customers.services.exporting import folders, starting
from customers.services.merging import merge_customers
from tests.customers.exporting import files
from tests.customers.importing.files import bring
from tests.factories import (
    ConsentFactory,
    CustomerFactory,
    OrderFactory,
    ReviewFactory,
    ShopSettingsFactory,
    SourceFactory,
    TicketFactory,
    UserFactory,
)
from tests.workers import sweep_until_final, wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    ShopSettingsFactory()
    return SourceFactory(key="shop", name="Shop")


def people(count):
    """Make customers of the shop, numbered."""
    bring("customer_id,name", *(f"k{n:05d},Customer {n}" for n in range(count)))


@pytest.fixture
def small_parts(monkeypatch):
    """Let a part have seven rows."""
    for name, kind in list(selectors.KINDS.items()):
        monkeypatch.setitem(selectors.KINDS, name, replace(kind, rows=7))


def test_a_file_cannot_run_in_a_spreadsheet():
    CustomerFactory(source=Source.objects.get(), external_id="=1", name="=HYPERLINK(0)")
    bring("customer_id,name,phone", "k2,@SUM(A1),+8613812345678")

    rows = files.text_rows(files.export("customers"))

    assert [row[:4] for row in rows[1:]] == [
        ["'=1", "'=HYPERLINK(0)", "", ""],
        ["k2", "'@SUM(A1)", "", "'+8613812345678"],
    ]


def test_negative_amounts_are_numbers():
    bring("order_id,placed_at,total", "1,2026-03-01 10:00,5")
    bring("order_id,line_id,kind,sku,quantity,unit_price", "1,1,discount,D,1,-5.5")

    row = files.text_rows(files.export("lines"))[1]

    assert row[7:9] == ["-5.50", "-5.50"]


def test_merged_and_erased_people_do_not_leave(shop):
    bring("customer_id,name,email", "k1,Ann,ann@example.com", "k2,Bea,", "k3,Cem,cem@example.com")
    kept, merged, erased = (shop_customer(key) for key in ("k1", "k2", "k3"))
    OrderFactory(source=shop, external_id="1", customer=erased)
    OrderFactory(source=shop, external_id="2", customer=merged)
    ReviewFactory(source=shop, external_id="v1", customer=erased, text="mine")
    TicketFactory(source=shop, external_id="t1", customer=erased)
    ConsentFactory(source=shop, customer=erased)
    merge_customers(source_id=merged.pk, target_id=kept.pk, user_id=None, now=timezone.now())
    erase_customer(customer_id=erased.pk, user_id=None, now=timezone.now())

    assert [row["customer_id"] for row in files.cells(files.export("customers"))] == ["k1"]
    orders = files.cells(files.export("orders"))
    assert [(row["order_id"], row["customer_id"], row["email"]) for row in orders] == [
        ("1", "", ""),
        ("2", "k1", "ann@example.com"),
    ]
    for kind in ("reviews", "tickets", "consents"):
        assert files.export(kind).rows == 0


def shop_customer(key):
    return selectors.KINDS["customers"].model.objects.get(external_id=key)


def test_masked_contacts_and_ids_do_not_leave(shop):
    CustomerFactory(source=shop, external_id="a***1")
    CustomerFactory(source=shop, external_id="k2", email="a***@example.com")

    assert [
        (row["customer_id"], row["email"]) for row in files.cells(files.export("customers"))
    ] == [("k2", "")]


def test_consent_leaves_with_its_evidence_and_the_newest_word_counts(shop):
    bring("customer_id,name", "k1,Ann")
    customer = shop_customer("k1")
    now = timezone.now()
    for channel, action, days, evidence in (
        ("email", "given", 9, "form"),
        ("sms", "given", 9, "form"),
        ("email", "withdrawn", 1, "link"),
    ):
        Consent.objects.create(
            customer=customer, source=shop, channel=channel, action=action,
            at=now - timedelta(days=days), evidence=evidence,
        )  # fmt: skip

    row = files.cells(files.export("customers"))[0]
    assert (row["consent_email"], row["consent_sms"], row["consent_evidence"]) == (
        "withdrawn",
        "",
        "link",
    )
    log = files.cells(files.export("consents"))
    assert [line["evidence"] for line in log] == ["form", "form", "link"]


def test_only_what_the_list_has_leaves_and_of_one_source(shop):
    bring("customer_id,name,country", "k1,Ann,GB", "k2,Bea,FR")
    bring("customer_id,name,country", "k1,Cem,GB", source="other")

    done = files.export("customers", filters={"country": "GB", "source": "shop"})

    assert [row["name"] for row in files.cells(done)] == ["Ann"]
    assert (done.rows, done.size) == (1, len(files.content(done)))


def test_who_lost_the_permission_gets_no_file(shop):
    people(1)
    user = UserFactory(is_superuser=True)
    wish = files.start("customers", user=user)
    user.is_superuser = False
    user.save()

    done = files.finish(wish)

    assert (done.state, done.job.state) == (ExportState.FAILED, "failed")
    assert "may not take these rows out" in done.error
    assert folders.public_ids() == []


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet"])
def test_in_however_many_parts_the_file_is_the_same(
    format, small_parts, settings, django_capture_on_commit_callbacks
):
    people(20)
    settings.JOB_CHUNK_SECONDS = 0

    with django_capture_on_commit_callbacks(execute=True):
        done = files.export("customers", format)

    assert [row["customer_id"] for row in files.cells(done)] == [f"k{n:05d}" for n in range(20)]
    assert (done.job.done, done.job.total) == (20, 20)
    folder = Path(done.file.path).parent
    assert [path.name for path in folder.iterdir()] == [Path(done.file.name).name]


@pytest.mark.parametrize("kind", selectors.KINDS)
def test_a_part_takes_as_many_queries_for_one_row_as_for_many(kind):
    counts = []
    for rows in (1, 30):
        make_rows(kind, rows)
        wish = files.start(kind)
        with CaptureQueriesContext(connection) as queries:
            done = files.finish(wish)
        assert done.rows >= rows
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 45


def make_rows(kind, count):
    """Bring rows of every kind in, with new ids."""
    numbers = range(selectors.KINDS[kind].model.objects.count(), 1000)[:count]
    at = "2026-03-01 10:00"
    bring("customer_id,name,email", *(f"k{n},N,n{n}@example.com" for n in numbers))
    bring("category_id,name", *(f"c{n},N" for n in numbers))
    bring("sku,title,category", *(f"s{n},N,c{n}" for n in numbers))
    bring("order_id,customer_id,placed_at,total", *(f"o{n},k{n},{at},5" for n in numbers))
    bring("order_id,line_id,sku,quantity,unit_price", *(f"o{n},1,s{n},1,5" for n in numbers))
    bring("refund_id,order_id,amount,refunded_at", *(f"r{n},o{n},1,{at}" for n in numbers))
    bring("review_id,customer_id,written_at", *(f"v{n},k{n},{at}" for n in numbers))
    bring(
        "answer_id,customer_id,metric,value,answered_at",
        *(f"a{n},k{n},nps,5,{at}" for n in numbers),
    )
    bring("ticket_id,customer_id,subject,opened_at", *(f"t{n},k{n},N,{at}" for n in numbers))
    bring(
        "customer_id,channel,action,at,evidence", *(f"k{n},email,given,{at},form" for n in numbers)
    )


def test_memory_does_not_grow_with_the_list(shop):
    peaks = []
    for rows in (2_000, 20_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers_ticket (source_id, external_id, subject, body, opened_at)"
                " SELECT %s, %s || '-' || n, 'N', repeat('x', 1000), now()"
                " FROM generate_series(1, %s) n",
                [shop.pk, rows, rows],
            )
        wish = files.start("tickets", "xlsx")
        tracemalloc.start()
        files.finish(wish)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def test_more_rows_than_a_sheet_has_are_refused_before_anything_starts(monkeypatch):
    people(3)
    monkeypatch.setitem(starting.MOST_ROWS, "xlsx", 2)

    with pytest.raises(ExportRefusedError, match="CSV or Parquet"):
        files.start("customers", "xlsx")

    assert not Export.objects.exists()
    assert files.export("customers", "parquet").rows == 3


def test_a_text_that_fits_in_no_cell_ends_the_job_by_name(shop):
    TicketFactory(source=shop, body="x" * (workbook.LONGEST_CELL + 1))

    done = files.finish(files.start("tickets", "xlsx"))

    assert (done.state, done.file.name) == (ExportState.FAILED, "")
    assert "32767 signs" in done.error


def test_a_cancelled_export_leaves_nothing(small_parts, settings):
    people(20)
    settings.JOB_CHUNK_SECONDS = 0
    wish = files.start("customers", filters={"q": "Customer"})
    jobs.run_job(job_id=wish.job_id, worker="test", now=timezone.now(), seconds=0)
    assert folders.public_ids() == [wish.public_id]
    jobs.cancel_job(job_id=wish.job_id, now=timezone.now())

    done = files.finish(wish)
    exporting.expire_exports(now=timezone.now())

    assert (done.state, done.file.name, done.filters) == (ExportState.CANCELLED, "", {"q": "…"})
    assert folders.public_ids() == []


def test_a_file_is_handed_out_on_record(shop):
    people(2)
    user = UserFactory()
    done = files.export("customers", filters={"country": "", "q": "Customer"})

    taken = exporting.hand_out(export_id=done.pk, user_id=user.pk, now=timezone.now())

    done.refresh_from_db()
    assert (taken.file.name, done.downloads) == (done.file.name, 1)
    entry = AuditEntry.objects.get(action="export.downloaded")
    assert (entry.actor, entry.object_id) == (user, done.public_id)
    assert entry.details == {
        "kind": "customers", "format": "csv", "source": "shop", "rows": 2,
        "filters": {"country": "", "q": "…"}, "shows_contacts": True,
    }  # fmt: skip


def test_behind_its_last_day_a_file_is_gone(settings):
    people(1)
    settings.EXPORT_RETENTION_DAYS = 3
    done = files.export("customers", filters={"q": "Customer"})
    path = Path(done.file.path)
    last = done.expires_at
    assert timedelta(days=2.9) < last - timezone.now() < timedelta(days=3)

    assert exporting.expire_exports(now=last - timedelta(seconds=1)) == 0
    assert path.exists()
    with pytest.raises(ExportExpiredError):
        exporting.hand_out(export_id=done.pk, user_id=None, now=last)
    assert exporting.expire_exports(now=last) == 1
    assert exporting.expire_exports(now=last) == 0

    done.refresh_from_db()
    assert not path.parent.exists()
    assert (done.state, done.rows, done.filters) == (ExportState.EXPIRED, 1, {"q": "…"})
    with pytest.raises(ExportExpiredError):
        exporting.hand_out(export_id=done.pk, user_id=None, now=last)
    assert not AuditEntry.objects.filter(action="export.downloaded").exists()


def test_there_is_no_file_before_it_is_whole():
    people(1)
    wish = files.start("customers")

    with pytest.raises(ExportStateError):
        exporting.hand_out(export_id=wish.pk, user_id=None, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_export_goes_on_elsewhere_and_is_whole(start_worker):
    ShopSettingsFactory()
    shop = SourceFactory(key="shop", name="Shop")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_ticket (source_id, external_id, subject, body, opened_at)"
            " SELECT %s, n, 'N', repeat('x', 200), now() FROM generate_series(1, 60000) n",
            [shop.pk],
        )
    first = start_worker()
    wish = files.start("tickets")
    first.hint(wish.job_id)
    wait_for(lambda: Job.objects.filter(pk=wish.job_id, done__gte=2_000).exists())

    first.kill()
    job = Job.objects.get(pk=wish.job_id)
    killed_at = job.done
    wish.refresh_from_db()
    assert (wish.state, wish.file.name) == (ExportState.RUNNING, "")
    second = start_worker()
    sweep_until_final(job, second.queue)

    wish.refresh_from_db()
    assert 2_000 <= killed_at < 60_000
    assert (job.state, wish.state, wish.rows) == ("succeeded", ExportState.READY, 60_000)
    ids = [row["ticket_id"] for row in files.cells(wish)]
    assert ids == [str(n) for n in range(1, 60_001)]
    assert [path.name for path in Path(wish.file.path).parent.iterdir()] == [
        Path(wish.file.name).name
    ]
