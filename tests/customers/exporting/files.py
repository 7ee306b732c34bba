"""Export a list, run its job to the end in this process, and read what came of it."""

import csv
import io
from pathlib import Path

from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.api.lists import listed_rows
from customers.connectors import tables
from customers.enums import ListOf
from customers.models import Source
from customers.services import exporting
from tests.customers.importing import files as imports
from tests.factories import UserFactory


def start(kind, format="csv", source="shop", user=None, filters=None):
    """Ask for an export, as REST does."""
    user = user or UserFactory(is_superuser=True)
    return exporting.start_export(
        kind=kind,
        format=format,
        source=Source.objects.get(key=source),
        rows=listed_rows(kind=kind, filters=filters or {}, user=user),
        filters=filters or {},
        filtered_by=ListOf.API,
        user_id=user.pk,
    )


def finish(export):
    """Run the export's job to its end in this process."""
    for _slice in range(1000):
        jobs.run_job(job_id=export.job_id, worker="test", now=timezone.now(), seconds=60)
        if Job.objects.get(pk=export.job_id).is_final:
            break
    export.refresh_from_db()
    export.job.refresh_from_db()
    return export


def export(kind, format="csv", **more):
    """Export a list; return the finished export."""
    done = finish(start(kind, format, **more))
    assert done.job.error == ""
    return done


def content(export):
    return Path(export.file.path).read_bytes()


def text_rows(export):
    """Return the rows of a CSV file as they stand there, header first."""
    return list(csv.reader(io.StringIO(content(export).decode("utf-8-sig"))))


def cells(export):
    """Return the rows as an import reads them."""
    path = Path(export.file.path)
    layout = tables.read_layout(path)
    return [row.cells for row in tables.read_rows(path, layout)]


def bring_back(data, format, source="shop"):
    """Import an exported file; return the finished batch."""
    batch = imports.finish(imports.start(data, name=f"back.{format}", source=source))
    assert batch.job.error == ""
    return batch
