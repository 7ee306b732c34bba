"""Lists taken out as files over REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.core.models import AuditEntry, Job
from customers.models import Export
from tests.api import api_client
from tests.customers.exporting import files
from tests.customers.importing.files import bring
from tests.factories import ExportFactory, JobFactory, ShopSettingsFactory, SourceFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/exports/"
MAY = ["customers.view_customer", "customers.add_export", "customers.view_export"]


@pytest.fixture(autouse=True)
def shop():
    ShopSettingsFactory()
    bring("customer_id,name,country,email", "k1,Ann,GB,ann@example.com", "k2,=Bea,FR,")


@pytest.fixture
def hints(monkeypatch):
    """Collect the hints that would go to the broker."""
    sent: list[int] = []
    monkeypatch.setattr("crm.core.api.work.run_job.delay", sent.append)
    return sent


def post(client, key=None, **body):
    wish = {"kind": "customers", "format": "csv", **body}
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(LIST, wish, format="json", headers=headers)


def finished():
    return files.finish(Export.objects.get())


def test_a_wish_is_accepted_written_and_downloaded(hints, django_capture_on_commit_callbacks):
    client = api_client("read", "write", permissions=[*MAY, "core.view_job"])
    with django_capture_on_commit_callbacks(execute=True):
        response = post(client, filters={"country": "FR"})

    assert response.status_code == 202, response.json()
    export = Export.objects.get()
    body = response.json()
    assert (body["id"], body["job"]["id"]) == (export.public_id, export.job.public_id)
    assert response["Location"] == body["job"]["url"]
    assert hints == [export.job_id]
    assert client.get(body["url"]).json()["file"] is None

    finished()
    shown = client.get(body["url"]).json()
    assert (shown["state"], shown["rows"], shown["source"]) == ("ready", 1, "shop")
    file = client.get(shown["file"])
    assert file["Content-Disposition"].startswith('attachment; filename="customers-shop-')
    assert file["Cache-Control"] == "no-store, private"
    assert b"k2,'=Bea," in b"".join(file.streaming_content)
    assert client.get(body["url"]).json()["downloads"] == 1


def test_wish_and_download_are_on_record():
    client = api_client("read", "write")
    post(client, filters={"q": "ann@example.com", "country": "GB"})
    export = finished()
    client.get(f"{LIST}{export.public_id}/file/")

    entries = AuditEntry.objects.filter(object_id=export.public_id).order_by("pk")
    assert [entry.action for entry in entries] == ["export.started", "export.downloaded"]
    assert {entry.actor for entry in entries} == {client.user}
    assert all(entry.api_key is not None for entry in entries)
    assert entries[1].details == {
        "kind": "customers", "format": "csv", "source": "shop", "rows": 1,
        "filters": {"q": "…", "country": "GB"},
        "shows_contacts": True,
    }  # fmt: skip


def test_the_same_wish_sent_again_starts_nothing():
    client = api_client("read", "write")
    first, second = post(client, key="a"), post(client, key="a")
    other = post(client, key="a", format="xlsx")

    assert second.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Export.objects.count() == Job.objects.filter(kind="customers.export").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"kind": "wishes"}, 400, "/kind"),
        ({"format": "pdf"}, 400, "/format"),
        ({"filters": "all"}, 400, "/filters"),
        ({"filters": {"contry": "GB"}}, 400, "/filters/contry"),
        ({"filters": {"limit": 5}}, 400, "/filters/limit"),
        ({"filters": {"order_count_min": "many"}}, 400, "/filters/order_count_min"),
        ({"filters": {"country": {"is": "GB"}}}, 400, "/filters/country"),
    ],
    ids=str,
)
def test_a_wrong_wish_is_refused_and_nothing_starts(body, status, pointer):
    response = post(api_client("write"), **body)

    assert response.status_code == status
    assert {error["pointer"] for error in response.json()["errors"]} == {pointer}
    assert not Export.objects.exists()


@pytest.mark.parametrize("missing", MAY[:2])
def test_who_lacks_a_permission_starts_nothing(missing):
    client = api_client("write", permissions=[name for name in MAY if name != missing])

    response = post(client)

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
    assert missing in response.json()["detail"]
    assert not Export.objects.exists()


def test_orders_name_people_and_need_that_permission_too():
    client = api_client("write", permissions=["customers.view_order", "customers.add_export"])
    assert "customers.view_customer" in post(client, kind="orders").json()["detail"]
    assert not Export.objects.exists()


def test_a_filter_by_scores_needs_the_permission_to_see_scores():
    client = api_client("write", permissions=MAY)

    response = post(client, filters={"churn_probability_min": 0.5})

    assert (response.status_code, response.json()["code"]) == (403, "missing_permission")
    assert not Export.objects.exists()


@pytest.mark.parametrize("missing", MAY)
def test_who_lacks_a_permission_downloads_nothing(missing):
    export = files.export("customers")
    client = api_client("read", permissions=[name for name in MAY if name != missing])

    response = client.get(f"{LIST}{export.public_id}/file/")

    assert response.status_code == 403
    export.refresh_from_db()
    assert export.downloads == 0
    assert not AuditEntry.objects.filter(action="export.downloaded").exists()


def test_an_expired_file_is_gone_and_says_so():
    export = files.export("customers")
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    response = api_client("read").get(f"{LIST}{export.public_id}/file/")

    assert (response.status_code, response.json()["code"]) == (410, "export_expired")


def test_rows_of_several_sources_need_a_choice():
    bring("customer_id,name", "k1,Cem", source="other")
    client = api_client("read", "write")

    refused = post(client)
    assert (refused.status_code, refused.json()["code"]) == (422, "several_sources")
    assert "other, shop" in refused.json()["detail"]
    assert not Export.objects.exists()

    assert post(client, filters={"source": "other"}).status_code == 202
    assert [row["name"] for row in files.cells(finished())] == ["Cem"]


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    for _number in range(rows):
        ExportFactory(job=JobFactory())
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST, {"kind": "customers", "state": "running"})

    assert len(response.json()["results"]) == rows


def test_without_any_source_there_is_nothing_to_export(db):
    from customers.models import Consent, Customer, Identity, ImportBatch, Source

    for model in (Consent, Identity, Customer, ImportBatch, Source):
        model.objects.all().delete()

    response = post(api_client("write"))

    assert (response.status_code, response.json()["code"]) == (422, "export_refused")
    SourceFactory(key="shop")
    assert post(api_client("write")).status_code == 202
