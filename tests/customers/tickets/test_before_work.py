"""An import of before tickets had an assignee and a due time is undone as before."""

from importlib import import_module

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from crm.core.services import jobs
from customers.models import ImportBatch, ImportChange, Ticket
from customers.services import importing
from customers.services.importing import undo
from tests.factories import ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
HASHES = import_module("customers.migrations.0015_ticket_work_hashes")
FILE = "ticket_id,subject,opened_at,state\n1,Help,2026-03-02 10:00,open\n2,More,2026-03-02,open\n"
SHORTEN = "UPDATE customers_importchange SET after_hash = md5(%s)::uuid WHERE id = %s"


def bring_in(text: str) -> ImportBatch:
    batch = importing.start_import(
        file=ContentFile(text.encode()), filename="tickets.csv", source_key="desk",
        user_id=None, now=timezone.now(),
    )  # fmt: skip
    jobs.run_job(job_id=batch.job_id, worker="test", now=timezone.now(), seconds=60)
    batch.refresh_from_db()
    assert batch.state == "finished"
    return batch


def text_of(pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(HASHES.SETTINGS)
        cursor.execute("SELECT t::text FROM customers_ticket t WHERE id = %s", [pk])
        return str(cursor.fetchone()[0])


def refused(batch: ImportBatch) -> int:
    return undo.plan_undo(batch).refused


def test_an_import_of_before_is_undone_and_one_whose_ticket_was_taken_is_not():
    ShopSettingsFactory()
    batch = bring_in(FILE)
    with connection.cursor() as cursor:
        for change in ImportChange.objects.filter(table_name="customers_ticket"):
            cursor.execute(SHORTEN, [text_of(change.row_id)[:-3] + ")", change.pk])
        assert refused(batch) == 2

        for statement in (HASHES.SETTINGS, HASHES.LIVE, HASHES.BETWEEN):
            cursor.execute(statement)
    assert refused(batch) == 0

    Ticket.objects.filter(external_id="1").update(assignee=UserFactory())
    assert refused(batch) == 1


def test_between_two_changes_of_an_import_the_hash_is_put_right_too():
    ShopSettingsFactory()
    batch = bring_in(FILE)
    row = Ticket.objects.get(external_id="1")
    first = ImportChange.objects.get(table_name="customers_ticket", row_id=row.pk)
    left = text_of(row.pk)
    with connection.cursor() as cursor:
        cursor.execute(SHORTEN, [left[:-3] + ")", first.pk])
        cursor.execute("SELECT set_config('huike.import_batch', %s, true)", [str(batch.pk)])
        Ticket.objects.filter(pk=row.pk).update(subject="Help!")
        cursor.execute("SELECT set_config('huike.import_batch', '', true)")
        assert refused(batch) == 1

        for statement in (HASHES.SETTINGS, HASHES.LIVE, HASHES.BETWEEN):
            cursor.execute(statement)
    assert refused(batch) == 0
