"""Lists begin with what people look for, and are ordered by what an index serves."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, CustomerFacts
from tests.factories import NOON, CustomerFactory, OrderFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"
ORDERS = "/admin/customers/order/"
DAY = NOON.date()


@pytest.fixture
def people():
    """Sixty customers, every second of whom bought: the older a profile, the later its order."""
    ShopSettingsFactory()
    source = CustomerFactory(name="1").source
    Customer.objects.bulk_create(
        Customer(source=source, name=str(number), language="de" if number > 57 else "en")
        for number in range(2, 61)
    )
    rows = list(Customer.objects.order_by("pk"))
    CustomerFacts.objects.bulk_create(
        CustomerFacts(
            customer=row,
            as_of_day=DAY,
            order_count=place % 2,
            last_order_day=DAY - timedelta(days=place) if place % 2 else None,
        )
        for place, row in enumerate(rows)
    )
    return rows


def shown(client, address=LIST):
    return [row.pk for row in client.get(address).context["cl"].result_list]


def test_the_list_begins_with_who_bought_last_and_ends_with_who_never_bought(people, staff_client):
    bought = [row.pk for row in people[1::2]]
    others = [row.pk for row in reversed(people[0::2])]

    first, second = shown(staff_client), shown(staff_client, f"{LIST}?p=2")

    assert first == [*bought, *others[:20]]
    assert second == others[20:]
    assert shown(staff_client, f"{LIST}?language=de") == [
        people[59].pk,
        people[58].pk,
        people[57].pk,
    ]


@pytest.mark.parametrize(("order", "place"), [("who", 0), ("-who", -1), ("country", -1)])
def test_a_page_of_many_is_read_in_the_order_asked_for(people, staff_client, order, place):
    names = sorted((row.name, row.pk) for row in people)
    by_pk = sorted(row.pk for row in people)

    first = shown(staff_client, f"{LIST}?_order={order}")[0]

    # All are of one country: among equals the newest come first.
    assert first == (by_pk if order == "country" else [pk for _name, pk in names])[place]


def test_of_two_columns_the_first_orders_the_list(people, staff_client):
    columns = staff_client.get(LIST).context["cl"].list_display
    orders, spend = columns.index("orders"), columns.index("spend")

    answer = staff_client.get(f"{LIST}?o=-{orders}.{spend}")

    assert answer.context["cl"].order_names == ["-orders"]


def test_a_list_is_not_ordered_by_what_no_index_serves_and_says_so(staff_client):
    ShopSettingsFactory()
    late = OrderFactory(placed_at=NOON)
    early = OrderFactory(placed_at=NOON - timedelta(days=1))
    columns = staff_client.get(ORDERS).context["cl"].list_display
    place = columns.index("status")

    answer = staff_client.get(f"{ORDERS}?o={place}")

    assert [row.pk for row in answer.context["cl"].result_list] == [late.pk, early.pk]
    assert "cannot be ordered by status" in answer.content.decode()
    assert shown(staff_client, f"{ORDERS}?_order=shown_total")


def test_a_filter_offers_the_values_there_are_without_reading_the_rows(people, staff_client):
    with CaptureQueriesContext(connection) as seen:
        answer = staff_client.get(LIST)

    spec = next(one for one in answer.context["cl"].filter_specs if one.title == "language")
    assert [*spec.lookup_choices] == ["", "de", "en"]
    assert not any("DISTINCT" in query["sql"] for query in seen.captured_queries)
