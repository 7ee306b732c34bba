"""``manage.py rebuild_facts [--wait]``: compare every customer's facts with the record."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from crm.core.enums import JobState
from crm.core.tasks import queue_job
from customers.services import facts


class Command(BaseCommand):
    help = "Compute all customer facts anew and report the rows that had drifted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--wait", action="store_true", help="wait for a worker to finish it")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the job, and with --wait tell how it ended."""
        job, _created = facts.start_rebuild()
        queue_job(job.pk)
        self.stdout.write(_("Started %(job)s.") % {"job": job.public_id})
        if not options["wait"]:
            return
        deadline = time.monotonic() + options["timeout"]
        while not job.is_final:
            if time.monotonic() > deadline:
                raise CommandError(_("It has not ended yet. Is a worker running?"))
            time.sleep(0.2)
            job.refresh_from_db()
        if job.state != JobState.SUCCEEDED:
            raise CommandError(job.error or job.get_state_display())
        self.stdout.write(
            _("Checked %(checked)d customers; %(drift)d rows had drifted and were corrected.")
            % {"checked": job.result["checked"], "drift": job.result["drift_rows"]}
        )
