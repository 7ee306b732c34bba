"""Exchange rates: which are missing, and what entering one does."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from customers.models import ExchangeRate, Order
from tests.factories import OrderFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "admin:customers_exchangerate_changelist"
ADD = "admin:customers_exchangerate_add"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(currency="GBP", zone="UTC")


@pytest.fixture
def dollars():
    at = datetime(2026, 2, 1, 12, tzinfo=UTC)
    return [OrderFactory(currency="USD", exchange_rate=None, placed_at=at) for _order in range(2)]


def test_days_without_a_rate_are_named_and_lead_to_the_form(staff_client, dollars):
    words = staff_client.get(reverse(LIST)).content.decode()
    assert "Days whose orders count nowhere" in words
    assert f"{reverse(ADD)}?currency=USD&amp;day=2026-02-01" in words
    form = staff_client.get(f"{reverse(ADD)}?currency=USD&day=2026-02-01").content.decode()
    assert 'value="USD"' in form


def test_a_currency_leads_to_one_rate_for_all_of_its_days(staff_client, dollars):
    OrderFactory(currency="USD", exchange_rate=None, placed_at=datetime(2026, 3, 4, tzinfo=UTC))
    words = staff_client.get(reverse(LIST)).content.decode()
    assert "3 orders in USD, from 1 Feb 2026 to 4 Mar 2026." in words
    asked = "currency=USD&amp;day=2026-02-01&amp;until=2026-03-04"
    assert f'{reverse(ADD)}?{asked}">Enter one rate for all of these days' in words
    form = staff_client.get(f"{reverse(ADD)}?currency=USD&day=2026-02-01&until=2026-03-04")
    assert 'value="2026-03-04"' in form.content.decode()

    OrderFactory(currency="USD", exchange_rate=None, placed_at=datetime(2027, 3, 4, tzinfo=UTC))
    words = staff_client.get(reverse(LIST)).content.decode()
    assert "until=2027-02-01" in words
    assert "Enter one rate for the first year" in words


def test_a_rate_is_shown_without_empty_digits(staff_client):
    ExchangeRate.objects.create(
        currency="USD", shop_currency="GBP", day=date(2026, 2, 1), rate=Decimal("0.8")
    )
    assert ">0.8<" in staff_client.get(reverse(LIST)).content.decode()


def test_a_rate_converts_the_orders_of_its_day(staff_client, dollars):
    body = {"currency": "usd", "day": "2026-02-01", "rate": "0.8"}
    words = staff_client.post(reverse(ADD), body, follow=True).content.decode()
    assert "2 orders were converted" in words
    assert "Days whose orders count nowhere" not in words
    assert ExchangeRate.objects.get().day == date(2026, 2, 1)
    assert set(Order.objects.values_list("total_shop", flat=True)) == {Decimal(16)}


def test_one_rate_may_hold_for_a_span_of_days(staff_client, dollars):
    body = {"currency": "USD", "day": "2026-01-31", "until": "2026-02-02", "rate": "0.8"}
    staff_client.post(reverse(ADD), body, follow=True)
    assert ExchangeRate.objects.count() == 3
    assert set(Order.objects.values_list("total_shop", flat=True)) == {Decimal(16)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"currency": "GBP"}, "other than the shop"),
        ({"rate": "0"}, "above zero"),
        ({"until": "2026-01-01"}, "no earlier"),
        ({"until": "2028-01-01"}, "within a year"),
    ],
)
def test_what_is_no_rate_is_refused(staff_client, dollars, wrong, says):
    body = {"currency": "USD", "day": "2026-02-01", "rate": "0.8", **wrong}
    assert says in staff_client.post(reverse(ADD), body).content.decode()
    assert not ExchangeRate.objects.exists()


def test_who_may_not_add_a_rate_may_not(client, dollars):
    client.force_login(UserFactory(is_staff=True))
    assert client.post(reverse(ADD), {"currency": "USD"}).status_code == 403
