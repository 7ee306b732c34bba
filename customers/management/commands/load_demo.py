"""Fill the demonstration shop: real orders through the real worker, people made up."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.errors import DomainError
from crm.core.models import Job
from crm.core.tasks import queue_job
from customers.models import ShopSettings
from customers.services import demo

ZONE = "Europe/London"


class Command(BaseCommand):
    """Do what the first start's “Load the sample” does; a second start finds everything done."""

    help = "Load the demonstration shop. Needs a running worker."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how the shop counts, start the job, and tell its steps until it has ended."""
        ShopSettings.objects.get_or_create(
            pk=1,
            defaults={
                "name": "Huike demo shop",
                "zone": ZONE,
                "currency": "GBP",
                "is_demo": True,
            },
        )
        try:
            with transaction.atomic():
                job = demo.start_sample(user_id=None, now=timezone.now())
                queue_job(job.pk)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self._follow(job)
        found = job.result
        self.stdout.write(
            f"  {found['customers']:,} customers with {found['orders']:,} orders are there."
        )

    def _follow(self, job: Job) -> None:
        """Print each step and how long it took; a failure ends the command."""
        shown, began = "", time.monotonic()
        while not job.is_final:
            job.refresh_from_db()
            if job.step and job.step != shown:
                self._end(shown, began)
                shown, began = job.step, time.monotonic()
                if not job.is_final:
                    self.stdout.write(f"  {job.step_words} … ", ending="")
                    self.stdout.flush()
            if not job.is_final:
                time.sleep(0.3)
        if job.step == shown and job.state != JobState.SUCCEEDED:
            self._end(shown, began)
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"{job.title_words}: {job.get_state_display()}. {job.error}")

    def _end(self, shown: str, began: float) -> None:
        if shown:
            self.stdout.write(f"{time.monotonic() - began:.1f} s")
