"""Scoring runs over REST."""

from datetime import date

import pytest

from tests.api import api_client
from tests.factories import NOON, JobFactory, ScoringRunFactory

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
