"""How well a source tells its customers apart, and what follows for its scores."""

import pytest

from customers.selectors.recognition import recognition_of, unrecognising_sources
from tests.factories import CustomerFactory, OrderFactory, ShopSettingsFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory()


def orders(source, *buyers):
    """Give a source one order for each buyer; None is a guest."""
    for buyer in buyers:
        OrderFactory(source=source, customer=buyer)


def test_shares_are_counted_by_source():
    shop, market = SourceFactory(key="shop"), SourceFactory(key="market")
    ann, bob = CustomerFactory(source=shop), CustomerFactory(source=shop)
    orders(shop, ann, ann, bob, None)
    orders(market, None, None, CustomerFactory(source=market))
    found = recognition_of(shop.pk)
    assert (found.orders, found.keyed, found.customers, found.once) == (4, 3, 2, 1)
    assert (found.keyed_share, found.once_share, found.is_enough) == (0.75, 0.5, True)
    assert [one.source_id for one in unrecognising_sources()] == [market.pk]


def test_cancelled_and_test_orders_say_nothing():
    source = SourceFactory()
    ann = CustomerFactory(source=source)
    orders(source, ann)
    OrderFactory(source=source, customer=None, is_test=True)
    OrderFactory(source=source, customer=None, status="pending")
    assert recognition_of(source.pk).keyed_share == 1


def test_a_source_without_orders_is_not_judged():
    found = recognition_of(SourceFactory().pk)
    assert (found.keyed_share, found.once_share, found.is_enough) == (None, None, True)
    assert unrecognising_sources() == []
