"""Django's migrate, one at a time."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import connections

LOCK = 0x4875696B65  # "Huike"
PAUSE_SECONDS = 0.5


class Command(migrate.Command):
    """Hold an advisory lock while migrating: containers that start together wait their turn."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Wait for the lock, migrate, and let go of it, also when the migration fails."""
        connection = connections[options["database"]]
        while not _locked(connection):
            time.sleep(PAUSE_SECONDS)
        try:
            return super().handle(*args, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _locked(connection: Any) -> bool:
    """Take the lock where it is free.

    Whoever waits inside a statement holds a snapshot, which an index that is built concurrently
    waits for in turn: a deadlock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
