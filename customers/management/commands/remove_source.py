"""Take the sample or a simulated shop out of this database again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.core.errors import DomainError
from customers.services.removing import plan_removal, remove_source


class Command(BaseCommand):
    """Say what goes, ask, and remove it in one transaction."""

    help = "Remove the sample (online-retail) or a simulated source with everything it brought."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the source; ``--yes`` answers the question."""
        parser.add_argument("source", help="Key of the source, such as online-retail.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Nothing goes unless somebody types the source's key, or said so before."""
        key = options["source"]
        try:
            plan = plan_removal(key=key)
            self.stdout.write(f"From “{plan.source.name}” ({key}) would go, for good:")
            for label, count in plan.rows:
                self.stdout.write(f"  {label}: {count:,}")
            if plan.refusals:
                raise CommandError(" ".join(plan.refusals))
            self.stdout.write("Notes, tasks, tags and tickets about these customers are among it.")
            if not options["yes"] and input("Type the key of the source to remove it: ") != key:
                raise CommandError("Nothing was removed.")
            remove_source(key=key, user_id=None)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("It is removed. The next scoring run counts without it.")
