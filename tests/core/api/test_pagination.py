"""Pages by keyset: every row once, whatever arrives meanwhile."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.core.api.pagination import CursorPages
from customers.models import Customer, CustomerFacts
from tests.api import api_client
from tests.factories import NOON, CustomerFactory, JobFactory, OrderFactory

pytestmark = pytest.mark.django_db


def walk(client, url, key="next"):
    """Follow ``next`` or ``previous`` to the end and return the pages' ids."""
    pages = []
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.json()
        body = response.json()
        pages.append([row["id"] for row in body["results"]])
        url = body[key]
    return pages


def test_pages_follow_each_other_and_lead_back():
    ids = [customer.public_id for customer in CustomerFactory.create_batch(7)][::-1]
    client = api_client()

    pages = walk(client, "/api/v1/customers/?limit=3")
    assert pages == [ids[:3], ids[3:6], ids[6:]]

    last = client.get("/api/v1/customers/?limit=3")
    for _step in range(2):
        last = client.get(last.json()["next"])
    back = walk(client, last.json()["previous"], "previous")
    assert back == [ids[3:6], ids[:3]]


def test_the_link_header_names_the_neighbours():
    CustomerFactory.create_batch(3)
    client = api_client()

    first = client.get("/api/v1/customers/?limit=1")
    second = client.get(first.json()["next"])

    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    assert second["Link"] == (
        f'<{second.json()["next"]}>; rel="next", <{second.json()["previous"]}>; rel="prev"'
    )
    assert first.json()["previous"] is None
    assert first.json()["next"].startswith("http://testserver/api/v1/customers/?")


def test_no_row_is_lost_or_repeated_while_rows_arrive():
    old = OrderFactory.create_batch(6, placed_at=NOON)
    client = api_client()
    first = client.get("/api/v1/orders/?limit=3").json()

    OrderFactory(placed_at=NOON + timedelta(days=1))
    OrderFactory(placed_at=NOON - timedelta(days=1), external_id="late")
    rest = walk(client, first["next"])

    seen = [row["id"] for row in first["results"]] + [row for page in rest for row in page]
    assert seen[:6] == [order.public_id for order in old[::-1]]
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize("sign", ["", "-"])
def test_unknown_values_come_last_in_both_directions_and_both_ways(sign):
    spends = [Decimal("10.5"), None, Decimal("3"), Decimal("10.5"), None, Decimal("0")]
    rows = []
    for spend in spends:
        customer = CustomerFactory()
        if spend is not None:
            CustomerFacts.objects.create(
                customer=customer, as_of_day=NOON.date(), total_spend=spend
            )
        rows.append((spend, customer.pk, customer.public_id))
    known = sorted((row for row in rows if row[0] is not None), reverse=sign == "-")
    unknown = sorted((row for row in rows if row[0] is None), key=lambda row: row[1])
    if sign == "-":
        unknown.reverse()
    expected = [row[2] for row in known + unknown]
    client = api_client()

    for limit in (1, 2, 4):
        url = f"/api/v1/customers/?ordering={sign}total_spend&limit={limit}"
        pages = walk(client, url)
        assert [row for page in pages for row in page] == expected

        last = client.get(url).json()
        while last["next"]:
            last = client.get(last["next"]).json()
        back = [[row["id"] for row in last["results"]]]
        if last["previous"]:
            back += walk(client, last["previous"], "previous")
        assert [row for page in reversed(back) for row in page] == expected


def test_dates_and_instants_survive_the_cursor():
    for day in (3, 1, 2):
        customer = CustomerFactory()
        CustomerFacts.objects.create(
            customer=customer, as_of_day=NOON.date(), last_order_day=NOON.date().replace(day=day)
        )
    client = api_client()

    pages = walk(client, "/api/v1/customers/?ordering=last_order_day&limit=1")

    days = dict(Customer.objects.values_list("public_id", "facts__last_order_day__day"))
    assert [days[page[0]] for page in pages] == [1, 2, 3]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "x", "", "٣", "1e2", "00000000001"])
def test_a_limit_out_of_bounds_is_refused(limit):
    response = api_client().get("/api/v1/jobs/", {"limit": limit})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "?limit"


def test_the_default_page_has_50_rows_and_the_largest_200():
    JobFactory.create_batch(201)
    client = api_client()

    assert len(client.get("/api/v1/jobs/").json()["results"]) == 50
    assert len(client.get("/api/v1/jobs/?limit=200").json()["results"]) == 200
    assert (CursorPages.default_limit, CursorPages.max_limit) == (50, 200)


def test_a_cursor_of_another_ordering_or_made_up_is_refused():
    CustomerFactory.create_batch(2)
    client = api_client()
    following = client.get("/api/v1/customers/?limit=1").json()["next"]

    for url in (
        following + "&ordering=updated_at",
        following.replace("cursor=", "cursor=x"),
        "/api/v1/customers/?cursor=",
        "/api/v1/customers/?cursor=%00",
        "/api/v1/customers/?cursor=é",
    ):
        response = client.get(url)
        assert response.status_code == 400, url
        assert response.json()["errors"][0]["pointer"] == "?cursor"


def test_an_unknown_ordering_is_refused():
    response = api_client().get("/api/v1/customers/?ordering=password")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "?ordering"


def test_an_empty_list_is_one_empty_page():
    response = api_client().get("/api/v1/products/")

    assert response.json() == {"next": None, "previous": None, "results": []}
    assert not response.has_header("Link")
