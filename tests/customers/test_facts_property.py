"""Facts by one statement equal facts by plain loops, on random shops, zones and clock changes."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, CustomerFacts, ExchangeRate, Order, Refund
from customers.services.facts import age_facts, facts_day, mark_all_dirty, refresh_facts
from tests.customers.reference_facts import reference_facts
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    RefundFactory,
    ReviewFactory,
    ShopSettingsFactory,
    SurveyResponseFactory,
    TicketFactory,
)

# The night New York, and the night Lord Howe (by half an hour), change their clocks; and a day
# that Apia never had.
NOWS = [
    datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
    datetime(2026, 4, 4, 15, 30, tzinfo=UTC),
    datetime(2011, 12, 31, 9, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
]
ZONES = ["UTC", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia"]
MONEY = st.decimals(Decimal("0.00"), Decimal("300.00"), places=2)
HOURS = st.one_of(
    st.integers(-30, 30),
    st.integers(-30, 30),
    st.sampled_from([n * 24 + d for n in (29, 30, 31, 89, 90, 91, 364, 365, 366) for d in (-1, 0)]),
    st.integers(0, 500 * 24),
)
ORDER = st.fixed_dictionaries(
    {
        "hours": HOURS,
        "status": st.sampled_from(["paid", "shipped", "completed", "paid", "pending", "cancelled"]),
        "total": st.decimals(Decimal("1.00"), Decimal("300.00"), places=2),
        "refunded": st.sampled_from([Decimal(r) for r in ("0", "0", "0.5", "0.5", "1", "1.1")]),
        "rate": st.sampled_from([Decimal(1), Decimal(1), Decimal("0.1234567891"), None]),
        "is_test": st.sampled_from([False] * 7 + [True]),
        "delay": st.one_of(st.none(), st.integers(-400, 900)),
        "lines": st.lists(
            st.tuples(
                st.integers(1, 5),
                st.integers(0, 2),
                st.one_of(st.none(), MONEY, MONEY, MONEY),
                st.sampled_from(["product", "product", "charge"]),
            ),
            max_size=3,
        ),
        "refund_rows": st.integers(0, 2),
    }
)
SHOP = st.fixed_dictionaries(
    {
        "now": st.sampled_from(NOWS),
        "zone": st.sampled_from(ZONES),
        "window": st.sampled_from([0, 7, 30, 60]),
        "customers": st.lists(
            st.fixed_dictionaries(
                {
                    "orders": st.lists(ORDER, min_size=1, max_size=4),
                    "loose": st.lists(st.tuples(HOURS, MONEY), max_size=2),
                    "voice": st.lists(HOURS, max_size=2),
                }
            ),
            min_size=1,
            max_size=2,
        ),
        "days_later": st.sampled_from([1, 2, 400]),
        "window_left": st.integers(0, 100),
    }
)


def local_day(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).date()


def make_order(customer, plan, *, now, zone, products):
    placed = now - timedelta(hours=plan["hours"])
    rate = plan["rate"]
    refunded = (plan["total"] * plan["refunded"]).quantize(Decimal("0.01"))
    order = OrderFactory(
        customer=customer,
        placed_at=placed,
        placed_day=local_day(placed, zone),
        status=plan["status"],
        cancelled_at=placed if plan["status"] == "cancelled" else None,
        total=plan["total"],
        exchange_rate=rate,
        total_shop=plan["total"] * rate if rate else None,
        refunded=refunded,
        refunded_shop=refunded * rate if rate else 0,
        platform_fee=Decimal("1.11"),
        is_test=plan["is_test"],
        promised_at=placed + timedelta(days=3),
        delivered_at=placed + timedelta(days=3, hours=plan["delay"]) if plan["delay"] else None,
    )
    if plan["delay"]:
        ExchangeRate.objects.get_or_create(
            currency="USD", shop_currency="GBP", day=order.placed_day, defaults={"rate": "0.8123"}
        )
    for number, (quantity, back, cost, kind) in enumerate(plan["lines"]):
        OrderLineFactory(
            order=order,
            product=products[number],
            quantity=quantity,
            refunded_quantity=min(quantity, back),
            unit_cost=cost,
            cost_currency=("", "GBP", "USD", "EUR")[number % 4 if cost else 0],
            kind=kind,
        )
    for _row in range(plan["refund_rows"]):
        moment = placed + timedelta(days=1)
        RefundFactory(
            customer=customer, order=order, refunded_at=moment, refunded_day=local_day(moment, zone)
        )


def make_shop(plan):
    now, zone = plan["now"], plan["zone"]
    shop = ShopSettingsFactory()
    shop.zone, shop.refund_window_days = zone, plan["window"]
    shop.save()
    products = ProductFactory.create_batch(3)
    for person in plan["customers"]:
        customer = CustomerFactory()
        for order in person["orders"]:
            make_order(customer, order, now=now, zone=zone, products=products)
        for hours, amount in person["loose"]:
            moment = now - timedelta(hours=hours)
            RefundFactory(
                customer=customer,
                refunded_at=moment,
                refunded_day=local_day(moment, zone),
                amount=amount,
            )
        for hours in person["voice"]:
            moment = now - timedelta(hours=hours)
            ReviewFactory(customer=customer, written_at=moment, rating=hours % 5 + 1)
            SurveyResponseFactory(customer=customer, answered_at=moment)
            TicketFactory(customer=customer, opened_at=moment)


def assert_facts_are_right(*, as_of: date, zone: str, window: int):
    for customer in Customer.objects.order_by("pk"):
        expected = reference_facts(customer, as_of=as_of, zone=zone, window=window)
        row = CustomerFacts.objects.get(customer=customer)
        found = {name: getattr(row, name) for name in expected}
        for name in ("delivery_delay_days", "rating_mean"):
            assert found.pop(name) == pytest.approx(expected.pop(name), abs=1e-6)
        assert found == expected


def days_of_change(plan, *, after):
    """Choose a day as of which some row has just entered or left a window, and any later day."""
    days = {
        day + timedelta(days=window + 1)
        for rows, name in ((Order, "placed_day"), (Refund, "refunded_day"))
        for day in rows.objects.values_list(name, flat=True)
        for window in (0, plan["window"], 30, 90, 365)
    }
    ahead = sorted(day for day in days if day > after)
    chosen = [ahead[plan["window_left"] % len(ahead)]] if ahead else []
    return [*chosen, (chosen or [after])[0] + timedelta(days=plan["days_later"])]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=SHOP)
@pytest.mark.django_db
def test_facts_equal_a_slow_recomputation_today_and_when_the_windows_have_moved(plan, empty_shop):
    with empty_shop():
        make_shop(plan)
        mark_all_dirty()
        refresh_facts(now=plan["now"])
        day = facts_day(now=plan["now"])
        assert_facts_are_right(as_of=day, zone=plan["zone"], window=plan["window"])

        for later in days_of_change(plan, after=day):
            now = plan["now"] + (later - day)
            age_facts(now=now)
            assert_facts_are_right(
                as_of=facts_day(now=now), zone=plan["zone"], window=plan["window"]
            )


@pytest.fixture
def empty_shop():
    """Undo what one example made: the test's own transaction spans all examples."""

    @contextmanager
    def emptied():
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return emptied
