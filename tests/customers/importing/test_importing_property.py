"""Whatever is in a file: its rows balance, its money adds up, and its order does not matter."""

from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Order, OrderLine, Refund
from tests.customers.importing.files import bring, fates, rebuild_drift
from tests.factories import ShopSettingsFactory

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROW = st.tuples(
    st.sampled_from(["1", "2", "3", "C4", "C5", "A6", ""]),
    st.sampled_from(["A", "B", "POST", "D"]),
    st.integers(-4, 4),
    st.integers(1, 5),
    st.sampled_from(["0", "2.50", "0.001", "x"]),
    st.sampled_from(["7", "8", ""]),
)
FILE = st.lists(ROW, min_size=1, max_size=20)


def written(row):
    number, sku, quantity, day, price, customer = row
    return f"{number},{sku},Thing,{quantity},2011-01-0{day} 10:00,{price},{customer},France"


def record():
    """What the record holds of the file, without keys that depend on who came first."""
    return (
        sorted(OrderLine.objects.values_list("order__external_id", "line_key", "amount")),
        sorted(Order.objects.values_list("external_id", "total", "charges", "refunded")),
        sorted(Refund.objects.values_list("customer__external_id", "sku", "quantity"), key=str),
    )


@contextmanager
def undone():
    """Undo what one import made: the test's own transaction spans all examples."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=FILE, cut=st.integers(0, 20), shuffled=st.randoms())
@pytest.mark.django_db
def test_any_file_balances_adds_up_and_reads_the_same_in_any_order(rows, cut, shuffled):
    lines = [written(row) for row in rows]
    with undone():
        ShopSettingsFactory()
        batch = bring(HEADER, *lines)
        total, created, updated, unchanged, rejected = fates(batch)
        assert (total, updated, unchanged) == (len(rows), 0, 0)
        refunds = {key.rpartition("#")[0] for key in keys()}
        assert created == OrderLine.objects.count() + len(refunds)
        good = [row for row in rows if row[0].isdigit() and row[2] > 0 and row[4] != "x"]
        money = sum((row[2] * Decimal(row[4]) for row in good), Decimal(0))
        assert sum((o.total for o in Order.objects.all()), Decimal(0)) == money
        for line in OrderLine.objects.all():
            assert 0 <= line.refunded_quantity <= line.quantity
        for order in Order.objects.all():
            assert order.refunded == sum(refund.amount for refund in order.refunds.all())
        first = record()
        assert rebuild_drift() == 0

        again = bring(HEADER, *lines)
        assert fates(again) == (total, 0, 0, total - rejected, rejected)
        assert record() == first

    with undone():
        ShopSettingsFactory()
        mixed = list(lines)
        shuffled.shuffle(mixed)
        bring(HEADER, *mixed)
        assert record() == first

    orders = [line for line in lines if not line.startswith("C")]
    with undone():
        ShopSettingsFactory()
        bring(HEADER, *orders)
        whole = record()
    with undone():
        ShopSettingsFactory()
        bring(HEADER, *by_invoice(orders, cut, head=True))
        bring(HEADER, *by_invoice(orders, cut, head=False))
        assert record() == whole


def keys():
    return Refund.objects.values_list("external_id", flat=True)


def by_invoice(lines, cut, *, head):
    """Return the invoices before, or from, a cut: whole invoices, as shops export them."""
    return [line for line in lines if (line[:1] < str(cut % 4)) == head]
