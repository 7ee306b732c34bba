"""Whatever files came in, in whatever order they are undone: exactly, or refused by name."""

from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.errors import UndoRefusedError
from customers.models import Customer, FactsMark
from tests.customers.importing.files import bring, rebuild_drift
from tests.customers.importing.undoing import undo_import, whole_record
from tests.factories import ShopSettingsFactory

EMPTY = st.just("")
KEY = st.sampled_from(["k1", "k2", "k3", "k4"])
EMAIL = st.sampled_from(["", "a@example.com", "b@example.com", "c@example.com"])
DAY = st.sampled_from(["2026-01-02", "2026-02-03", "2026-03-04"])
NUMBER = st.sampled_from(["1", "2", "3"])
SKU = st.sampled_from(["A", "B"])


def table(header, *cells):
    """Make files of a header and up to six rows."""
    row = st.tuples(*cells).map(",".join)
    return st.lists(row, min_size=1, max_size=6, unique=True).map(lambda rows: (header, *rows))


CUSTOMERS = table(
    "customer_id,name,email,city,birthday,is_test,consent_email,consent_at,consent_evidence",
    KEY,
    st.sampled_from(["", "Ann", "Bob", "李雷"]),
    EMAIL,
    st.sampled_from(["", "Paris", "Leeds"]),
    st.sampled_from(["", "1990-05-01"]),
    st.sampled_from(["", "true", "false"]),
    st.sampled_from(["given", "withdrawn"]),
    DAY,
    st.just("Checkout"),
)
ORDERS = table(
    "order_id,customer_id,email,placed_at,total,status,currency,cancelled_at,refunded_amount,refunded_at",
    NUMBER,
    KEY | EMPTY,
    EMAIL,
    DAY,
    st.sampled_from(["10.00", "12.5", "0.001"]),
    st.sampled_from(["", "paid", "cancelled"]),
    st.sampled_from(["", "GBP", "EUR"]),
    DAY,
    st.sampled_from(["", "0", "2.50"]),
    DAY,
)
LINES = table(
    "order_id,line_id,sku,title,category,quantity,unit_price,unit_cost,refunded_quantity,refunded_at",
    NUMBER,
    st.sampled_from(["a", "b"]),
    SKU,
    st.sampled_from(["", "Cup"]),
    st.sampled_from(["", "Kitchen", "Garden"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["1.00", "2.50"]),
    st.sampled_from(["", "0.70"]),
    st.sampled_from(["", "0", "1"]),
    DAY,
)
RETAIL = table(
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
    st.sampled_from(["1", "2", "C3", "C4"]),
    SKU,
    st.sampled_from(["", "Cup"]),
    st.sampled_from(["-1", "1", "2"]),
    DAY,
    st.sampled_from(["1.00", "2.50"]),
    st.sampled_from(["k1", "k2", ""]),
    st.just("France"),
)
FILES = st.lists(CUSTOMERS | ORDERS | LINES | RETAIL, min_size=2, max_size=5)
ANY = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def undone():
    """Roll one example back: the test's own transaction spans them all."""
    with transaction.atomic():
        ShopSettingsFactory()
        yield
        transaction.set_rollback(True)


@ANY
@given(files=FILES)
@pytest.mark.django_db
def test_undone_in_reverse_order_every_state_comes_back_and_the_files_come_again(files):
    with undone():
        states, batches = [whole_record()], []
        for rows in files:
            batches.append(bring(*rows))
            states.append(whole_record())
        kept = names()
        assert rebuild_drift() == 0

        for batch in reversed(batches):
            assert states.pop() == whole_record()
            assert undo_import(batch).state == "succeeded"

        assert states == [whole_record()] == [{}]
        assert rebuild_drift() == 0
        for rows in files:
            bring(*rows)
        assert names() == kept


@ANY
@given(files=FILES, place=st.integers(0, 4), by_hand=st.booleans())
@pytest.mark.django_db
def test_out_of_order_an_undo_is_refused_by_name_or_exact(files, place, by_hand):
    with undone():
        states, batches = [whole_record()], []
        for rows in files:
            batches.append(bring(*rows))
            states.append(whole_record())
        place %= len(files)
        if by_hand:
            Customer.objects.filter(external_id="k1").update(city="By hand")
        before, after = states[place], states[place + 1]
        last = whole_record()
        touched = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        left = {key for key in touched if last.get(key) == after.get(key)}
        rebuild_drift()

        says, state = try_to_undo(batches[place])
        if state == "refused":
            assert says
            assert all(says)
            assert whole_record() == last
            assert not FactsMark.objects.exists()
        else:
            assert state == "succeeded"
            assert left == touched
            expected = {key: text for key, text in last.items() if key not in touched}
            expected |= {key: before[key] for key in touched if key in before}
            assert whole_record() == expected
        assert rebuild_drift() == 0


def try_to_undo(batch):
    """Undo an import; return why not, in words, and what came of it."""
    try:
        return [], undo_import(batch).state
    except UndoRefusedError as error:
        return [one["says"] for one in error.details["refusals"]], "refused"


def names():
    """Return the record without ids and moments of writing."""
    return (
        sorted(Customer.objects.values_list("external_id", "name", "email", "city"), key=str),
        sorted(
            Customer.objects.values_list(
                "external_id",
                "orders__external_id",
                "orders__total",
                "orders__refunded",
                "orders__lines__line_key",
                "orders__lines__amount",
                "identities__kind",
                "identities__value",
                "consents__action",
                "consents__at",
            ),
            key=str,
        ),
        sorted(
            Customer.objects.values_list("external_id", "refunds__external_id", "refunds__amount"),
            key=str,
        ),
    )
