"""Customers over REST."""

from decimal import Decimal

import pytest
from django.db.models import CharField, FloatField, Value
from django.db.models.functions import Length

from crm.core.registry import ApiExpansion, ApiFilter, registry
from customers.models import CustomerFacts, Identity
from tests.api import api_client
from tests.factories import NOON, CustomerFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/customers/"


def names(client, **query):
    response = client.get(LIST, {"ordering": "id", **query})
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["results"]]


def facts_of(customer, **values):
    return CustomerFacts.objects.create(customer=customer, as_of_day=NOON.date(), **values)


@pytest.mark.parametrize("rows", [1, 20])
def test_list_stays_in_its_query_budget(rows, django_assert_num_queries):
    for customer in CustomerFactory.create_batch(rows):
        facts_of(customer)
        Identity.objects.create(customer=customer, kind="email", value=f"{customer.pk}@example.com")
    client = api_client()
    client.get(LIST)

    # Zone, key, rows, identities, currency.
    with django_assert_num_queries(5):
        response = client.get(LIST, {"expand": "identities"})

    assert len(response.json()["results"]) == rows
    assert len(response.json()["results"][0]["identities"]) == 1


def test_a_customer_looks_like_this():
    ShopSettingsFactory(currency="CNY", zone="Asia/Shanghai")
    customer = CustomerFactory(
        external_id="C1", name="李雷", email="li@example.com", phone="+8613812345678", country="CN"
    )
    facts_of(customer, order_count=3, total_spend=Decimal("120.5"), last_order_at=NOON)

    response = api_client().get(f"{LIST}{customer.public_id}/")

    assert response["Cache-Control"] == "no-store, private"
    body = response.json()
    assert body["id"] == customer.public_id
    assert (body["source"], body["external_id"], body["name"]) == ("test", "C1", "李雷")
    assert body["facts"]["total_spend"] == "120.50"
    assert body["facts"]["margin"] is None
    assert body["facts"]["currency"] == "CNY"
    assert body["facts"]["last_order_at"] == "2026-03-02T12:00:00Z"
    assert body["created_at"].endswith("Z")
    assert "identities" not in body
    assert "pk" not in body


def test_facts_are_null_before_they_are_computed():
    customer = CustomerFactory()

    assert api_client().get(f"{LIST}{customer.public_id}/").json()["facts"] is None


def test_merged_and_erased_customers_are_shown_only_when_asked_for():
    kept = CustomerFactory(name="Kept")
    merged = CustomerFactory(name="Merged", lifecycle="merged", merged_into=kept)
    CustomerFactory(name="", lifecycle="erased")
    client = api_client()

    assert names(client) == ["Kept"]
    assert names(client, lifecycle="merged") == ["Merged"]
    assert names(client, lifecycle="active,merged") == ["Kept", "Merged"]
    body = client.get(f"{LIST}{merged.public_id}/").json()
    assert body["merged_into"] == kept.public_id


def test_search_and_exact_filters():
    CustomerFactory(name="Ada", email="Ada@Example.com", external_id="7", country="GB")
    CustomerFactory(name="Bob", phone="+447911123456", country="FR", is_wholesale=True)
    client = api_client()

    assert names(client, q="ada@") == ["Ada"]
    assert names(client, q="79111") == ["Bob"]
    assert names(client, q="3456") == ["Bob"]
    assert names(client, q="7911") == []  # four digits are the last four
    assert names(client, email="ada@example.COM") == ["Ada"]
    assert names(client, phone="+44 7911-123456") == ["Bob"]
    assert names(client, phone=" 447911123456") == ["Bob"]
    assert names(client, external_id="7") == ["Ada"]
    assert names(client, country="FR") == ["Bob"]
    assert names(client, is_wholesale="false") == ["Ada"]
    assert names(client, source="test") == ["Ada", "Bob"]
    assert names(client, source="elsewhere") == []


def test_ranges_include_both_ends():
    for name, count, spend, day in (("A", 1, "10", 1), ("B", 2, "20.5", 2), ("C", 3, "30", 3)):
        facts_of(
            CustomerFactory(name=name),
            order_count=count,
            total_spend=Decimal(spend),
            last_order_day=NOON.date().replace(day=day),
        )
    CustomerFactory(name="D")
    client = api_client()

    assert names(client, order_count_min=2) == ["B", "C"]
    assert names(client, order_count_min=2, order_count_max=2) == ["B"]
    assert names(client, total_spend_max="20.5") == ["A", "B"]
    assert names(client, last_order_day_min="2026-03-02", last_order_day_max="2026-03-03") == [
        "B",
        "C",
    ]


