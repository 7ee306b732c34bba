"""Bring a file in from the command line, through the same job as the admin and the API."""

import json
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

FATES = ("total", "created", "updated", "unchanged", "rejected")


class Command(BaseCommand):
    """Queue an import; with --wait, follow it and fail when it fails."""

    help = "Import a file of any kind that docs/importing.md names. A worker does the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name file and source."""
        parser.add_argument("path", type=Path)
        parser.add_argument("--source", required=True, help="key of the source, such as my-shop")
        parser.add_argument("--dry-run", action="store_true", help="only count what would happen")
        parser.add_argument("--mapping", type=Path, help="JSON file: which column is which")
        parser.add_argument("--options", type=Path, help="JSON file: keep, consent, rules")
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
                    mapping=_told(options["mapping"]),
                    options=_told(options["options"]),
                    dry_run=options["dry_run"],
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
        counts = batch.trial.get("rows") if job.parameters.get("dry_run") else None
        if job.state != JobState.SUCCEEDED:
            raise CommandError(job.error or job.get_state_display())
        rows = counts or {f"rows_{name}": getattr(batch, f"rows_{name}") for name in FATES}
        told = ", ".join(f"{rows[f'rows_{name}']:,} {name}" for name in FATES[1:])
        end = " Nothing was changed." if counts else ""
        if counts and batch.trial.get("is_partial"):
            end += " The file has more rows; a dry run tries out the first ones."
        self.stdout.write(f"{rows['rows_total']:,} rows: {told}.{end}")


def _told(path: Path | None) -> Any:
    """Return what a JSON file says; raises CommandError for one that holds no object."""
    if path is None:
        return None
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"{path} must hold one object.")
    return found
