"""Questions to the database that may not take for ever."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg import errors

from crm.core.errors import TooSlowError


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Let no statement inside take longer; raises TooSlowError for one that would.

    What is asked inside is only read: it is one transaction, which a slow statement ends.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}"]
                )
            yield
            with connection.cursor() as cursor:
                # The caller may be inside a transaction that goes on.
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooSlowError(f"A statement took longer than {seconds} s.") from error
        raise
