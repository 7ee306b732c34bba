"""Refunds by file: what they net, and what they cannot."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from customers.models import (
    Customer,
    CustomerFacts,
    ExchangeRate,
    FactsMark,
    Order,
    OrderLine,
    Refund,
)
from customers.selectors.shop import shop_settings
from customers.services.facts import facts_day
from customers.services.shop import set_exchange_rate
from tests.customers.importing.files import bring, fates, rebuild_drift, rejects
from tests.customers.reference_facts import reference_facts
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db
ORDERS = "order_id,customer_id,placed_at,total,currency"
LINES = "order_id,line_id,sku,quantity,unit_price,unit_cost"
REFUNDS = "refund_id,order_id,sku,quantity,amount,currency,kind,refunded_at,customer_id"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")


@pytest.fixture
def sold():
    bring(ORDERS, "1,k1,2026-01-02,100,", "2,k2,2026-01-03,50,")
    bring(LINES, "1,1,A,2,20,5", "1,2,A,3,20,5", "1,3,B,1,10,5", "2,1,B,5,10,5")


def lines(order="1"):
    rows = OrderLine.objects.filter(order__external_id=order).order_by("line_key")
    return list(rows.values_list("refunded_quantity", "refunded_amount"))


def facts_are_right():
    """Refresh, and hold each customer's facts against the plain loops."""
    assert rebuild_drift() == 0
    shop = shop_settings()
    for customer in Customer.objects.filter(lifecycle="active"):
        facts = CustomerFacts.objects.get(customer=customer)
        expected = reference_facts(
            customer,
            as_of=facts_day(now=timezone.now()),
            zone=shop.zone,
            window=shop.refund_window_days,
        )
        assert {name: getattr(facts, name) for name in expected} == expected
    return True


@pytest.mark.usefixtures("sold")
def test_a_refund_nets_its_order_and_fills_the_lines_of_its_article():
    batch = bring(
        REFUNDS,
        "R1,1,A,3,55,,,2026-01-09 10:00,",
        "R2,1,A,1,20,,cancellation,2026-01-10,",
        "R3,1,B,1,5,,refund_only,2026-01-10,",
        "R4,1,,,4,,,2026-01-10,",
        "R5,1,C,1,1,,,2026-01-10,",
        "R6,2,B,,5,,,2026-01-10,k1",
    )

    assert fates(batch) == (6, 6, 0, 0, 0)
    assert lines() == [(2, 40), (2, 35), (0, 5)]
    assert lines("2") == [(0, 5)]
    orders = dict(Order.objects.values_list("external_id", "refunded_shop"))
    assert orders == {"1": 85, "2": 5}
    kinds = dict(Refund.objects.values_list("external_id", "kind"))
    assert kinds == {
        "R1": "return",
        "R2": "cancellation",
        "R3": "refund_only",
        "R4": "refund_only",
        "R5": "return",
        "R6": "refund_only",
    }
    assert Refund.objects.get(external_id="R6").customer.external_id == "k2"
    assert batch.audit["unknown_products"] == 1
    assert facts_are_right()
    ann = CustomerFacts.objects.get(customer__external_id="k1")
    assert (ann.total_spend, ann.refund_count, ann.item_count) == (15, 5, 2)
    assert ann.margin == 15 - 2 * 5


@pytest.mark.usefixtures("sold")
def test_a_refund_file_twice_changes_nothing_and_an_empty_cell_leaves():
    rows = (REFUNDS, "R1,1,A,3,55,,,2026-01-09,", "R2,9,A,1,7,usd,,2026-01-09,k2")
    bring(*rows)
    facts_are_right()
    FactsMark.objects.all().delete()
    before = list(Refund.objects.order_by("pk").values())

    again = bring(*rows)
    empty = bring("refund_id,amount,refunded_at", "R1,55,2026-01-09")

    assert (fates(again), fates(empty)) == ((2, 0, 0, 2, 0), (1, 0, 0, 1, 0))
    assert list(Refund.objects.order_by("pk").values()) == before
    assert lines() == [(2, 40), (1, 15), (0, 0)]
    assert not FactsMark.objects.exists()


