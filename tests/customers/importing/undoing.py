"""Undo an import in this process, and look at the whole record."""

from django.db import connection
from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.services.importing import undo
from customers.services.importing.undo.tables import RECORD


def whole_record():
    """Return every row of the record as it stands in its table, by table and id."""
    found = {}
    with connection.cursor() as cursor:
        for model in RECORD:
            cursor.execute(f"SELECT id, to_jsonb(t)::text FROM {model._meta.db_table} t")
            found |= {(model._meta.model_name, pk): text for pk, text in cursor.fetchall()}
    return found


def undo_import(batch):
    """Undo in this process; return the ended job."""
    job = undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    batch.refresh_from_db()
    return Job.objects.get(pk=job.pk)


def in_the_way(batch):
    """Return why an import cannot be undone now, in words."""
    return undo.words(undo.plan_undo(batch).refusals)
