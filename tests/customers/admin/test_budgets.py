"""The record's pages ask the database as often for one row as for twenty."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Attribute
from customers.services import facts
from customers.services.merging import merge_customers
from tests.budgets import statements
from tests.factories import (
    NOON,
    ConsentFactory,
    CustomerFactory,
    ImportBatchFactory,
    JobFactory,
    NoteFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    RefundFactory,
    ReviewFactory,
    ShopSettingsFactory,
    SourceFactory,
    SurveyResponseFactory,
    TaskFactory,
    TicketFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MOST_OF_A_LIST = 12
MOST_OF_A_CUSTOMER = 38
MOST_OF_AN_ORDER = 9


def order(number: int, **more):
    row = OrderFactory(**more)
    OrderLineFactory(order=row)
    RefundFactory(order=row, customer=row.customer)
    return row


def batch(number: int):
    return ImportBatchFactory(
        source=SourceFactory(key=f"shop-{number}"),
        job=JobFactory(kind="customers.import"),
        uploaded_by=UserFactory(),
    )


ROWS = {
    "customer": lambda number: CustomerFactory(email=f"someone{number}@example.com"),
    "order": order,
    "product": lambda number: ProductFactory(),
    "importbatch": batch,
    "source": lambda number: SourceFactory(key=f"shop-{number}"),
    "attribute": lambda number: Attribute.objects.create(
        key=f"key{number}", label=f"Label {number}", type="text"
    ),
}


def test_the_tasks_ask_as_often_for_one_as_for_twenty(staff_client, staff):
    ShopSettingsFactory()
    TaskFactory(assignee=staff)
    one = statements(staff_client, "/admin/customers/task/")

    TaskFactory.create_batch(19, assignee=staff)

    assert one == statements(staff_client, "/admin/customers/task/") <= MOST_OF_A_LIST


@pytest.mark.parametrize("name", ROWS)
def test_a_list_asks_as_often_for_one_row_as_for_twenty(name, staff_client):
    ShopSettingsFactory()
    address = f"/admin/customers/{name}/"
    ROWS[name](0)
    one = statements(staff_client, address)

    for number in range(1, 20):
        ROWS[name](number)
    twenty = statements(staff_client, address)

    shown = staff_client.get(address).context["cl"].result_count
    assert shown >= 20
    assert one == twenty <= MOST_OF_A_LIST


def history(customer, size: int) -> None:
    """Give a customer ``size`` of everything a timeline shows."""
    for number in range(size):
        order(number, customer=customer)
        ReviewFactory(customer=customer)
        SurveyResponseFactory(customer=customer)
        TicketFactory(customer=customer)
        ConsentFactory(customer=customer, at=NOON + timedelta(days=number))
        NoteFactory(customer=customer)
        TaskFactory(customer=customer)
        TaskFactory(customer=customer, done_at=NOON, done_by=UserFactory())
        twin = CustomerFactory(name=customer.name, city=customer.city)
        merge_customers(source_id=twin.pk, target_id=customer.pk, user_id=None, now=NOON)
        CustomerFactory(name=customer.name, city=customer.city)
    while facts.refresh_pending(now=timezone.now(), seconds=10):
        pass


def test_a_customers_page_asks_as_often_for_a_long_history_as_for_a_short_one(staff_client):
    ShopSettingsFactory()
    short, long = (CustomerFactory(city=city) for city in ("York", "Leeds"))
    history(short, 1)
    history(long, 20)

    one = statements(staff_client, f"/admin/customers/customer/{short.pk}/change/")
    twenty = statements(staff_client, f"/admin/customers/customer/{long.pk}/change/")

    assert one == twenty <= MOST_OF_A_CUSTOMER


def test_an_orders_page_asks_as_often_for_many_lines_as_for_one(staff_client):
    ShopSettingsFactory()
    small, large = order(0), order(1)
    for _number in range(19):
        line = OrderLineFactory(order=large)
        RefundFactory(order=large, line=line, customer=large.customer)

    one = statements(staff_client, f"/admin/customers/order/{small.pk}/change/")
    twenty = statements(staff_client, f"/admin/customers/order/{large.pk}/change/")

    assert one == twenty <= MOST_OF_AN_ORDER


def test_the_dashboard_asks_as_often_for_many_orders_as_for_one(staff_client):
    ShopSettingsFactory()
    OrderFactory(placed_at=timezone.now())
    one = statements(staff_client, "/admin/")

    OrderFactory.create_batch(19, placed_at=timezone.now())

    assert statements(staff_client, "/admin/") == one
