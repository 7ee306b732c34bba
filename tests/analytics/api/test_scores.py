"""Scores over REST."""

from datetime import date
from decimal import Decimal

import pytest

from tests.api import api_client, publish_scores
from tests.factories import NOON, CustomerFactory, ScoringRunFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/scores/"


@pytest.fixture
def run():
    return ScoringRunFactory(
        state="published",
        published_at=NOON,
        as_of_day=date(2026, 3, 2),
        model_name="mbg_nbd",
        model_version="1",
        horizon_days=90,
        currency="GBP",
    )


def score(**values):
    return {
        "customer": CustomerFactory(),
        "churn_probability": 0.25,
        "churn_low": 0.2,
        "churn_high": 0.3,
        "predicted_clv": Decimal("120.50"),
        "clv_low": Decimal("40"),
        "clv_high": Decimal("300"),
        "clv_12m": Decimal("400"),
        "margin_12m": Decimal("152"),
        "rfm_group": "loyal",
        "r_score": 4,
        "f_score": 4,
        "m_score": 3,
        "expected_orders": 1.5,
        "orders_low": 0.0,
        "orders_high": 3.0,
        "next_order_from": date(2026, 3, 5),
        "next_order_until": date(2026, 4, 2),
        "p_alive": 0.9,
        "satisfaction": 71.0,
        "satisfaction_low": 60.0,
        "satisfaction_high": 80.0,
        "satisfaction_n_eff": 2.5,
        "satisfaction_inferred": 0.4,
        "reasons": {"churn": [{"code": "days_since_last_order", "value": 12}]},
        **values,
    }


def customers(client, **query):
    response = client.get(LIST, query)
    assert response.status_code == 200, response.json()
    return [row["customer"] for row in response.json()["results"]]


def test_a_score_names_its_definition_horizon_interval_and_run(run):
    row = score()
    publish_scores(run, [row])

    body = api_client().get(f"/api/v1/customers/{row['customer'].public_id}/scores/").json()

    assert (body["customer"], body["run"]) == (row["customer"].public_id, run.public_id)
    assert (body["as_of_day"], body["horizon_days"]) == ("2026-03-02", 90)
    assert body["model"] == {"name": "mbg_nbd", "version": "1"}
    assert body["abstained"] is None
    assert body["rfm"] == {"r": 4, "f": 4, "m": 3, "group": "loyal"}
    assert body["churn_probability"] == {
        "value": 0.25,
        "low": 0.2,
        "high": 0.3,
        "horizon_days": 90,
        "definition": "Probability of no order in the 90 days from 2026-03-02 on.",
    }
    clv = body["predicted_clv"]
    assert (clv["value"], clv["low"], clv["high"], clv["currency"]) == (
        "120.50",
        "40.00",
        "300.00",
        "GBP",
    )
    assert clv["definition"].startswith("Expected spend in the 90 days from 2026-03-02 on")
    assert body["clv_12m"]["value"] == "400.00"
    assert body["margin_12m"] == {
        "value": "152.00",
        "currency": "GBP",
        "abstained": None,
        "definition": "Expected margin in the 365 days from 2026-03-02 on, discounted to that day: "
        "spend less the costs of the goods, platform fees and shipping.",
    }
    assert (body["satisfaction"]["value"], body["satisfaction"]["inferred"]) == (71.0, 0.4)
    assert (body["expected_orders"], body["p_alive"]) == (1.5, 0.9)
    assert (body["orders_low"], body["orders_high"]) == (0.0, 3.0)
    assert body["next_order"] == {
        "from_day": "2026-03-05",
        "until_day": "2026-04-02",
        "abstained": None,
        "horizon_days": 90,
        "definition": "Half of the next orders come within these days, if they come; no date where "
        "the chance of an order in the 90 days from 2026-03-02 on is below one half.",
    }
    assert body["reasons"] == {"churn": [{"code": "days_since_last_order", "value": 12}]}


def test_what_was_not_scored_is_null_and_says_why(run):
    customer = CustomerFactory()
    publish_scores(run, [{"customer": customer, "abstained": "no_orders"}])

    body = api_client().get(f"/api/v1/customers/{customer.public_id}/scores/").json()

    assert body["abstained"] == "no_orders"
    assert body["churn_probability"]["value"] is None
    assert body["predicted_clv"]["value"] is None
    assert body["rfm"]["group"] is None
    assert (body["orders_low"], body["orders_high"]) == (None, None)


def test_a_margin_that_the_run_does_not_give_says_why(run):
    run.abstentions = [{"score": "margin_12m", "code": "costs_unknown", "have": 0, "need": 50}]
    run.save()
    row = score(margin_12m=None)
    publish_scores(run, [row])

    body = api_client().get(f"/api/v1/customers/{row['customer'].public_id}/scores/").json()

    assert (body["margin_12m"]["value"], body["clv_12m"]["value"]) == (None, "400.00")
    assert body["margin_12m"]["abstained"] == "costs_unknown"


