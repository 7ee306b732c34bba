"""Scoring runs over REST."""

from datetime import date

import pytest
from django.utils import timezone

from analytics.models import ScoringRun
from crm.core.models import AuditEntry
from customers.selectors.shop import shop_day
from tests.api import api_client
from tests.factories import NOON, JobFactory, ScoringRunFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/scoring-runs/"


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    for _number in range(rows):
        ScoringRunFactory(job=JobFactory())
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST)

    assert len(response.json()["results"]) == rows
    assert "metrics" not in response.json()["results"][0]


def test_a_run_shows_its_error_beside_the_baseline_and_what_it_did_not_score():
    job = JobFactory(state="succeeded", finished_at=NOON)
    run = ScoringRunFactory(
        job=job,
        state="published",
        published_at=NOON,
        as_of_day=date(2026, 3, 2),
        metrics={"churn": {"auc": 0.81}},
        baseline={"churn": {"name": "recency_rule", "auc": 0.74}},
        abstentions=[{"score": "clv", "code": "too_few", "have": 3, "need": 50}],
        parameters={"horizon_days": 90},
        customer_count=10,
        scored_count=7,
    )

    body = api_client().get(f"{LIST}{run.public_id}/").json()

    assert body["metrics"] == {"churn": {"auc": 0.81}}
    assert body["baseline"]["churn"]["auc"] == 0.74
    assert body["abstentions"][0]["need"] == 50
    assert body["parameters"] == {"horizon_days": 90}
    assert (body["customer_count"], body["scored_count"]) == (10, 7)
    assert (body["job"]["id"], body["job"]["state"]) == (job.public_id, "succeeded")
    assert body["published_at"] == "2026-03-02T12:00:00Z"


def test_runs_are_filtered():
    ScoringRunFactory(trigger="nightly", as_of_day=date(2026, 3, 1))
    wanted = ScoringRunFactory(trigger="manual", as_of_day=date(2026, 3, 2))
    client = api_client()

    for query in ({"trigger": "manual"}, {"as_of_day_min": "2026-03-02"}):
        rows = client.get(LIST, query).json()["results"]
        assert [row["id"] for row in rows] == [wanted.public_id], query


def test_a_run_is_started_on_record_and_its_job_is_where_location_says(
    monkeypatch, django_capture_on_commit_callbacks
):
    hints: list[int] = []
    monkeypatch.setattr("crm.core.api.work.run_job.delay", hints.append)
    client = api_client("read", "write")

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(LIST, {"as_of_day": "2026-03-02"})

    assert response.status_code == 202, response.json()
    run = ScoringRun.objects.get()
    assert (run.trigger, run.as_of_day, run.state) == ("manual", date(2026, 3, 2), "queued")
    assert run.job is not None
    body = response.json()
    assert (body["id"], body["job"]["id"]) == (run.public_id, run.job.public_id)
    assert client.get(response["Location"]).json()["state"] == "queued"
    assert client.get(body["url"]).json()["as_of_day"] == "2026-03-02"
    assert hints == [run.job_id]
    entry = AuditEntry.objects.get(action="scoring_run.started")
    assert (entry.actor, entry.object_id) == (client.user, run.public_id)
    assert entry.details == {"as_of_day": "2026-03-02"}


def test_the_same_start_sent_again_starts_nothing():
    client = api_client("write")
    headers = {"Idempotency-Key": "nightly"}

    first = client.post(LIST, {"as_of_day": "2026-03-02"}, headers=headers)
    second = client.post(LIST, {"as_of_day": "2026-03-02"}, headers=headers)
    other = client.post(LIST, {"as_of_day": "2026-03-03"}, headers=headers)

    assert first.status_code == 202
    assert second.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert ScoringRun.objects.count() == 1


def test_a_run_without_a_day_takes_today_in_the_shops_zone():
    ShopSettingsFactory(zone="Pacific/Kiritimati")

    response = api_client("write").post(LIST, {})

    assert response.status_code == 202
    assert ScoringRun.objects.get().as_of_day == shop_day(timezone.now())