def test_instants_need_an_offset():
    CustomerFactory(name="A")
    client = api_client()

    assert names(client, created_at_min="2020-01-01T00:00:00Z") == ["A"]
    assert names(client, created_at_max="2020-01-01T00:00:00+08:00") == []
    assert client.get(LIST + "?created_at_min=2020-01-01T00:00:00+08:00").status_code == 200
    response = client.get(LIST, {"created_at_min": "2020-01-01T00:00:00"})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {
            "pointer": "?created_at_min",
            "code": "invalid",
            "detail": "Give an instant with its offset, such as 2026-03-01T00:00:00Z.",
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"order_count_min": "1.5"},
        {"order_count_min": "9" * 40},
        {"total_spend_min": "1e999999"},
        {"total_spend_min": "1e-999999"},
        {"total_spend_min": "NaN"},
        {"last_order_day_min": "02.03.2026"},
        {"is_test": "maybe"},
        {"lifecycle": "active,gone"},
        {"q": "a\x00b"},
        {"q": "a" * 255},
        {"email": "\x00"},
        {"expand": "identities,password"},
        {"created_at_min": "0001-01-01T00:00:00+14:00"},
        {"naem": "x"},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused_and_named(query):
    response = api_client().get(LIST, query)

    assert response.status_code == 400
    assert {error["pointer"] for error in response.json()["errors"]} == {f"?{next(iter(query))}"}


def test_no_list_counts_all_rows(django_assert_num_queries):
    CustomerFactory.create_batch(3)
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3) as captured:
        client.get(LIST, {"q": "Customer", "limit": 1})

    assert not [query for query in captured.captured_queries if "COUNT(" in query["sql"].upper()]


@pytest.fixture
def scores_slot():
    """Let an upper app add an expansion, a range and a choice, for holders of a permission."""
    asked = []

    def load(ids):
        asked.append(list(ids))
        return {ids[0]: {"churn": 0.25}}

    permission = "analytics.view_currentscore"
    registry.api_expansions.register(
        ApiExpansion("test_scores", "customers", load, permission=permission)
    )
    registry.api_filters.register(
        ApiFilter(
            "test_length",
            "customers",
            lambda: Length("name", output_field=FloatField()),
            permission=permission,
        )
    )
    registry.api_filters.register(
        ApiFilter(
            "test_group",
            "customers",
            lambda: Value("loyal", output_field=CharField(choices=[("loyal", "L"), ("lost", "X")])),
            permission=permission,
        )
    )
    yield asked
    registry.api_expansions.unregister("test_scores")
    registry.api_filters.unregister("test_length")
    registry.api_filters.unregister("test_group")


def test_an_upper_app_expands_a_page_with_one_call(scores_slot):
    first, second = CustomerFactory.create_batch(2)
    client = api_client()

    rows = client.get(LIST, {"expand": "test_scores", "ordering": "id"}).json()["results"]

    assert [row["test_scores"] for row in rows] == [{"churn": 0.25}, None]
    assert scores_slot == [[first.pk, second.pk]]
    assert "test_scores" not in client.get(LIST).json()["results"][0]
    one = client.get(f"{LIST}{first.public_id}/?expand=test_scores").json()
    assert one["test_scores"] == {"churn": 0.25}


def test_an_upper_app_filters_and_orders(scores_slot):
    for name in ("aaa", "b", "cc"):
        CustomerFactory(name=name)
    client = api_client()

    assert names(client, test_length_min="1.5") == ["aaa", "cc"]
    assert names(client, test_length_min="1.5", test_length_max="2") == ["cc"]
    assert names(client, ordering="-test_length", limit=2) == ["aaa", "cc"]
    assert names(client, test_group="lost") == []
    assert names(client, test_group="loyal,lost") == ["aaa", "b", "cc"]
    assert client.get(LIST, {"test_group": "x"}).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"expand": "test_scores"},
        {"test_length_min": "1"},
        {"test_group": "lost"},
        {"ordering": "-test_length"},
    ],
    ids=str,
)
def test_what_an_upper_app_adds_needs_its_permission(scores_slot, query):
    client = api_client(permissions=["customers.view_customer"])

    response = client.get(LIST, query)

    assert response.status_code == 403
    assert response.json()["code"] == "missing_permission"
    assert "analytics.view_currentscore" in response.json()["detail"]
    assert scores_slot == []
