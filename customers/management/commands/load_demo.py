"""Fill the demonstration shop: real orders through the real worker, people made up."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.registry import registry
from crm.core.services import jobs
from crm.core.tasks import run_job
from customers.enums import ImportState
from customers.models import Customer, ImportBatch, Order, ShopSettings, Source
from customers.services import demo, facts, importing

SOURCE = "online-retail"
ZONE = "Europe/London"
SAMPLE = Path(settings.BASE_DIR) / "samples" / "online_retail.parquet"


class Command(BaseCommand):
    """Do each step once; a second start finds everything done."""

    help = "Load the demonstration shop. Needs a running worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Let tests bring a smaller file."""
        parser.add_argument("--sample", type=Path, default=SAMPLE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Settings, orders, facts, people, scores."""
        self._settings()
        source, _created = Source.objects.get_or_create(
            key=SOURCE, defaults={"name": "Online Retail"}
        )
        self._orders(source, options["sample"])
        if Customer.objects.active().filter(source=source, is_simulated=False).exists():
            with self._step("Making up labelled profiles for the customers"):
                self._facts()
                demo.simulate_profiles(source_id=source.pk, now=timezone.now())
        self._facts()
        self._scores()
        customers = Customer.objects.active().filter(source=source).count()
        orders = Order.objects.filter(source=source).count()
        self.stdout.write(f"  {customers:,} customers with {orders:,} orders are there.")

    def _settings(self) -> None:
        ShopSettings.objects.get_or_create(
            pk=1,
            defaults={
                "name": "Huike demo shop",
                "zone": ZONE,
                "currency": "GBP",
                "is_demo": True,
            },
        )

    def _orders(self, source: Source, sample: Path) -> None:
        batches = ImportBatch.objects.filter(source=source).exclude(
            state__in=[ImportState.FAILED, ImportState.CANCELLED]
        )
        batch = batches.order_by("pk").first()
        if batch is not None and batch.state == ImportState.FINISHED:
            return
        if batch is None:
            batch = self._start_import(sample)
        self._follow("Importing the orders of a real shop", batch.job_id)

    def _start_import(self, sample: Path) -> ImportBatch:
        now = timezone.now()
        local = now.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
        with TemporaryDirectory() as folder:
            target = Path(folder) / sample.name
            with self._step("Moving the sample's dates to the present, by whole weeks"):
                weeks = demo.shift_sample(sample=sample, target=target, now=local)
            with target.open("rb") as content, transaction.atomic():
                batch = importing.start_import(
                    file=File(content),
                    filename=sample.name,
                    source_key=SOURCE,
                    user_id=None,
                    now=now,
                )
                ShopSettings.objects.filter(pk=1).update(demo_note=str(weeks))
        return batch

    def _facts(self) -> None:
        while facts.refresh_pending(now=timezone.now(), seconds=60):
            pass

    def _scores(self) -> None:
        if "analytics.score" not in registry.job_handlers:
            raise CommandError("There is no scoring in this installation.")
        job, _created = jobs.create_job(
            kind="analytics.score",
            title=gettext_noop("First scores of the demonstration"),
            parameters={"trigger": "manual"},
            key="demo",
        )
        if job.state != JobState.SUCCEEDED:
            self._follow("Scoring every customer", job.pk)

    def _follow(self, words: str, job_id: int | None) -> None:
        """Hand a job to the worker and wait for its end; a failure ends the command."""
        if job_id is None:
            raise CommandError("The import has lost its job.")
        with self._step(words):
            run_job.delay(job_id)
            job = Job.objects.get(pk=job_id)
            while not job.is_final:
                time.sleep(0.3)
                job.refresh_from_db()
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"{job.title_words}: {job.get_state_display()}. {job.error}")

    @contextmanager
    def _step(self, words: str) -> Iterator[None]:
        self.stdout.write(f"  {words} … ", ending="")
        self.stdout.flush()
        began = time.monotonic()
        yield
        self.stdout.write(f"{time.monotonic() - began:.1f} s")