@pytest.mark.usefixtures("sold")
def test_more_refunded_than_sold_is_rejected_row_by_row():
    batch = bring(
        REFUNDS,
        "R1,1,A,4,60,,,2026-01-09,",
        "R2,1,A,2,1,,,2026-01-09,",
        "R3,1,,,41,,,2026-01-09,",
        "R4,1,A,1,30,,,2026-01-09,",
        "R5,1,A,1,1,,,2026-01-09,",
        "R6,1,A,1,1,,refund_only,2026-01-09,",
        "R7,2,,,50.0001,,,2026-01-09,",
        "R8,2,,,50,,,2026-01-09,",
    )

    assert fates(batch) == (8, 4, 0, 0, 4)
    assert [(r["refund_id"], r["reason"]) for r in rejects(batch)] == [
        ("R2", "quantity: more refunded than sold"),
        ("R3", "amount: more refunded than sold"),
        ("R5", "quantity: more refunded than sold"),
        ("R7", "amount: more refunded than sold"),
    ]
    # R4 took more than what was left of its lines: the rest is on the order.
    assert lines() == [(2, 40), (3, 51), (0, 0)]
    assert Order.objects.get(external_id="1").refunded == 91
    assert facts_are_right()

    more = bring(REFUNDS, "R8,2,,,51,,,2026-01-09,", "R1,1,A,5,60,,,2026-01-09,")
    less = bring(REFUNDS, "R8,2,,,49,,,2026-01-09,", "R1,1,A,3,60,,,2026-01-09,")
    assert (fates(more), fates(less)) == ((2, 0, 0, 0, 2), (2, 0, 2, 0, 0))
    assert Order.objects.get(external_id="2").refunded == 49
    assert lines() == [(2, 40), (2, 51), (0, 0)]
    assert facts_are_right()


@pytest.mark.usefixtures("sold")
def test_what_is_held_stays_when_the_order_shrinks_below_it():
    rows = (REFUNDS, "R1,1,A,3,60,,,2026-01-09,")
    bring(*rows)
    bring("order_id,placed_at,total", "1,2026-01-02,50")

    again = bring(*rows)
    more = bring(REFUNDS, "R1,1,A,3,61,,,2026-01-09,")

    assert (fates(again), fates(more)) == ((1, 0, 0, 1, 0), (1, 0, 0, 0, 1))
    assert Order.objects.get(external_id="1").refunded == 60
    assert facts_are_right()


def test_a_refund_waits_for_its_order_and_the_order_for_its_lines():
    rows = (
        REFUNDS,
        "R1,1,A,1,20,,,2026-01-09,k1",
        "R2,2,,,3,,,2026-01-09,k9",
        "R3,,,,2,,,2026-01-09,",
    )
    bring("customer_id", "k1")

    first = bring(*rows)

    assert (fates(first), first.audit["unmatched_refunds"]) == ((3, 3, 0, 0, 0), 3)
    assert first.audit["unknown_customers"] == 1
    assert facts_are_right()
    assert CustomerFacts.objects.get().total_spend == -20

    bring(ORDERS, "1,k2,2026-01-02,100,", "2,k2,2026-01-03,50,")
    second = bring(*rows)
    assert (fates(second), second.audit["unmatched_refunds"]) == ((3, 0, 2, 1, 0), 1)
    assert Order.objects.get(external_id="1").refunded == 20

    bring(LINES, "1,1,A,2,20,5", "2,1,B,5,10,5")
    assert (lines(), lines("2")) == ([(1, 20)], [(0, 0)])
    assert facts_are_right()
    spends = dict(CustomerFacts.objects.values_list("customer__external_id", "total_spend"))
    assert spends == {"k1": 0, "k2": 127}


