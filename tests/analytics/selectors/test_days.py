"""What happened by day, kept customer by customer, is what the record says of any day."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.selectors.frames import fitting_input, scoring_input
from crm.core.models import Job
from customers.models import CustomerDays, Order
from customers.services.erasure import erase_customer
from customers.services.facts import (
    mark_all_dirty,
    mark_dirty,
    refresh_pending,
    settle_days,
)
from customers.services.facts.days import COLUMNS
from tests.analytics.selectors.reference_days import reference_days
from tests.customers.importing.files import rebuild_drift
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    RefundFactory,
    ReviewFactory,
    ShopSettingsFactory,
    SurveyResponseFactory,
    TicketFactory,
)

NOW = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
TODAY = date(2026, 3, 8)
ZONES = ["UTC", "America/New_York", "Asia/Shanghai", "Pacific/Apia"]
HOURS = st.integers(-60, 60 * 24)
ACTION = st.tuples(
    st.sampled_from(["order", "order", "order", "refund", "loose", "answer", "ticket", "cancel"]),
    st.integers(0, 2),
    HOURS,
    st.integers(1, 300),
)


@contextmanager
def undone():
    """Take everything back: each example begins with an empty record."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def act(customers, zone, action):
    """Do one thing that happens to customers, and mark whom it touches as the product does."""
    kind, who, hours, amount = action
    customer, at = customers[who], NOW - timedelta(hours=hours)
    local = at.astimezone(zone).date()
    order = Order.objects.filter(customer=customer).order_by("pk").last()
    if kind == "order":
        OrderFactory(
            customer=customer,
            placed_at=at,
            placed_day=local,
            total=Decimal(amount),
            status="cancelled" if amount % 7 == 0 else "paid",
            paid_at=at + timedelta(days=amount % 3) if amount % 5 else None,
            cancelled_at=at + timedelta(days=amount % 4) if amount % 7 == 0 else None,
            promised_at=at + timedelta(days=3),
            delivered_at=at + timedelta(days=3, hours=amount) if amount % 2 else None,
        )
    elif kind == "loose":
        RefundFactory(
            customer=customer, order=None, refunded_at=at, refunded_day=local, amount=amount
        )
    elif kind == "answer":
        ReviewFactory(customer=customer, rating=amount % 5 + 1, written_at=at)
        SurveyResponseFactory(customer=customer, metric="nps", value=amount % 11, answered_at=at)
    elif kind == "ticket":
        TicketFactory(customer=customer, opened_at=at)
    elif kind == "refund" and order is not None:
        RefundFactory(
            customer=customer,
            order=order,
            refunded_at=at,
            refunded_day=local,
            amount=min(Decimal(amount), order.total),
        )
    elif kind == "cancel" and order is not None:
        Order.objects.filter(pk=order.pk).update(status="cancelled", cancelled_at=at)
    mark_dirty([customer.pk])


def refresh():
    while refresh_pending(now=NOW, seconds=60):
        pass


def seen(as_of):
    """Return what a run sees, as sorted rows of plain numbers."""
    given = scoring_input(as_of, withheld=[])
    rows = {
        name: sorted(zip(*(c.tolist() for c in vars(getattr(given, name)).values()), strict=True))
        for name in ("purchases", "refunds", "ratings", "deliveries", "operations")
    }
    # An order that was paid on a later day stands by itself; whoever reads sums up days.
    days = given.purchases.summed()
    bought = zip(*(c.tolist() for c in vars(days).values()), strict=True)
    return rows | {"purchases": sorted(bought), "customers": sorted(given.customer_ids.tolist())}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    zone=st.sampled_from(ZONES),
    first=st.lists(ACTION, max_size=8),
    then=st.lists(ACTION, max_size=6),
    back=st.integers(0, 50),
)
@pytest.mark.django_db
def test_kept_day_by_day_or_made_anew_it_is_what_the_record_says(zone, first, then, back):
    with undone():
        ShopSettingsFactory(zone=zone)
        customers = [CustomerFactory() for _number in range(3)]
        mark_dirty(customer.pk for customer in customers)
        for action in first:
            act(customers, ZoneInfo(zone), action)
        refresh()
        for action in then:
            act(customers, ZoneInfo(zone), action)
        refresh()

        kept = {as_of: seen(as_of) for as_of in (TODAY, TODAY - timedelta(days=back))}

        for as_of, rows in kept.items():
            assert rows == reference_days(as_of, ZoneInfo(zone))
        CustomerDays.objects.all().delete()
        assert settle_days() == 3
        refresh()
        assert {as_of: seen(as_of) for as_of in kept} == kept


@pytest.mark.django_db
def test_days_of_nobody_are_dropped_before_a_run():
    kept = CustomerFactory()
    mark_all_dirty()
    refresh()
    nobody = {name: [] for name in COLUMNS} | {"bought_on": [1], "bought": [5.0]}
    CustomerDays.objects.create(customer_id=kept.pk + 999, **nobody)

    assert settle_days() == 0

    assert list(CustomerDays.objects.values_list("pk", flat=True)) == [kept.pk]


@pytest.mark.django_db
def test_who_is_erased_or_merged_has_no_days_at_once():
    ShopSettingsFactory()
    gone, kept = CustomerFactory(), CustomerFactory()
    OrderFactory(customer=gone)
    mark_all_dirty()
    refresh()
    assert CustomerDays.objects.count() == 2

    erase_customer(customer_id=gone.pk, user_id=None, now=NOW)

    assert list(CustomerDays.objects.values_list("pk", flat=True)) == [kept.pk]
    refresh()
    assert list(CustomerDays.objects.values_list("pk", flat=True)) == [kept.pk]


@pytest.mark.django_db
def test_a_change_that_nobody_announced_is_found_at_night_and_mended():
    ShopSettingsFactory()
    order = OrderFactory(placed_at=NOW - timedelta(days=3))
    mark_all_dirty()
    refresh()
    assert rebuild_drift() == 0
    CustomerDays.objects.update(bought=[1.0])

    assert rebuild_drift() == 1
    assert Job.objects.latest("pk").result["drift_columns"] == {"days": 1}
    assert CustomerDays.objects.get().bought == [float(order.total)]
    assert rebuild_drift() == 0


@pytest.mark.django_db
def test_a_fit_reads_operations_of_those_who_answered_only():
    ShopSettingsFactory()
    silent, vocal = CustomerFactory(), CustomerFactory()
    for customer in (silent, vocal):
        OrderFactory(customer=customer, placed_at=NOW - timedelta(days=3))
    ReviewFactory(customer=vocal, rating=4, written_at=NOW - timedelta(days=1))
    mark_all_dirty()
    refresh()

    found = fitting_input(TODAY, withheld=[])

    assert set(found.purchases.customer_id.tolist()) == {silent.pk, vocal.pk}
    assert set(found.operations.customer_id.tolist()) == {vocal.pk}
    assert set(scoring_input(TODAY, withheld=[]).operations.customer_id.tolist()) == {
        silent.pk,
        vocal.pk,
    }
