"""Jobs over REST."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from crm.core.models import ApiKey, AuditEntry, JobLog
from tests.api import api_client
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/jobs/"


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    JobFactory.create_batch(rows)
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST)

    assert len(response.json()["results"]) == rows


def test_a_running_job_tells_how_far_it_is():
    now = timezone.now()
    job = JobFactory(
        state="running", done=250, total=1000, step="Staging", started_at=now - timedelta(seconds=5)
    )
    JobLog.objects.create(job=job, message="Read the header.")

    body = api_client().get(f"{LIST}{job.public_id}/").json()

    assert (body["id"], body["state"], body["done"], body["total"]) == (
        job.public_id,
        "running",
        250,
        1000,
    )
    assert (body["percent"], body["step"]) == (25, "Staging")
    assert body["rate"] == pytest.approx(50, rel=0.2)
    assert body["seconds_left"] == pytest.approx(15, abs=4)
    assert body["error_file"] is None
    assert [(line["level"], line["message"]) for line in body["log"]] == [
        ("info", "Read the header.")
    ]
    assert "parameters" not in body


def test_a_queued_job_knows_neither_rate_nor_end():
    body = api_client().get(f"{LIST}{JobFactory().public_id}/").json()

    assert (body["percent"], body["rate"], body["seconds_left"]) == (None, None, None)


def test_lists_are_filtered_by_state_and_kind():
    JobFactory(kind="a", title="queued")
    JobFactory(kind="a", title="running", state="running")
    JobFactory(kind="b", title="other")
    client = api_client()

    def titles(**query):
        return [row["title"] for row in client.get(LIST, query).json()["results"]]

    assert titles(state="queued,running", kind="a") == ["running", "queued"]
    assert titles(kind="b") == ["other"]
    assert client.get(LIST, {"state": "asleep"}).status_code == 400


def test_cancelling_a_queued_job_ends_it_and_is_on_record():
    job = JobFactory()
    client = api_client("write")

    response = client.post(f"{LIST}{job.public_id}/cancel/")

    assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    entry = AuditEntry.objects.get(action="job.cancelled")
    assert (entry.actor_id, entry.object_id) == (client.user.pk, job.public_id)
    assert entry.api_key == ApiKey.objects.get(user=client.user)
    assert len(entry.request_id) == 36


def test_cancelling_a_job_that_ended_is_refused_and_changes_nothing():
    job = JobFactory(state="succeeded", finished_at=timezone.now())

    response = api_client("write").post(f"{LIST}{job.public_id}/cancel/")

    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")
    job.refresh_from_db()
    assert job.state == "succeeded"
    assert not AuditEntry.objects.filter(action="job.cancelled").exists()


def test_rejected_rows_are_downloaded_whatever_type_is_asked_for():
    job = JobFactory(state="failed", finished_at=timezone.now())
    job.error_file.save("rejected.csv", ContentFile("row,reason\n1,no date\n"))
    client = api_client()

    url = client.get(f"{LIST}{job.public_id}/").json()["error_file"]
    response = client.get(url, headers={"Accept": "text/csv"})

    assert b"".join(response.streaming_content) == b"row,reason\n1,no date\n"
    assert response["Content-Disposition"].startswith('attachment; filename="rejected')
    assert response["X-Content-Type-Options"] == "nosniff"


def test_without_rejected_rows_there_is_no_file():
    response = api_client().get(f"{LIST}{JobFactory().public_id}/error-file/")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
