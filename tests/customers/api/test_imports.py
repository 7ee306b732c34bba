"""Files brought in over REST."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crm.core.models import AuditEntry, Job
from crm.core.services.jobs import run_job
from customers.models import Customer, ImportBatch, Order
from customers.services.importing.huike import KINDS
from tests.api import api_client
from tests.customers.importing import files
from tests.customers.importing.files import bring
from tests.factories import ImportBatchFactory, JobFactory, ShopSettingsFactory, SourceFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/imports/"
ONLINE_RETAIL = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    b"536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
)


@pytest.fixture
def hints(monkeypatch):
    """Collect the hints that would go to the broker."""
    sent: list[int] = []
    monkeypatch.setattr("crm.core.api.work.run_job.delay", sent.append)
    return sent


def upload(client, content=ONLINE_RETAIL, name="orders.csv", key=None, **fields):
    body = {"file": SimpleUploadedFile(name, content), "source": "test", **fields}
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(LIST, body, format="multipart", headers=headers)


def test_an_upload_is_accepted_and_its_job_is_where_location_says(
    hints, django_capture_on_commit_callbacks
):
    SourceFactory(key="test")
    client = api_client("read", "write")

    with django_capture_on_commit_callbacks(execute=True):
        response = upload(client)

    assert response.status_code == 202, response.json()
    batch = ImportBatch.objects.get()
    assert batch.job is not None
    body = response.json()
    assert (body["id"], body["job"]["id"]) == (batch.public_id, batch.job.public_id)
    assert (body["job"]["state"], response["Location"]) == ("queued", body["job"]["url"])
    assert client.get(response["Location"]).json()["id"] == batch.job.public_id
    assert client.get(body["url"]).json()["filename"] == "orders.csv"
    assert hints == [batch.job_id]
    assert (batch.size, batch.uploaded_by) == (len(ONLINE_RETAIL), client.user)


@pytest.mark.parametrize("format", KINDS)
def test_a_file_of_each_kind_is_recognised(format):
    SourceFactory(key="test")
    header = ",".join(KINDS[format].columns)

    response = upload(api_client("write"), header.encode() + b"\n", name="export.csv")

    assert response.status_code == 202, response.json()
    assert ImportBatch.objects.get().format == format


def test_an_upload_is_on_record():
    SourceFactory(key="test")
    client = api_client("write")

    upload(client)

    entry = AuditEntry.objects.get(action="import.uploaded")
    assert (entry.actor, entry.object_id) == (client.user, ImportBatch.objects.get().public_id)
    assert entry.details == {
        "filename": "orders.csv",
        "size": len(ONLINE_RETAIL),
        "source": "test",
    }


def test_the_same_upload_sent_again_starts_nothing():
    SourceFactory(key="test")
    client = api_client("write")

    first = upload(client, key="a")
    second = upload(client, key="a")
    other = upload(client, ONLINE_RETAIL + b"x", key="a")

    assert first.status_code == second.status_code == 202
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert ImportBatch.objects.count() == Job.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"file": ""}, "/file"),
        ({"file": SimpleUploadedFile("a.csv", b"")}, "/file"),
        ({"source": ""}, "/source"),
        ({"source": "no slug!"}, "/source"),
        ({"source": "a\x00"}, "/source"),
        ({"format": "pdf"}, "/format"),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_and_nothing_is_kept(fields, pointer):
    response = upload(api_client("write"), **fields)

    assert response.status_code == 400
    assert {error["pointer"] for error in response.json()["errors"]} == {pointer}
    assert not ImportBatch.objects.exists()
    assert not AuditEntry.objects.filter(action="import.uploaded").exists()


def test_a_file_that_is_too_large_is_not_read(settings):
    settings.UPLOAD_MAX_BYTES = 100

    response = upload(api_client("write"))

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert not ImportBatch.objects.exists()


def test_a_lost_broker_does_not_lose_the_upload(monkeypatch, django_capture_on_commit_callbacks):
    def fail(job_id):
        raise ConnectionError

    monkeypatch.setattr("crm.core.api.work.run_job.delay", fail)
    SourceFactory(key="test")

    with django_capture_on_commit_callbacks(execute=True):
        response = upload(api_client("write"))

    assert response.status_code == 202
    assert Job.objects.get().state == "queued"


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    for _number in range(rows):
        ImportBatchFactory(job=JobFactory())
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST)

    assert len(response.json()["results"]) == rows


def test_a_finished_import_accounts_for_its_rows_and_hands_out_the_rejected():
    job = JobFactory(state="succeeded", finished_at=timezone.now())
    job.error_file.save("rejected.csv", ContentFile("row,reason\n1,no date\n"))
    batch = ImportBatchFactory(
        job=job,
        state="finished",
        rows_total=10,
        rows_created=4,
        rows_updated=3,
        rows_unchanged=2,
        rows_rejected=1,
        audit={"lines": 10},
    )
    client = api_client()

    body = client.get(f"{LIST}{batch.public_id}/").json()

    assert [body[f"rows_{name}"] for name in ("created", "updated", "unchanged", "rejected")] == [
        4,
        3,
        2,
        1,
    ]
    assert (body["rows_total"], body["audit"]) == (10, {"lines": 10})
    file = client.get(body["error_file"])
    assert b"".join(file.streaming_content) == b"row,reason\n1,no date\n"


def test_imports_are_filtered():
    ImportBatchFactory(state="failed")
    wanted = ImportBatchFactory(format="huike_orders", state="running")
    client = api_client()

    for query in ({"state": "running,uploaded"}, {"format": "huike_orders"}):
        rows = client.get(LIST, query).json()["results"]
        assert [row["id"] for row in rows] == [wanted.public_id], query


SHOPIFY = (
    b"Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
    b"Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Id\n"
    b"#1,a@example.com,paid,EUR,10,0,0,10,2026-01-05 09:59:00 +0100,1,Tea,10,TEA,1\n"
)


def start(client, batch, **body):
    return client.post(f"{LIST}{batch.public_id}/start/", body, format="json")


def test_a_file_may_wait_be_tried_out_and_then_come_in():
    client = api_client("read", "write")
    held = upload(client, SHOPIFY, hold="true")
    assert (held.status_code, held.json()["job"]) == (201, None)
    batch = ImportBatch.objects.get()
    shown = client.get(held.json()["url"]).json()
    assert (shown["format"], shown["dry_run"]) == ("shopify_orders", None)
    assert "Lineitem sku" in shown["header"]

    tried = start(client, batch, dry_run=True)
    assert tried.status_code == 202, tried.json()
    batch.refresh_from_db()
    files.finish(batch)
    assert not Order.objects.exists()
    counted = client.get(held.json()["url"]).json()["dry_run"]
    assert counted["rows"]["rows_created"] == 1
    assert counted["kinds"]["lines"]["created"] == 1

    assert start(client, batch).status_code == 202
    batch.refresh_from_db()
    assert files.finish(batch).state == "finished"
    assert Order.objects.get().external_id == "#1"
    refused = start(client, batch)
    assert (refused.status_code, refused.json()["code"]) == (409, "import_state")
    entries = AuditEntry.objects.filter(action__startswith="import.").order_by("pk")
    actions = entries.values_list("action", flat=True)
    assert list(actions) == ["import.uploaded", "import.tried", "import.started"]


def test_an_unknown_header_needs_a_mapping():
    client = api_client("read", "write")
    unknown = b"Bestellung,Datum,Summe\nA1,2026-01-02,12.50\n"
    refused = upload(client, unknown)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_format")
    assert not ImportBatch.objects.exists()

    mapping = {"order_id": "Bestellung", "placed_at": "Datum", "total": "Summe"}
    told = json.dumps({"kind": "orders", "columns": mapping})
    taken = upload(client, unknown, mapping=told)
    assert taken.status_code == 202, taken.json()
    assert files.finish(ImportBatch.objects.get()).rows_created == 1
    # The next file of this source with this header needs none.
    assert upload(client, unknown).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"mapping": {"kind": "wishes", "columns": {}}}, "invalid_mapping"),
        ({"mapping": {"kind": "orders", "columns": {"order_id": "Nowhere"}}}, "invalid_mapping"),
        ({"options": {"keep": ["total"]}}, "invalid_options"),
        ({"options": {"consent": {"email": {"at": "2026-01-01"}}}}, "invalid_options"),
    ],
    ids=str,
)
def test_what_cannot_be_told_of_a_file_is_refused_and_nothing_starts(body, code):
    client = api_client("read", "write")
    upload(client, SHOPIFY, hold="true")
    batch = ImportBatch.objects.get()
    refused = start(client, batch, **body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    batch.refresh_from_db()
    assert (batch.job, batch.mapping, batch.options["keep"]) == (None, {}, [])


def test_text_that_is_no_object_is_refused_by_field():
    refused = upload(api_client("write"), SHOPIFY, options="keep everything")
    assert refused.status_code in (400, 422)
    assert refused.json()["errors"][0]["pointer"] == "/options"
    assert not ImportBatch.objects.exists()


CUSTOMERS = ("customer_id,name", "k1,Ann Lee")


def test_an_undo_is_accepted_and_done_by_its_job(hints, django_capture_on_commit_callbacks):
    ShopSettingsFactory()
    batch = bring(*CUSTOMERS)
    client = api_client("write", "read")

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(f"{LIST}{batch.public_id}/undo/", headers={"Idempotency-Key": "u"})
    again = client.post(f"{LIST}{batch.public_id}/undo/", headers={"Idempotency-Key": "u"})
    other = client.post(f"{LIST}{batch.public_id}/undo/")

    assert response.status_code == 202, response.json()
    job = Job.objects.get(kind="customers.undo_import")
    assert response.json()["id"] == batch.public_id
    assert response["Location"] == response.json()["job"]["url"]
    assert again.json() == response.json()
    assert (other.status_code, other.json()["code"]) == (409, "wrong_state")
    assert hints == [job.pk]
    entry = AuditEntry.objects.get(action="import.undo_started")
    assert (entry.actor, entry.object_id) == (client.user, batch.public_id)
    run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    body = client.get(f"{LIST}{batch.public_id}/").json()
    assert (body["state"], body["undone_at"] is None) == ("undone", False)
    assert not Customer.objects.exists()


def test_a_refused_undo_names_what_stands_in_the_way():
    ShopSettingsFactory()
    batch = bring(*CUSTOMERS)
    Customer.objects.update(name="Anne Lee")
    (ann,) = Customer.objects.all()

    response = api_client("write").post(f"{LIST}{batch.public_id}/undo/")

    assert response.status_code == 409
    body = response.json()
    assert body["code"] == "undo_refused"
    assert body["details"] == {
        "refusals": [
            {
                "kind": "customers.customer",
                "id": ann.public_id,
                "reason": "changed",
                "import_id": "",
                "about_kind": "",
                "about_id": "",
                "number": "",
                "says": "Customer Anne Lee was changed since.",
            }
        ],
        "others": 0,
    }
    assert not Job.objects.filter(kind="customers.undo_import").exists()
    assert not AuditEntry.objects.filter(action="import.undo_started").exists()


def test_an_undo_needs_the_permission_to_delete_imports():
    batch = ImportBatchFactory(state="finished")
    client = api_client(
        "write", permissions=["customers.view_importbatch", "customers.add_importbatch"]
    )

    response = client.post(f"{LIST}{batch.public_id}/undo/")

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
