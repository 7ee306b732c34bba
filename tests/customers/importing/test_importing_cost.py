"""Four times the rows: the same memory, and no more than four times the statements."""

import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.customers.importing.files import fates, finish, start
from tests.customers.importing.undoing import undo_import

RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def retail(count):
    rows = [
        f"{n // 4},A{n % 90},Cup,2,2011-01-03 10:00,2.50,{n % 700},France" for n in range(count)
    ]
    return "\n".join([RETAIL, *rows]) + "\n"


def customers(count):
    rows = [f"k{n},Name {n},n{n}@example.com" for n in range(count)]
    return "\n".join(["customer_id,name,email", *rows]) + "\n"


def orders(count):
    rows = [f"{n},k{n % 700},2026-01-02 10:00,12.50" for n in range(count)]
    return "\n".join(["order_id,customer_id,placed_at,total", *rows]) + "\n"


def products(count):
    rows = [f"A{n},Cup {n},Shelf {n % 30},{n % 70}.50" for n in range(count)]
    return "\n".join(["sku,title,category,price", *rows]) + "\n"


def refunds(count):
    rows = [f"{n},{n % 700},A{n % 3},1,0.01,2026-01-09" for n in range(count)]
    return "\n".join(["refund_id,order_id,sku,quantity,amount,refunded_at", *rows]) + "\n"


def reviews(count):
    rows = [f"{n},k{n % 700},{n % 700},A{n % 90},4,Good,2026-01-09" for n in range(count)]
    return "\n".join(["review_id,customer_id,order_id,sku,rating,text,written_at", *rows]) + "\n"


def consents(count):
    rows = [f"k{n % 700},email,given,2026-01-09 10:00:{n % 60:02},Row {n}" for n in range(count)]
    return "\n".join(["customer_id,channel,action,at,evidence", *rows]) + "\n"


def cost(text):
    """Return the peak of traced memory and the statements of an import."""
    batch = start(text)
    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        # Django keeps the last 9,000 statements of a connection: not the import's memory.
        connection.queries_log.clear()
        finish(batch)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fates(batch)[1] > 0
    return peak, len(queries)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [retail, customers, orders, products, refunds, reviews, consents])
def test_memory_is_flat_and_statements_grow_with_the_pages(make, monkeypatch):
    monkeypatch.setattr("customers.services.importing.staging.STEP", 500)
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 500)
    monkeypatch.setattr("customers.services.importing.online_retail.writing.ORDERS", 125)
    if make in (refunds, reviews, consents):
        finish(start(orders(700)))
    cost(make(500))

    small, few = cost(make(2_000))
    large, many = cost(make(8_000))

    assert large < small * 1.5
    # Heartbeats come on top, by the clock.
    assert few * 3 < many < few * 4.6


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [True, False])
def test_plans_learn_how_the_record_grows_whenever_it_doubles(dry_run, monkeypatch):
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 50)
    batch = start(orders(800), dry_run=dry_run)

    with CaptureQueriesContext(connection) as queries:
        finish(batch)

    told = [q for q in queries if q["sql"].startswith("ANALYZE") and "customers_order" in q["sql"]]
    # Before pages 1, 2, 3, 5 and 9, at the end of pages, and when the books are closed.
    assert len(told) == 7
    assert all("SKIP_LOCKED" in query["sql"] for query in told)


def undo_cost(text):
    """Return the number of an undo's statements."""
    batch = finish(start(text))
    with CaptureQueriesContext(connection) as queries:
        connection.queries_log.clear()
        job = undo_import(batch)
    assert (job.state, job.error) == ("succeeded", "")
    return len(queries)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [retail, customers, orders])
def test_an_undo_takes_the_same_statements_however_many_rows(make):
    undo_cost(make(100))

    few, many = undo_cost(make(200)), undo_cost(make(2_000))

    # Heartbeats come on top, by the clock.
    assert few <= many <= few + 5
