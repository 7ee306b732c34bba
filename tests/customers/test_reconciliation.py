"""A month's total of the back office: what explains the difference, to the cent."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from customers.errors import InvalidTotalError
from customers.models import Reconciliation, RejectedOrder
from customers.selectors.reconciliation import explain
from customers.services.reconciliation import state_total
from tests.customers.importing import files
from tests.factories import OrderFactory, ShopSettingsFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db
MARCH = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def source():
    return SourceFactory(key="shop")


def order(source, total, at=datetime(2026, 3, 10, 12, tzinfo=UTC), **more):
    more.setdefault("currency", "EUR")
    return OrderFactory(source=source, total=Decimal(total), placed_at=at, **more)


def state(source, stated, **more):
    told = {"month": MARCH, "currency": "EUR", "zone": "Europe/Berlin", **more}
    return state_total(source_id=source.pk, stated=Decimal(stated), user_id=None, **told)


def why(row):
    found = explain(row)
    return None if found.fitting is None else [part.code for part in found.fitting]


def test_a_month_that_agrees_needs_no_explanation(source):
    order(source, "100.10")
    order(source, "5", at=datetime(2026, 4, 1, 12, tzinfo=UTC))
    row = state(source, "100.10")
    assert (explain(row).ours, explain(row).gap, why(row)) == (Decimal("100.10"), 0, [])


def test_each_way_of_counting_is_found_alone(source):
    order(
        source,
        "100",
        refunded=Decimal("7.01"),
        platform_fee=Decimal("3.02"),
        charges=Decimal("5.03"),
        tax=Decimal("16.04"),
        platform_discount=Decimal("2.05"),
    )
    order(source, "41.06", status="pending")
    order(source, "43.07", status="cancelled", cancelled_at=datetime(2026, 3, 11, tzinfo=UTC))
    order(source, "47.08", is_test=True)
    net = Decimal("92.99")
    for code, change in {
        "refunded": "7.01", "unpaid": "41.06", "cancelled": "43.07", "tests": "47.08",
        "fees": "-3.02", "charges": "-5.03", "tax": "-16.04", "platform_discount": "2.05",
    }.items():  # fmt: skip
        row = state(source, net + Decimal(change))
        assert why(row) == [code]


def test_several_causes_add_up_and_the_fewest_are_shown(source):
    order(source, "100", refunded=Decimal(10))
    order(source, "25", status="cancelled", cancelled_at=datetime(2026, 3, 11, tzinfo=UTC))
    order(source, "15", status="pending")
    assert why(state(source, "125")) == ["refunded", "cancelled"]
    found = explain(state(source, "115"))
    assert [part.code for part in found.fitting] == ["cancelled"]
    assert found.others == 1  # refunded and unpaid come to the same


def test_what_does_not_add_up_is_said_and_never_rounded_away(source):
    order(source, "100", refunded=Decimal("10.00"))
    assert why(state(source, "99.99")) is None
    assert why(state(source, "100.00")) == ["refunded"]


def test_months_that_begin_elsewhere(source):
    # In Berlin this is March already, in London still February; the other way round in Shanghai.
    order(source, "30", at=datetime(2026, 2, 28, 23, 30, tzinfo=UTC))
    order(source, "8", at=datetime(2026, 3, 31, 20, tzinfo=UTC), refunded=Decimal(3))
    assert why(state(source, "5", zone="Europe/London")) == ["zone"]
    assert why(state(source, "30", zone="Asia/Shanghai")) == ["zone"]
    assert why(state(source, "8", zone="Europe/London")) == ["refunded", "zone"]


HEADER = "order_id,placed_at,total,email"


def test_rejected_and_doubled_rows_are_told_until_the_orders_are_there(source):
    rows = (
        "o1,2026-03-02 10:00,10.00,",
        "o2,2026-03-03 10:00,20.50,nobody at all",
        "o3,2026-03-04 10:00,7.00,",
        "o3,2026-03-04 10:00,8.00,",
    )
    batch = files.bring(HEADER, *rows)
    assert files.fates(batch) == (4, 2, 0, 0, 2)
    assert why(state(batch.source, "38.50")) == ["rejected"]
    assert why(state(batch.source, "25")) == ["duplicate"]
    files.bring(HEADER, rows[1].replace("nobody at all", ""))
    assert why(state(batch.source, "38.50")) == []
    assert RejectedOrder.objects.count() == 2


def test_other_sources_and_currencies_are_left_out(source):
    order(source, "100")
    order(SourceFactory(key="other"), "50")
    order(source, "70", currency="USD", exchange_rate=Decimal("0.9"))
    assert why(state(source, "100")) == []
    assert why(state(source, "70", currency="usd")) == []


def test_a_later_word_replaces_an_earlier_one(source):
    state(source, "10")
    row = state(source, "20", month=date(2026, 3, 17))
    assert Reconciliation.objects.get() == row
    assert (row.stated, row.month) == (20, MARCH)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"currency": "euro"}, "euro|EURO"), ({"zone": "Mars"}, "Mars"), ({"stated": "-1"}, "zero")],
)
def test_what_cannot_be_is_refused(source, wrong, says):
    told = {"stated": "1", **wrong}
    with pytest.raises(InvalidTotalError, match=says):
        state(source, told.pop("stated"), **told)
    assert not Reconciliation.objects.exists()


def test_staff_enter_a_month_and_read_the_explanation(staff_client, source):
    order(source, "100", refunded=Decimal("12.34"))
    add = reverse("admin:customers_reconciliation_add")
    assert staff_client.get(f"{add}?source={source.pk}").status_code == 200
    body = {"source": source.pk, "month": "2026-03", "stated": "100", "currency": "EUR",
            "zone": "Europe/Berlin"}  # fmt: skip
    page = staff_client.post(add, body, follow=True)
    words = page.content.decode()
    assert "It counts what was refunded later" in words
    assert "12.34 EUR" in words
    refused = staff_client.post(add, {**body, "zone": "Mars"})
    assert "is no time zone" in refused.content.decode()


def test_who_may_not_add_may_not(client, source):
    client.force_login(UserFactory(is_staff=True))
    add = reverse("admin:customers_reconciliation_add")
    assert client.get(add).status_code == 403
    assert client.post(add, {"source": source.pk}).status_code == 403
