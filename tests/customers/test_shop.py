"""Settings of the shop and exchange rates: what follows when they change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.models import AuditEntry, Job
from crm.core.services import jobs
from customers.models import CustomerFacts, ExchangeRate, FactsMark, ShopSettings
from customers.services import facts, shop
from tests.factories import (
    NOON,
    CustomerFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    RefundFactory,
    ShopSettingsFactory,
    UserFactory,
)
from tests.workers import sweep_until_final

LATE = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)  # the next day in Shanghai


@pytest.fixture
def settings_row(db):
    return ShopSettingsFactory()


def finish(job, limit=2):
    held = jobs.claim_job(job_id=job.pk, worker="here:1", now=timezone.now())
    while not shop.recount_chunk(held, now=NOON, limit=limit):
        pass
    job.refresh_from_db()
    return job


def test_a_new_zone_moves_days_and_marks_everybody(settings_row):
    orders = [OrderFactory(placed_at=LATE) for _order in range(3)]
    noon = OrderFactory(placed_at=NOON - timedelta(hours=6))
    refund = RefundFactory(order=orders[0], customer=orders[0].customer, refunded_at=LATE)

    row, job = shop.update_shop_settings(changes={"zone": "Asia/Shanghai"}, user_id=None)
    finish(job)

    for order in orders:
        order.refresh_from_db()
        assert (order.placed_day, order.total_shop) == (date(2026, 3, 3), Decimal("20.0000"))
    noon.refresh_from_db()
    refund.refresh_from_db()
    assert (noon.placed_day, refund.refunded_day) == (date(2026, 3, 2), date(2026, 3, 3))
    assert row.zone == "Asia/Shanghai"
    assert job.result == {"orders": 3, "refunds": 1, "customers": 4}
    assert (job.done, job.total, FactsMark.objects.count()) == (5, 5, 4)


def test_a_new_currency_converts_by_the_days_rate_and_leaves_out_what_has_none(settings_row):
    pounds = OrderFactory(total=Decimal("10.00"), refunded=Decimal("2.00"), refunded_shop=2)
    refund = RefundFactory(order=pounds, customer=pounds.customer, amount=Decimal("2.00"))
    euros = OrderFactory(currency="EUR", exchange_rate=Decimal("0.9"))
    unknown = OrderFactory(currency="USD", exchange_rate=Decimal("0.8"))
    ExchangeRate.objects.create(
        currency="GBP", shop_currency="EUR", day=date(2026, 3, 2), rate=Decimal("1.15")
    )

    _row, job = shop.update_shop_settings(changes={"currency": "EUR"}, user_id=None)
    finish(job)

    for row in (pounds, euros, unknown, refund):
        row.refresh_from_db()
    assert (pounds.total_shop, pounds.refunded_shop) == (Decimal("11.5000"), Decimal("2.3000"))
    assert refund.amount_shop == Decimal("2.3000")
    assert (euros.exchange_rate, euros.total_shop) == (1, Decimal("20.0000"))
    assert (unknown.exchange_rate, unknown.total_shop) == (None, None)


def margins():
    facts.refresh_pending(now=NOON, seconds=5)
    return dict(CustomerFacts.objects.values_list("customer_id", "margin"))


def test_costs_keep_the_currency_they_were_told_in(settings_row):
    """10 GBP sold for 20 GBP, then the shop counts in euros: neither number may stay as it is."""
    known = OrderFactory(total=Decimal("20.00"))
    unknown = OrderFactory(total=Decimal("20.00"), placed_at=NOON - timedelta(days=1))
    euros = OrderFactory(currency="EUR", exchange_rate=Decimal("0.8"), total=Decimal("20.00"))
    for order in (known, unknown, euros):
        OrderLineFactory(order=order, quantity=1, unit_cost=Decimal("10.00"))
    free = OrderLineFactory(order=known, quantity=1, unit_cost=None, kind="charge")
    product = ProductFactory(unit_cost=Decimal("10.00"))
    ExchangeRate.objects.create(
        currency="GBP", shop_currency="EUR", day=date(2026, 3, 2), rate=Decimal("1.25")
    )

    _row, job = shop.update_shop_settings(changes={"currency": "EUR"}, user_id=None)
    late = OrderLineFactory(order=known, quantity=1, unit_cost=Decimal("1.00"))  # told in euros
    finish(job)

    found = margins()
    assert found[known.customer_id] == Decimal("11.5")  # 25 − 12.5 − 1
    assert found[euros.customer_id] == Decimal("7.5")  # 20 − 12.5
    assert found[unknown.customer_id] is None
    for row in (free, product, late):
        row.refresh_from_db()
    assert (free.cost_currency, product.cost_currency, late.cost_currency) == ("", "GBP", "")
    shop.set_exchange_rate(currency="GBP", day=date(2026, 3, 1), rate=Decimal("1.2"), now=NOON)
    assert margins()[unknown.customer_id] == Decimal("12.0")  # 24 − 12


def test_two_currencies_in_a_row_leave_every_cost_its_own(settings_row):
    first = OrderLineFactory(unit_cost=Decimal("10.00"))
    _row, euros = shop.update_shop_settings(changes={"currency": "EUR"}, user_id=None)
    second = OrderLineFactory(unit_cost=Decimal("10.00"))
    _row, dollars = shop.update_shop_settings(changes={"currency": "USD"}, user_id=None)
    third = OrderLineFactory(unit_cost=Decimal("10.00"))

    finish(dollars)
    finish(euros)

    for line in (first, second, third):
        line.refresh_from_db()
    assert [line.cost_currency for line in (first, second, third)] == ["GBP", "EUR", ""]


def test_a_rate_marks_whose_margin_rests_on_it(settings_row):
    order = OrderFactory()
    OrderLineFactory(order=order, unit_cost=Decimal("10.00"), cost_currency="USD", quantity=1)
    facts.mark_all_dirty()
    assert margins()[order.customer_id] is None

    shop.set_exchange_rate(currency="USD", day=date(2026, 3, 2), rate=Decimal("0.5"), now=NOON)

    assert margins()[order.customer_id] == Decimal("15.0")


def test_a_new_zone_keeps_the_rate_an_order_came_with(settings_row):
    order = OrderFactory(currency="USD", exchange_rate=Decimal("0.8"), placed_at=LATE)

    _row, job = shop.update_shop_settings(changes={"zone": "Asia/Shanghai"}, user_id=None)
    finish(job)

    order.refresh_from_db()
    assert (order.exchange_rate, order.total_shop) == (Decimal("0.8"), Decimal("16.0000"))


def test_what_changes_neither_day_nor_money_starts_nothing(settings_row):
    CustomerFactory()
    user = UserFactory()

    _row, job = shop.update_shop_settings(changes={"name": "New name"}, user_id=user.pk)

    assert (job, Job.objects.count(), FactsMark.objects.count()) == (None, 0, 0)
    assert AuditEntry.objects.get().details == {"name": ["Test shop", "New name"]}
    shop.update_shop_settings(changes={"name": "New name"}, user_id=user.pk)
    assert AuditEntry.objects.count() == 1


def test_a_new_refund_window_marks_everybody(settings_row):
    order = OrderFactory(placed_at=NOON - timedelta(days=20))
    facts.mark_all_dirty()
    facts.refresh_facts(now=NOON)
    assert CustomerFacts.objects.get().provisional_spend == order.total_shop

    shop.update_shop_settings(changes={"refund_window_days": 7}, user_id=None)
    facts.refresh_facts(now=NOON)

    assert CustomerFacts.objects.get().provisional_spend == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "Mars/Olympus"},
        {"currency": "pounds"},
        {"nightly_hour": 24},
        {"discount_rate": Decimal("-1")},
    ],
)
def test_settings_that_mean_nothing_are_refused_and_change_nothing(settings_row, changes):
    with pytest.raises(shop.InvalidSettingsError):
        shop.update_shop_settings(changes=changes, user_id=None)

    row = ShopSettings.objects.get()
    assert (row.zone, row.currency, row.nightly_hour) == ("UTC", "GBP", 3)
    assert not Job.objects.exists()


def test_an_exchange_rate_converts_its_day_and_marks_its_customers(settings_row):
    day = date(2026, 3, 2)
    order = OrderFactory(currency="USD", exchange_rate=None, refunded=Decimal("5.00"))
    loose = RefundFactory(
        customer=CustomerFactory(), currency="USD", amount=Decimal("4.00"), amount_shop=None
    )
    other_day = OrderFactory(currency="USD", exchange_rate=None, placed_at=NOON - timedelta(days=1))

    changed = shop.set_exchange_rate(currency="usd", day=day, rate=Decimal("0.75"), now=NOON)

    for row in (order, loose, other_day):
        row.refresh_from_db()
    assert changed == 1
    assert (order.total_shop, order.refunded_shop) == (Decimal("15.0000"), Decimal("3.7500"))
    assert loose.amount_shop == Decimal("3.0000")
    assert other_day.total_shop is None
    marked = set(FactsMark.objects.values_list("customer_id", flat=True))
    assert marked == {order.customer_id, loose.customer_id}
    assert shop.set_exchange_rate(currency="USD", day=day, rate=Decimal("0.75"), now=NOON) == 0


@pytest.mark.parametrize(("currency", "rate"), [("GBP", "1"), ("US", "1"), ("USD", "0")])
def test_a_rate_that_means_nothing_is_refused(settings_row, currency, rate):
    with pytest.raises(shop.InvalidSettingsError):
        shop.set_exchange_rate(
            currency=currency, day=date(2026, 3, 2), rate=Decimal(rate), now=NOON
        )
    assert not ExchangeRate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_recounts(start_worker):
    ShopSettingsFactory()
    order = OrderFactory(placed_at=LATE)
    worker = start_worker()

    _row, job = shop.update_shop_settings(changes={"zone": "Asia/Shanghai"}, user_id=None)
    sweep_until_final(job, worker.queue)

    order.refresh_from_db()
    assert (job.state, order.placed_day) == (JobState.SUCCEEDED, date(2026, 3, 3))
