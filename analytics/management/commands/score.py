"""Score everybody now."""

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analytics.enums import RunTrigger
from analytics.services import scoring
from crm.core.enums import JobState
from crm.core.tasks import queue_job


class Command(BaseCommand):
    """Queue a scoring run; with --wait, follow it and fail when it fails."""

    help = "Start a scoring run. A worker does the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the first day the run may not see."""
        parser.add_argument("--as-of", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD")
        parser.add_argument("--wait", action="store_true", help="follow the job to its end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the run and queue its job."""
        run = scoring.start_run(
            trigger=RunTrigger.MANUAL,
            as_of_day=options["as_of"],
            user_id=None,
            now=timezone.now(),
        )
        job = run.job
        assert job is not None
        queue_job(job.pk)
        self.stdout.write(f"{run.public_id}: {job.public_id} is queued.")
        while options["wait"] and not job.is_final:
            time.sleep(0.5)
            job.refresh_from_db()
        run.refresh_from_db()
        if options["wait"] and job.state != JobState.SUCCEEDED:
            raise CommandError(job.error or job.get_state_display())
        self.stdout.write(f"{run.get_state_display()}, {run.scored_count:,} customers.")
