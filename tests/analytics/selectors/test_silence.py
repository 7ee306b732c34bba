"""Why there are no scores, or no newer ones, in words: on the customer's page and over REST."""

from datetime import date

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from analytics.ml.ladder import Abstention, Note
from analytics.selectors import panels
from analytics.selectors.wording import explain_run
from tests.api import api_client, publish_scores
from tests.factories import CustomerFactory, ScoringRunFactory, UserFactory

pytestmark = pytest.mark.django_db
LAST = (date(2026, 2, 10) - date(1970, 1, 1)).days
NO_DATA = [
    Abstention(score, "no_data_since", 20, 14, LAST).to_dict() for score in ("rfm", "clv", "churn")
]
SENTENCE = (
    "RFM, Predicted spend, Churn risk: No data since 10 Feb 2026: that is 20 days before this "
    "run, and after more than 14 days a forecast would be guessing. Import newer orders."
)


def silent(**values):
    return ScoringRunFactory(state="abstained", abstentions=NO_DATA, **values)


def page(customer):
    request = RequestFactory().get("/")
    request.user = AnonymousUser()  # of no limited role
    return panels.customer_scores(request, customer.pk)


def test_the_page_of_a_customer_says_why_nobody_has_scores():
    run = silent()

    data = page(CustomerFactory())

    assert data["run"] == run
    assert {card["key"] for card in data["cards"]} == {
        "churn_probability",
        "predicted_clv",
        "rfm_group",
    }
    for card in data["cards"]:
        assert card["value"] == ""
        assert card["silent"].startswith("No data since")


def test_older_scores_stand_with_the_reason_why_there_are_none_newer():
    customer = CustomerFactory()
    old = ScoringRunFactory(state="published", published_at="2026-02-12T03:00Z")
    publish_scores(old, [{"customer": customer, "churn_probability": 0.5}])
    silent()

    data = page(customer)

    assert data["run"] == old
    assert data["caveats"] == [SENTENCE]


def test_a_newer_published_run_ends_the_silence():
    customer = CustomerFactory()
    silent()
    publish_scores(
        ScoringRunFactory(state="published", published_at="2026-03-01T03:00Z"),
        [{"customer": customer}],
    )

    assert page(customer)["caveats"] == []


def test_rest_says_in_words_what_a_run_did_not_score():
    run = silent()

    body = api_client().get(f"/api/v1/scoring-runs/{run.public_id}/").json()

    assert body["sentences"] == [SENTENCE]
    assert [entry["code"] for entry in body["abstentions"]] == ["no_data_since"] * 3


def test_rest_says_why_a_customer_has_no_scores():
    silent()
    customer = CustomerFactory()

    response = api_client().get(f"/api/v1/customers/{customer.public_id}/scores/")

    assert (response.status_code, response.json()["code"]) == (404, "no_scores")
    assert response.json()["detail"] == SENTENCE


def test_a_run_says_what_to_keep_in_mind():
    notes = [
        Note("history_starts_at", day=LAST).to_dict(),
        Note("seasonality_not_learned", 200, 396).to_dict(),
    ]
    run = ScoringRunFactory(parameters={"notes": notes})

    assert explain_run(run) == [
        "The history starts on 10 Feb 2026; earlier orders, if there were any, are not known.",
        "200 days of history: less than 13 months, so seasons are not learned.",
    ]


def test_merged_profiles_are_not_listed_with_the_scores_they_keep():
    kept = CustomerFactory(name="Bea")
    merged = CustomerFactory(lifecycle="merged", merged_into=kept)
    run = ScoringRunFactory(state="published", published_at="2026-03-01T03:00Z")
    values = {"churn_probability": 0.5, "predicted_clv": 10}
    publish_scores(run, [{"customer": who, **values} for who in (kept, merged)])

    listed = api_client().get("/api/v1/scores/").json()["results"]
    request = RequestFactory().get("/")
    request.user = UserFactory(is_superuser=True)
    risky = panels.churn_risk(request, None)["rows"]

    assert [row["customer"] for row in listed] == [kept.public_id]
    assert [row["url"] for row in risky] == [f"/admin/customers/customer/{kept.pk}/change/"]
    assert risky[0]["label"] == kept.name


def test_the_list_of_customers_at_risk_names_nobody_to_who_may_not_read_names():
    customer = CustomerFactory(name="Ann")
    run = ScoringRunFactory(state="published", published_at="2026-03-01T03:00Z")
    publish_scores(run, [{"customer": customer, "churn_probability": 0.5, "predicted_clv": 10}])
    request = RequestFactory().get("/")
    request.user = UserFactory(is_staff=True)

    rows = panels.churn_risk(request, None)["rows"]

    assert [row["label"] for row in rows] == [customer.public_id]
