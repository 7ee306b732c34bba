from datetime import date, timedelta
from decimal import Decimal

import pytest

from customers.selectors.revenue import revenue_by_week
from tests.factories import NOON, CustomerFactory, OrderFactory, RefundFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)


def test_revenue_is_net_of_refunds_with_and_without_an_order(django_assert_num_queries):
    ShopSettingsFactory()
    week = timedelta(weeks=1)
    order = OrderFactory(total=Decimal(100), refunded=Decimal(30), refunded_shop=Decimal(30))
    RefundFactory(order=order, customer=order.customer, amount=Decimal(30))
    OrderFactory(total=Decimal(50), placed_at=NOON - week)
    RefundFactory(customer=CustomerFactory(), refunded_at=NOON - week, amount=Decimal(8))
    RefundFactory(customer=None, refunded_at=NOON - 2 * week, amount=Decimal(5))
    RefundFactory(customer=None, amount=Decimal(9), amount_shop=None)

    with django_assert_num_queries(2):
        weeks = revenue_by_week(until=MONDAY, weeks=4)

    assert [(row.monday, row.revenue, row.orders) for row in weeks] == [
        (MONDAY - 3 * week, 0, 0),
        (MONDAY - 2 * week, -5, 0),
        (MONDAY - week, 42, 1),
        (MONDAY, 70, 1),
    ]
