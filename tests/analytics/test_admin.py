"""Scoring runs in the web admin, and the scores on the customers' list."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.api import publish_scores
from tests.budgets import statements
from tests.factories import (
    NOON,
    CustomerFactory,
    JobFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
)

pytestmark = pytest.mark.django_db
MOST_OF_A_LIST = 7
CUSTOMERS = "/admin/customers/customer/"


def test_the_list_of_runs_asks_as_often_for_one_row_as_for_twenty(staff_client):
    ShopSettingsFactory()
    address = "/admin/analytics/scoringrun/"
    ScoringRunFactory(job=JobFactory(kind="analytics.score"))
    one = statements(staff_client, address)

    for number in range(1, 20):
        ScoringRunFactory(
            job=JobFactory(kind="analytics.score"),
            as_of_day=date(2026, 3, 2) - timedelta(days=number),
        )
    twenty = statements(staff_client, address)

    assert staff_client.get(address).context["cl"].result_count == 20
    assert one == twenty <= MOST_OF_A_LIST


@pytest.fixture
def spenders():
    """Three customers of known spend to come, and one nobody knows anything about."""
    ShopSettingsFactory()
    unknown = CustomerFactory(name="Unknown")
    low, high, middle = (CustomerFactory(name=name) for name in ("Low", "High", "Middle"))
    run = ScoringRunFactory(state="published", published_at=NOON, currency="GBP", horizon_days=90)
    rows = {low: 5, high: 900, middle: 40}
    publish_scores(
        run,
        [
            {"customer": customer, "predicted_clv": Decimal(spend), "churn_probability": 0.5}
            for customer, spend in rows.items()
        ],
    )
    return {"unknown": unknown, "low": low, "middle": middle, "high": high}


def position(client, key: str) -> int:
    """Return a column's number in the list's ordering parameter."""
    names = [
        getattr(column, "__name__", column)
        for column in client.get(CUSTOMERS).context["cl"].list_display
    ]
    return names.index(key)


@pytest.mark.parametrize(
    ("sign", "order"),
    [("", ["Low", "Middle", "High", "Unknown"]), ("-", ["High", "Middle", "Low", "Unknown"])],
)
def test_customers_are_ordered_by_a_score_and_the_unknown_come_last(
    sign, order, spenders, staff_client
):
    column = position(staff_client, "predicted_clv")

    shown = staff_client.get(f"{CUSTOMERS}?o={sign}{column}").context["cl"].result_list

    assert [customer.name for customer in shown] == order


@pytest.mark.parametrize(("sign", "order"), [("", ["Low", "High"]), ("-", ["High", "Low"])])
def test_a_page_by_a_score_is_read_by_the_scores_and_not_sorted_from_all(
    sign, order, spenders, staff_client
):
    words = {"name__in": "High,Low", "_order": f"{sign}predicted_clv"}

    shown = staff_client.get(CUSTOMERS, words).context["cl"].result_list

    assert [customer.name for customer in shown] == order
    ids = ", ".join(str(spenders[name.lower()].pk) for name in order)
    assert f"IN ({ids})" in str(shown.query)


def test_only_those_whose_risk_is_not_low_are_listed_at_risk(staff_client):
    ShopSettingsFactory()
    run = ScoringRunFactory(state="published", published_at=NOON, currency="GBP", horizon_days=90)
    risks = {"Safe spender": (0.39, 9000), "Gone": (0.95, 2), "Wavering": (0.4, 100)}
    publish_scores(
        run,
        [
            {
                "customer": CustomerFactory(name=name),
                "churn_probability": risk,
                "predicted_clv": Decimal(spend),
            }
            for name, (risk, spend) in risks.items()
        ],
    )

    shown = staff_client.get("/admin/dashboard/churn_risk/").context["panel"]["data"]

    assert [row["label"] for row in shown["rows"]] == ["Wavering", "Gone"]


def test_a_run_without_forecasts_leads_to_what_is_missing(staff_client):
    ShopSettingsFactory()
    customer = CustomerFactory()
    panel = "/admin/dashboard/churn_risk/"
    assert "No scores yet." in staff_client.get(panel).content.decode()

    run = ScoringRunFactory(state="published", published_at=NOON)
    publish_scores(run, [{"customer": customer, "rfm_group": "loyal"}])

    words = staff_client.get(panel).content.decode()
    assert "There is not enough data for this forecast yet." in words
    assert f'<a href="/admin/analytics/scoringrun/{run.pk}/change/">What is missing</a>' in words


def test_the_customers_page_dates_the_next_order_and_counts_the_orders_expected(staff_client):
    ShopSettingsFactory()
    customer = CustomerFactory()
    run = ScoringRunFactory(
        state="published", published_at=NOON, as_of_day=date(2026, 12, 1), horizon_days=60
    )
    row = {
        "customer": customer,
        "expected_orders": 1.26,
        "orders_low": 0.0,
        "orders_high": 3.0,
        "next_order_from": date(2026, 12, 3),
        "next_order_until": date(2026, 12, 21),
    }
    publish_scores(run, [row])

    page = staff_client.get(f"{CUSTOMERS}{customer.pk}/change/").content.decode()

    dated = page.partition('id="score-next_order"')[2].partition("</details>")[0]
    assert "Next order" in dated
    assert "3–21 December" in dated
    assert "is below one half." in dated
    counted = page.partition('id="score-expected_orders"')[2].partition("</details>")[0]
    assert "1.3" in counted
    assert "0 – 3 · in 60 days" in counted


def test_a_customer_without_a_date_is_told_why(staff_client):
    ShopSettingsFactory()
    customer = CustomerFactory()
    run = ScoringRunFactory(
        state="published", published_at=NOON, as_of_day=date(2026, 12, 1), horizon_days=60
    )
    row = {"customer": customer, "churn_probability": 0.8, "next_order_abstained": "order_unlikely"}
    publish_scores(run, [row])

    page = staff_client.get(f"{CUSTOMERS}{customer.pk}/change/").content.decode()

    said = page.partition('id="score-next_order"')[2].partition("</details>")[0]
    assert "No date: the chance of an order within 60 days is below one half." in said


def test_the_customers_page_shows_the_margin_with_as_many_questions_as_before(staff_client):
    ShopSettingsFactory()
    run = ScoringRunFactory(
        state="published",
        published_at=NOON,
        currency="GBP",
        abstentions=[{"score": "margin_12m", "code": "costs_unknown", "have": 12, "need": 50}],
        parameters={"margin_12m": {"shop_rate": 0.4, "half_spend": 100.0, "is_own": True,
                                   "known_share": 0.9}},
    )  # fmt: skip
    earning, silent = CustomerFactory(), CustomerFactory()
    value = {"clv_12m": Decimal(400), "predicted_clv": Decimal(90)}
    publish_scores(
        run,
        [
            {"customer": earning, **value, "margin_12m": Decimal("152.25")},
            {"customer": silent, **value},
        ],
    )
    told, asked = {}, {}
    for customer in (earning, silent):
        address = f"{CUSTOMERS}{customer.pk}/change/"
        page = staff_client.get(address).content.decode()
        told[customer] = page.partition('id="score-margin_12m"')[2].partition("</details>")[0]
        asked[customer] = statements(staff_client, address)

    assert "152.25" in told[earning]
    assert "Margin rate 38 %; that of the whole shop is 40 %." in told[earning]
    assert "known for 12 % of the spend of the last 365 days; 50 % is needed." in told[silent]
    assert asked[earning] == asked[silent]
