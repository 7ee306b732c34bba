"""A running job's sign of life."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from psycopg_pool import PoolTimeout

from crm.core.enums import JobState
from crm.core.models import Job

log = structlog.get_logger(__name__)


@contextmanager
def heartbeat(job_id: int, epoch: int) -> Iterator[None]:
    """Refresh the job's heartbeat from a thread of its own, however long a statement takes.

    A moment without database is survived: the next beat tries again on a new connection.
    """
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
            try:
                held = Job.objects.filter(pk=job_id, epoch=epoch, state=JobState.RUNNING)
                if not held.update(heartbeat_at=timezone.now()):
                    return
            except (DatabaseError, InterfaceError, PoolTimeout) as error:
                log.warning("heartbeat_missed", job=job_id, error=type(error).__name__)
            finally:
                connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
