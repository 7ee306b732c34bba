"""Whichever worker dies over a file of orders and lines, the record is that of a calm import."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db.models import Count
from django.utils import timezone

from crm.core.models import Job
from customers.models import Customer, ImportBatch, ImportRow, Order, OrderLine
from customers.services.importing.huike.kind import ROWS
from customers.services.importing.staging import STEP
from tests.customers.importing.files import fates, finish, rebuild_drift, start
from tests.customers.importing.records import told_fates, told_record
from tests.customers.importing.undoing import undo_import, whole_record
from tests.factories import ShopSettingsFactory
from tests.workers import sweep, sweep_until_final, wait_for

HEADER = (
    "Name,Email,Financial Status,Fulfillment Status,Currency,Shipping,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Refunded Amount"
)
DAY = datetime(2026, 1, 1, 9, tzinfo=UTC)
ORDERS, LINES, BUYERS = 4_000, 7, 900


def order(number):
    """Return the rows of an order; every hundredth has no total, and none of its rows comes in."""
    placed = f"{DAY + timedelta(minutes=number):%Y-%m-%d %H:%M:%S} +0000"
    total = "" if number % 100 == 0 else f"{2 * LINES + 5}.00"
    buyer = f"b{number % BUYERS}@example.com" if number % 10 else ""
    refunded = "3.00" if number % 50 == 1 else "0.00"
    head = f"paid,fulfilled,EUR,5.00,{total},{placed}"
    for line in range(LINES):
        told = head if not line else f",,,,,{placed}"
        ended = f"Buyer {number % BUYERS},{refunded}" if not line else ","
        # The last two lines are of one article: they are told apart by their place.
        sku = f"A{(number + min(line, LINES - 2)) % 60}"
        yield f'#{number},{buyer},{told},1,"Cup, {sku}",2.00,{sku},{ended}'


@pytest.mark.django_db(transaction=True)
def test_orders_whose_lines_straddle_a_step_are_whole_after_workers_die(start_worker):
    assert STEP % LINES
    assert ROWS % LINES
    assert STEP < ORDERS * LINES
    ShopSettingsFactory(currency="EUR")
    text = "\n".join([HEADER, *(row for n in range(ORDERS) for row in order(n)), ""])
    before = whole_record()
    batch = start(text)

    # While the file is read, while orders are written, and while their lines are.
    for has_begun in (ImportRow.objects.exists, Order.objects.exists, OrderLine.objects.exists):
        worker = start_worker()
        wait_for(partial(sweep_and_ask, worker, has_begun), timeout=60, tell=worker.output)
        worker.kill()
        assert not Job.objects.get(pk=batch.job_id).is_final
    assert 0 < OrderLine.objects.count() < ORDERS * LINES
    worker = start_worker()
    sweep_until_final(batch.job, worker.queue)
    batch = ImportBatch.objects.get(pk=batch.pk)

    lost = ORDERS // 100
    kept = ORDERS - lost
    assert (batch.state, batch.error) == ("finished", "")
    assert batch.job.epoch >= 4
    assert fates(batch) == (ORDERS * LINES, kept * LINES, 0, 0, lost * LINES)
    assert batch.audit["kinds"]["orders"]["created"] == Order.objects.count() == kept
    assert batch.audit["kinds"]["lines"]["created"] == OrderLine.objects.count() == kept * LINES
    assert Customer.objects.count() == BUYERS - BUYERS // 10
    sizes = Order.objects.annotate(size=Count("lines")).values_list("size", flat=True)
    assert set(sizes) == {LINES}
    assert not ImportRow.objects.exists()
    assert rebuild_drift() == 0
    disturbed = told_record(), told_fates(batch), batch.audit

    undo_import(batch)
    assert whole_record() == before
    calm = finish(start(text))

    assert (told_record(), told_fates(calm), calm.audit) == disturbed


def sweep_and_ask(worker, has_begun):
    """Give a dead worker's job to this one, as the schedule does; tell whether work is there."""
    sweep(timezone.now(), worker.queue)
    return has_begun()
