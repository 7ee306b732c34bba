"""A customer's timeline: everything once, newest first, a bounded number of queries."""

from datetime import timedelta

import pytest

from crm.core.registry import registry
from customers.selectors.timeline import timeline
from tests.factories import (
    NOON,
    ConsentFactory,
    CustomerFactory,
    OrderFactory,
    RefundFactory,
    ReviewFactory,
    TicketFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def pages(customer, limit):
    cursor, found = "", []
    while cursor is not None:
        page = timeline(customer_id=customer.pk, cursor=cursor, limit=limit)
        found += page.entries
        cursor = page.next_cursor
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_every_entry_is_on_exactly_one_page_even_when_all_share_an_instant(limit):
    customer = CustomerFactory()
    OrderFactory.create_batch(3, customer=customer)
    RefundFactory.create_batch(2, customer=customer)
    ReviewFactory.create_batch(2, customer=customer)
    TicketFactory(customer=customer, opened_at=NOON + timedelta(seconds=1))
    ConsentFactory(customer=customer, at=NOON - timedelta(days=1))
    OrderFactory()  # somebody else's

    found = pages(customer, limit)

    assert len({(entry.source, entry.pk) for entry in found}) == len(found) == 9
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    assert found[0].source == "ticket"


def test_kinds_can_be_chosen():
    customer = CustomerFactory()
    OrderFactory(customer=customer)
    ReviewFactory(customer=customer)

    found = timeline(customer_id=customer.pk, kinds=["review"]).entries

    assert [entry.source for entry in found] == ["review"]


@pytest.mark.parametrize("rows", [1, 20])
def test_a_page_costs_one_query_a_source(rows, django_assert_max_num_queries):
    customer = CustomerFactory()
    OrderFactory.create_batch(rows, customer=customer)

    with django_assert_max_num_queries(len(registry.timeline_sources)):
        timeline(customer_id=customer.pk)


def test_who_may_not_see_orders_sees_none_here_either():
    customer = CustomerFactory()
    OrderFactory(customer=customer)

    assert timeline(customer_id=customer.pk, user=UserFactory()).entries == []


def test_an_unreadable_cursor_starts_over():
    customer = CustomerFactory()
    OrderFactory(customer=customer)

    assert len(timeline(customer_id=customer.pk, cursor="nonsense").entries) == 1
