"""Saved imports over REST."""

import pytest

from crm.core.models import AuditEntry, Job
from customers.models import SavedImport
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.api import api_client
from tests.customers.saved.shops import fetch, save
from tests.factories import SavedImportFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/saved-imports/"


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    SavedImportFactory.create_batch(rows)
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST)

    assert len(response.json()["results"]) == rows


def test_it_is_shown_without_its_secret():
    ShopSettingsFactory()
    address = "https://files.example.com/o.csv?sig=TOPSECRET"
    saved = save(Where(name="Signed", place="https", secret=address))

    response = api_client().get(f"{LIST}{saved.public_id}/")

    body = response.json()
    assert (body["name"], body["place"], body["host"]) == ("Signed", "https", "files.example.com")
    assert (body["is_active"], body["stopped"], body["problem"], body["job"]) == (
        True,
        None,
        None,
        None,
    )
    assert "TOPSECRET" not in response.content.decode()
    assert not {"sealed", "secret", "host_key"} & set(body)


def test_what_failed_is_worded(tmp_path, settings):
    ShopSettingsFactory()
    settings.IMPORT_FOLDERS = [str(tmp_path)]
    saved = save(folder=str(tmp_path))
    settings.IMPORT_FOLDERS = []
    fetch(saved)

    body = api_client().get(f"{LIST}{saved.public_id}/").json()

    assert body["last_outcome"] == "failed"
    assert body["problem"].startswith(f"The folder {tmp_path} does not lie below")
    assert body["job"]["state"] == "failed"


def test_run_now_starts_one_fetch():
    saved = SavedImportFactory()
    client = api_client("write", permissions=["customers.change_savedimport"])

    response = client.post(f"{LIST}{saved.public_id}/run/", headers={"Idempotency-Key": "a"})
    again = client.post(f"{LIST}{saved.public_id}/run/", headers={"Idempotency-Key": "a"})
    other = client.post(f"{LIST}{saved.public_id}/run/")

    job = Job.objects.get(kind=saved_imports.KIND)
    assert (response.status_code, response.json()["id"]) == (202, saved.public_id)
    assert response["Location"].endswith(f"/api/v1/jobs/{job.public_id}/")
    assert again.json() == response.json()
    assert (other.status_code, other.json()["code"]) == (409, "saved_import_state")
    assert AuditEntry.objects.get(action="saved_import.started").actor == client.user


def test_a_paused_one_is_not_run():
    saved = SavedImportFactory(is_active=False)

    response = api_client("write").post(f"{LIST}{saved.public_id}/run/")

    assert (response.status_code, response.json()["code"]) == (409, "saved_import_state")
    assert not Job.objects.exists()


def test_lists_are_filtered():
    SavedImportFactory(is_active=False)
    active = SavedImportFactory(place="sftp")
    client = api_client()

    for query in ("is_active=true", "place=sftp", "place=sftp,https"):
        found = client.get(f"{LIST}?{query}").json()["results"]
        assert [one["id"] for one in found] == [active.public_id]
    assert SavedImport.objects.count() == 2