@pytest.mark.usefixtures("sold")
def test_a_refund_that_changes_orders_gives_back_what_it_took():
    bring(REFUNDS, "R1,1,B,1,10,,,2026-01-09,")
    assert lines()[2] == (1, 10)

    batch = bring(REFUNDS, "R1,2,B,1,10,,,2026-01-09,")

    assert fates(batch) == (1, 0, 1, 0, 0)
    assert (lines()[2], lines("2")) == ((0, 0), [(1, 10)])
    assert Refund.objects.get().customer.external_id == "k2"
    assert dict(Order.objects.values_list("external_id", "refunded")) == {"1": 0, "2": 10}
    assert facts_are_right()


@pytest.mark.usefixtures("sold")
def test_refund_columns_of_lines_and_a_refund_file_add_up_in_any_order():
    head = LINES + ",refunded_quantity,refunded_at"
    rows = (head, "1,1,A,2,20,5,1,2026-01-08", "1,2,A,3,20,5,0,")
    bring(REFUNDS, "R1,1,A,3,60,,,2026-01-09,")
    batch = bring(*rows)
    again = bring(*rows)

    assert (fates(batch), fates(again)) == ((2, 0, 1, 1, 0), (2, 0, 0, 2, 0))
    assert lines() == [(2, 40), (2, 40), (0, 0)]
    assert Order.objects.get(external_id="1").refunded == 80
    assert fates(bring(REFUNDS, "R2,1,A,2,1,,,2026-01-09,")) == (1, 0, 0, 0, 1)
    assert facts_are_right()


@pytest.mark.usefixtures("sold")
def test_an_empty_refund_cell_of_a_line_leaves_the_pieces_that_came_back():
    head = LINES + ",refunded_quantity,refunded_amount,refunded_at"
    bring(head, "1,1,A,2,20,5,1,,2026-01-08")

    batch = bring(head, "1,1,A,2,20,5,,25,2026-01-08")

    assert fates(batch) == (1, 0, 1, 0, 0)
    assert lines()[0] == (1, 25)
    refund = Refund.objects.get()
    assert (refund.quantity, refund.amount) == (1, 25)
    assert facts_are_right()


def test_amounts_take_the_orders_rate_and_without_an_order_their_own_days():
    for day, rate in ((date(2026, 1, 2), "7"), (date(2026, 1, 9), "8")):
        ExchangeRate.objects.create(
            currency="USD", shop_currency="CNY", day=day, rate=Decimal(rate)
        )
    bring(ORDERS, "1,k1,2026-01-02,100,USD", "2,k1,2026-01-03,100,USD")

    batch = bring(
        REFUNDS,
        "R1,1,,,10,,,2026-01-09,",
        "R2,1,,,1,usd,,2026-01-09,",
        "R3,1,,,10,CNY,,2026-01-09,",
        "R4,2,,,10,,,2026-01-09,",
        "R5,,,,2,USD,,2026-01-09,k1",
        "R6,,,,3,USD,,2026-01-10,k1",
        "R7,,,,4,,,2026-01-10,k1",
        "1|order,1,,,1,,,2026-01-09,",
    )

    assert fates(batch) == (8, 6, 0, 0, 2)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == ["currency", "refund_id"]
    shops = dict(Refund.objects.values_list("external_id", "amount_shop"))
    assert shops == {"R1": 70, "R2": 7, "R4": None, "R5": 16, "R6": None, "R7": 4}
    assert facts_are_right()
    assert CustomerFacts.objects.get().total_spend == 700 - 77 - 16 - 4

    set_exchange_rate(currency="USD", day=date(2026, 1, 3), rate=Decimal(9), now=timezone.now())
    set_exchange_rate(currency="USD", day=date(2026, 1, 10), rate=Decimal(10), now=timezone.now())
    assert facts_are_right()
    assert CustomerFacts.objects.get().total_spend == 700 - 77 - 16 - 4 + 900 - 90 - 30
