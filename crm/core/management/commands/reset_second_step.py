"""Take the second step away from somebody who lost the phone and the codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.core.errors import DomainError
from crm.core.services.second_step import reset_by_name


class Command(BaseCommand):
    help = (
        "Reset somebody's second step: the password alone signs them in until they set it up anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose it is."""
        parser.add_argument("username", help="user name of the person")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset it, on record."""
        try:
            reset_by_name(username=options["username"])
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"“{options['username']}” signs in by the password alone now, is signed out "
            "everywhere, and is told at the next sign-in."
        )
