"""Whichever worker dies, an import is undone exactly."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm.core.models import Job
from customers.models import ImportBatch, ImportChange, Order
from customers.services.importing import undo
from tests.customers.importing.files import bring, rebuild_drift, start
from tests.customers.importing.undoing import whole_record
from tests.factories import ShopSettingsFactory
from tests.workers import sweep_until_final, wait_for

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
DAY = datetime(2011, 1, 1, 9, tzinfo=UTC)


def order(number, sku="A", customer=7):
    placed = DAY + timedelta(hours=number % 900)
    return f"{number},{sku}{number % 50},Cup,2,{placed:%Y-%m-%d %H:%M},2.00,{customer},France"


def is_anybody_waiting():
    """Tell whether a statement on this database waits for somebody's lock."""
    with connection.cursor() as cursor:
        # Within a transaction the first answer would be repeated.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM %importchange%'"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_an_import_and_its_undo_survive_the_death_of_their_workers(start_worker):
    ShopSettingsFactory()
    bring(HEADER, *(order(n, customer=n % 300) for n in range(500)))
    before = whole_record()
    rows = [order(n, sku="B", customer=n % 900) for n in range(12_000)]
    rows += [f"C{n},A{n % 50},Cup,-1,2011-12-01 10:00,2.00,{n % 300},France" for n in range(300)]
    worker = start_worker()
    batch = start("\n".join([HEADER, *rows]) + "\n")
    worker.hint(batch.job_id)
    wait_for(lambda: Order.objects.count() > 500, timeout=60)
    worker.kill()
    assert not Job.objects.get(pk=batch.job_id).is_final
    worker = start_worker()
    sweep_until_final(batch.job, worker.queue)
    batch = ImportBatch.objects.get(pk=batch.pk)
    assert (batch.state, batch.error) == ("finished", "")
    after = whole_record()

    job = undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    with transaction.atomic():
        # Everything is done by then, and nothing is committed.
        list(ImportChange.objects.select_for_update().filter(batch=batch)[:1])
        worker.hint(job.pk)
        wait_for(is_anybody_waiting, timeout=60, tell=worker.output)
        worker.kill()
        assert whole_record() == after
    assert not Job.objects.get(pk=job.pk).is_final
    wait_for(lambda: not is_anybody_waiting())
    assert whole_record() == after

    worker = start_worker()
    sweep_until_final(job, worker.queue)

    batch.refresh_from_db()
    assert (job.state, job.error, batch.state) == ("succeeded", "", "undone")
    assert whole_record() == before
    assert rebuild_drift() == 0
