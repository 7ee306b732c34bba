"""Django's migrate, one at a time."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

LOCK = 0x4875696B65  # "Huike"


class Command(migrate.Command):
    """Hold an advisory lock while migrating: containers that start together wait their turn."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Wait for the lock, migrate, and let go of it, also when the migration fails."""
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            return super().handle(*args, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
