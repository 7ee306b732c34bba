"""Start an import from text and run it to its end in this process."""

import csv
import io

from django.core.files.base import ContentFile
from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.services import facts, importing


def start(text, name="orders.csv", source="shop", **more):
    content = text if isinstance(text, bytes) else text.encode()
    return importing.start_import(
        file=ContentFile(content),
        filename=name,
        source_key=source,
        user_id=None,
        now=timezone.now(),
        **more,
    )


def finish(batch):
    """Run the import's job to its end in this process."""
    for _slice in range(1000):
        jobs.run_job(job_id=batch.job_id, worker="test", now=timezone.now(), seconds=60)
        if Job.objects.get(pk=batch.job_id).is_final:
            break
    batch.refresh_from_db()
    batch.job.refresh_from_db()
    return batch


def bring(*rows, **more):
    """Import rows of text, the header first; return the finished batch."""
    batch = finish(start("\n".join(rows) + "\n", **more))
    assert batch.job.error == ""
    return batch


def fates(batch):
    return (
        batch.rows_total,
        batch.rows_created,
        batch.rows_updated,
        batch.rows_unchanged,
        batch.rows_rejected,
    )


def rejects(batch):
    """Return the rows of the error file."""
    with batch.job.error_file.open() as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))


def rebuild_drift():
    """Refresh what is marked, compare all facts, and return how many rows differed."""
    while facts.refresh_pending(now=timezone.now(), seconds=60):
        pass
    job, _created = facts.start_rebuild()
    while not Job.objects.get(pk=job.pk).is_final:
        jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    return Job.objects.get(pk=job.pk).result["drift_rows"]