def test_scores_are_filtered_and_ordered_by_the_margin(run):
    much, little, unknown = score(), score(margin_12m=Decimal(-3)), score(margin_12m=None)
    publish_scores(run, [much, little, unknown])
    ids = [row["customer"].public_id for row in (much, little, unknown)]
    client = api_client()

    assert customers(client, margin_12m_min="0") == ids[:1]
    assert customers(client, ordering="-margin_12m") == ids
    found = client.get("/api/v1/customers/", {"margin_12m_max": "100"}).json()["results"]
    assert [row["id"] for row in found] == ids[1:2]


def test_a_next_order_without_a_date_says_why(run):
    row = score(next_order_from=None, next_order_until=None, next_order_abstained="order_unlikely")
    publish_scores(run, [row])

    body = api_client().get(f"/api/v1/customers/{row['customer'].public_id}/scores/").json()

    found = body["next_order"]
    assert (found["from_day"], found["until_day"]) == (None, None)
    assert found["abstained"] == "order_unlikely"
    assert body["abstained"] is None
    assert body["expected_orders"] == 1.5


def test_scores_are_filtered_and_ordered_by_the_next_order(run):
    late = score(next_order_from=date(2026, 4, 1), next_order_until=date(2026, 5, 30))
    soon = score()
    never = score(
        next_order_from=None, next_order_until=None, next_order_abstained="order_unlikely"
    )
    publish_scores(run, [late, soon, never])
    late_id, soon_id, never_id = (row["customer"].public_id for row in (late, soon, never))
    client = api_client()

    assert customers(client, ordering="next_order_from") == [soon_id, late_id, never_id]
    assert customers(client, ordering="-next_order_until") == [late_id, soon_id, never_id]
    assert customers(client, next_order_from_max="2026-03-05") == [soon_id]
    assert customers(client, next_order_until_min="2026-04-03") == [late_id]
    assert client.get(LIST, {"next_order_from_min": "soon"}).status_code == 400


def test_customers_are_filtered_and_ordered_by_the_next_order(run):
    late = score(next_order_from=date(2026, 4, 1), next_order_until=date(2026, 5, 30))
    soon = score()
    publish_scores(run, [late, soon])
    late_id, soon_id = (row["customer"].public_id for row in (late, soon))
    client = api_client()

    def listed(**query):
        rows = client.get("/api/v1/customers/", query).json()["results"]
        return [row["id"] for row in rows]

    assert listed(ordering="-next_order_from") == [late_id, soon_id]
    assert listed(next_order_from_max="2026-03-31") == [soon_id]
    assert listed(next_order_until_min="2026-05-30") == [late_id]


def test_before_the_first_run_there_are_no_scores():
    customer = CustomerFactory()

    response = api_client().get(f"/api/v1/customers/{customer.public_id}/scores/")

    assert (response.status_code, response.json()["code"]) == (404, "no_scores")
    assert customers(api_client()) == []


def test_only_the_published_run_is_shown(run):
    row = score()
    publish_scores(run, [row])
    newer = ScoringRunFactory(as_of_day=date(2026, 3, 3))
    publish_scores(newer, [score(customer=row["customer"], churn_probability=0.5)])

    body = api_client().get(LIST).json()["results"]

    assert [(one["run"], one["churn_probability"]["value"]) for one in body] == [
        (newer.public_id, 0.5)
    ]


def test_scores_are_filtered_and_ordered_with_the_unscored_last(run):
    low = score(predicted_clv=Decimal("5"), churn_probability=0.9, rfm_group="lost")
    high = score(predicted_clv=Decimal("500"), satisfaction=20.0)
    unknown = {"customer": CustomerFactory(), "abstained": "no_orders"}
    publish_scores(run, [low, high, unknown])
    rows: list[dict] = [low, high, unknown]
    low_id, high_id, unknown_id = (row["customer"].public_id for row in rows)
    client = api_client()

    assert customers(client, ordering="-predicted_clv") == [high_id, low_id, unknown_id]
    assert customers(client, ordering="predicted_clv") == [low_id, high_id, unknown_id]
    assert customers(client, ordering="-churn_probability", limit=1) == [low_id]
    assert customers(client, churn_probability_min="0.9") == [low_id]
    assert customers(client, predicted_clv_max="5.00") == [low_id]
    assert customers(client, satisfaction_max=20) == [high_id]
    assert customers(client, rfm_group="lost,champions") == [low_id]
    assert customers(client, is_abstained="true") == [unknown_id]
    assert customers(client, is_abstained="false") == [low_id, high_id]
    assert customers(client, customer=high_id) == [high_id]
    assert client.get(LIST, {"rfm_group": "best"}).status_code == 400


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, run, django_assert_num_queries):
    publish_scores(run, [score() for _number in range(rows)])
    client = api_client()
    client.get(LIST)

    # Zone, key, rows with the score, rows without.
    with django_assert_num_queries(4):
        response = client.get(LIST, {"ordering": "-churn_probability"})

    assert len(response.json()["results"]) == rows
