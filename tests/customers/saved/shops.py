"""A shop with a saved import of customers, and its fetches run in this process."""

import os
from datetime import timedelta

from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.models import SavedImport
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.customers.importing.files import bring

HEADER = "customer_id,name,city"


def save(where=None, rows=(HEADER, "k1,Ann Lee,Leeds"), **more):
    """Bring the rows in and save that import."""
    batch = bring(*rows, name="first.csv")
    where = where or Where(name="Customers", place="folder", **more)
    return saved_imports.save_import(
        batch_id=batch.pk, where=where, user_id=None, now=timezone.now()
    )


def put(folder, name, *rows, age=3600):
    """Write a file into a folder, as old as is said."""
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    at = timezone.now().timestamp() - age
    os.utime(path, (at, at))
    return path


def run_all():
    """Run every job that waits, as workers would, until nothing is left to do."""
    for _round in range(200):
        waiting = list(Job.objects.unfinished().order_by("pk").values_list("pk", flat=True))
        if not waiting:
            return
        for pk in waiting:
            jobs.run_job(job_id=pk, worker="test", now=timezone.now(), seconds=60)
    raise AssertionError("Jobs do not come to an end.")


def fetch(saved):
    """Fetch now and bring in what came; return the fetch's job and the row."""
    job = saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    run_all()
    job.refresh_from_db()
    return job, SavedImport.objects.get(pk=saved.pk)


def since(saved, days):
    """Let the saved import be that many days old."""
    moment = timezone.now() - timedelta(days=days)
    SavedImport.objects.filter(pk=saved.pk).update(active_since=moment)
