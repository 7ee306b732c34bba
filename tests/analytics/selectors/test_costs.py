"""Which orders' costs a scoring run sees, and what they are in the shop's currency."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.models import CustomerFacts, ExchangeRate
from customers.services.facts.refresh import write_facts
from tests.analytics.services.shops import seen
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    OrderLineFactory,
    RefundFactory,
    ShopSettingsFactory,
)

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 2)
PLACED = datetime(2026, 2, 10, 12, tzinfo=UTC)
DAY = (PLACED.date() - date(1970, 1, 1)).days


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(currency="GBP")


@pytest.fixture
def customer():
    return CustomerFactory()


def order(customer, *costs, at=PLACED, total="100", **values):
    """Place an order with a line for each unit cost."""
    made = OrderFactory(customer=customer, placed_at=at, total=Decimal(total), **values)
    for cost in costs:
        OrderLineFactory(order=made, unit_cost=None if cost is None else Decimal(cost))
    return made


def costs():
    """Return the rows of the frame: customer, days before the day of the orders, money."""
    found = seen(AS_OF).costs
    return sorted(
        (customer, day - DAY, revenue, cost)
        for customer, day, revenue, cost in zip(
            *(column.tolist() for column in vars(found).values()), strict=True
        )
    )


def test_a_days_costs_are_goods_fees_and_shipping(customer):
    order(customer, "12.50", "7.50", platform_fee=Decimal(5), shipping_cost=Decimal(3))
    made = order(customer, total="50")
    OrderLineFactory(order=made, quantity=3, unit_cost=Decimal(4))
    OrderLineFactory(order=made, kind="charge", product=None)
    order(customer, "10", at=PLACED + timedelta(days=1))
    other = CustomerFactory()
    order(other, "60")

    assert costs() == [
        (customer.pk, 0, 150.0, 20.0 + 8.0 + 12.0),
        (customer.pk, 1, 100.0, 10.0),
        (other.pk, 0, 100.0, 60.0),
    ]


def test_an_order_counts_only_with_all_its_costs(customer):
    order(customer, "10", None)
    order(customer)
    order(customer, "10", total="0")
    known = order(customer, "10")
    OrderLineFactory(order=known, quantity=0, unit_cost=None)

    assert costs() == [(customer.pk, 0, 100.0, 10.0)]


def test_only_orders_that_are_purchases_count(customer):
    order(customer, "10", is_test=True)
    order(customer, "10", exchange_rate=None)
    order(customer, "10", status="pending")
    order(customer, "10", status="cancelled", cancelled_at=PLACED)
    order(customer, "10", at=datetime(2026, 3, 2, tzinfo=UTC))
    order(CustomerFactory(lifecycle="erased"), "10")
    paid = {"paid_at": PLACED, "status": "cancelled", "cancelled_at": PLACED}
    order(customer, "40", **paid)

    assert costs() == [(customer.pk, 0, 100.0, 40.0)]


def test_what_came_back_is_not_taken_off(customer):
    made = order(customer, "40", refunded=Decimal(50), refunded_shop=Decimal(50))
    made.lines.update(quantity=2, refunded_quantity=1)
    RefundFactory(customer=customer, order=made, refunded_at=PLACED, amount=Decimal(50))

    assert costs() == [(customer.pk, 0, 100.0, 80.0)]


def test_costs_are_converted_as_for_the_facts(customer):
    rate = {"currency": "USD", "exchange_rate": Decimal("0.8"), "platform_fee": Decimal(10)}
    mixed = order(customer, "10", total="200", **rate)
    for currency, cost in (("USD", 20), ("EUR", 30), ("GBP", 5)):
        OrderLineFactory(order=mixed, unit_cost=Decimal(cost), cost_currency=currency)

    assert costs() == []  # nobody told what a euro was worth

    ExchangeRate.objects.create(
        currency="EUR", shop_currency="GBP", day=PLACED.date(), rate=Decimal("0.5")
    )
    ((_customer, _day, revenue, cost),) = costs()
    assert (revenue, cost) == (160.0, 8.0 + 10.0 + 16.0 + 15.0 + 5.0)
    write_facts([customer.pk], now=PLACED + timedelta(days=1))
    assert float(CustomerFacts.objects.get().margin) == revenue - cost
