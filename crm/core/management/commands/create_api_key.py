"""Make an API key from the command line."""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crm.core.enums import ApiScope
from crm.core.errors import DomainError
from crm.core.services.keys import create_api_key


class Command(BaseCommand):
    help = "Make an API key that acts as a user, and print it. It is shown this once only."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose key it is, what it is for and what it may do."""
        parser.add_argument("--user", required=True, help="user name the key acts as")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=ApiScope.values,
            help="what it may do; give it twice for both",
        )
        parser.add_argument("--expires", type=_instant, help="such as 2027-01-01T00:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key and print it."""
        user = get_user_model()._default_manager.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user named “{options['user']}”.")
        try:
            _key, token = create_api_key(
                name=options["name"],
                user_id=user.pk,
                scopes=options["scope"],
                expires_at=options["expires"],
                now=timezone.now(),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)


def _instant(text: str) -> datetime:
    """Read an instant with its offset; raises ValueError."""
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError
    return moment
