"""Bring a file in from the command line, through the same job as the admin and the API."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.errors import DomainError
from crm.core.tasks import queue_job
from customers.services import importing


class Command(BaseCommand):
    """Queue an import; with --wait, follow it and fail when it fails."""

    help = "Import a file of orders. A worker does the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name file and source."""
        parser.add_argument("path", type=Path)
        parser.add_argument("--source", required=True, help="key of the source, such as my-shop")
        parser.add_argument("--wait", action="store_true", help="follow the job to its end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the file and queue its job."""
        path: Path = options["path"]
        try:
            with path.open("rb") as content:
                batch = importing.start_import(
                    file=File(content),
                    filename=path.name,
                    source_key=options["source"],
                    user_id=None,
                    now=timezone.now(),
                )
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error
        assert batch.job is not None
        queue_job(batch.job.pk)
        self.stdout.write(f"{batch.public_id}: {batch.job.public_id} is queued.")
        if options["wait"]:
            self._follow(batch)

    def _follow(self, batch: Any) -> None:
        job, shown = batch.job, ""
        while not job.is_final:
            time.sleep(0.5)
            job.refresh_from_db()
            line = f"{job.get_state_display()}: {job.step_words} {job.done:,} of {job.total or 0:,}"
            if line != shown:
                self.stdout.write(line)
            shown = line
        batch.refresh_from_db()
        if job.state != JobState.SUCCEEDED:
            raise CommandError(job.error or job.get_state_display())
        self.stdout.write(
            f"{batch.rows_total:,} rows: {batch.rows_created:,} created, "
            f"{batch.rows_updated:,} updated, {batch.rows_unchanged:,} unchanged, "
            f"{batch.rows_rejected:,} rejected."
        )
