"""A shop with real orders: a part of the sample's customers, imported and scored as in the product.

Every step runs through the product's services; dates are moved to the present and people are made
up exactly as in the demonstration.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files import File
from django.utils import timezone

from analytics.enums import RunState, RunTrigger
from analytics.models import ScoringRun
from analytics.services import activity, scoring
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import ImportBatch, ShopSettings
from customers.services import demo, facts, importing

SAMPLE = Path(settings.BASE_DIR) / "samples" / "online_retail.parquet"
SOURCE = "online-retail"
NAME, PASSWORD = "keeper", "a-browser-signs-in"


def load_shop(folder: Path, *, every: int = 12) -> None:
    """Fill an empty database with every ``every``-th customer of the sample, and a person."""
    get_user_model().objects.create_superuser(NAME, f"{NAME}@example.com", PASSWORD)
    ShopSettings.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Huike demo shop",
            "zone": "Europe/London",
            "currency": "GBP",
            "is_demo": True,
        },
    )
    part, moved = folder / "part.parquet", folder / "online_retail.parquet"
    write_part(part, every=every)
    now = timezone.now()
    weeks = demo.shift_sample(sample=part, target=moved, now=now.replace(tzinfo=None))
    ShopSettings.objects.filter(pk=1).update(demo_note=str(weeks))
    batch = import_file(moved)
    while facts.refresh_pending(now=timezone.now(), seconds=60):
        pass
    demo.simulate_profiles(source_id=batch.source_id, now=timezone.now())
    run = scoring.start_run(trigger=RunTrigger.MANUAL, as_of_day=None, user_id=None, now=now)
    finish(run.job_id)
    run = ScoringRun.objects.get(pk=run.pk)
    assert run.state == RunState.PUBLISHED, (run.state, run.error, run.abstentions)
    assert activity.count_activity(now=timezone.now())


def write_part(target: Path, *, every: int) -> None:
    """Write the orders of some customers, and as large a share of the guests' orders."""
    rows = pq.read_table(SAMPLE)
    customer = rows.column("CustomerID")
    number = pc.fill_null(customer, 0).to_numpy(zero_copy_only=False)
    guests = [hash_of(invoice) % every == 0 for invoice in rows.column("InvoiceNo").to_pylist()]
    keep = ((number > 0) & (number % every == 0)) | ((number == 0) & guests)
    pq.write_table(rows.filter(pa.array(keep)), target)


def hash_of(invoice: str) -> int:
    """Return a number that is the same for all lines of an invoice, and at every start."""
    digits = "".join(sign for sign in invoice if sign.isdigit())
    return int(digits or 1)


def import_file(path: Path, source: str = SOURCE) -> ImportBatch:
    """Bring a file in and read it to its end in this process."""
    with path.open("rb") as content:
        batch = importing.start_import(
            file=File(content),
            filename=path.name,
            source_key=source,
            user_id=None,
            now=timezone.now(),
        )
    finish(batch.job_id)
    batch.refresh_from_db()
    return batch


def finish(job_id: int) -> None:
    """Run a job to its end in this process."""
    while not (job := Job.objects.get(pk=job_id)).is_final:
        jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    assert job.error == "", job.error
