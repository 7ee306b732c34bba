"""Print who may set Huike up: the code that its first page asks for."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.core.services.alerts import public_address
from customers.services import setup

HERE = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = (
        "Print the set-up code and the link that opens the first page. Only before the first user."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address people open Huike at, where the settings do not tell it."""
        parser.add_argument("--address", help="such as https://crm.example.com")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse when there is somebody already; otherwise print code and link."""
        if setup.is_set_up():
            raise CommandError(
                "Huike is set up: there is a user. More are made in the web admin, or by "
                "manage.py createsuperuser."
            )
        address = (options["address"] or public_address() or HERE).rstrip("/")
        code = setup.setup_code()
        self.stdout.write(f"Set-up code: {code}")
        self.stdout.write(f"Open: {address}/setup/?code={code}")
