"""A real Celery worker for tests: its own process group, the test database, the test broker.

Use the fixture ``start_worker`` in tests marked ``django_db(transaction=True)``: a worker sees only
what is committed. Whatever a test does, the fixture ends every worker it started, by its id.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from crm.core.tasks import run_job
from tests.worker_app import kinds

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
JOB_TIMES = {
    "JOB_HEARTBEAT_SECONDS": "0.3",
    "JOB_STALE_SECONDS": "2",
    "JOB_CHUNK_SECONDS": "0.5",
}


class Worker:
    """One ``celery -A crm worker`` process group that a test may kill."""

    def __init__(self, *, queue: str, folder: Path, environment: dict[str, str]) -> None:
        self.queue = queue
        self.name = f"test-{uuid.uuid4().hex[:8]}@localhost"
        self.log = folder / f"{self.name}.log"
        command = [
            *(sys.executable, "-m", "celery", "-A", "crm", "worker", "-P", "prefork", "-c", "1"),
            *("-n", self.name, "-Q", f"{queue},celery", "-l", "INFO"),
            *("--without-gossip", "--without-mingle"),
        ]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait for the worker to say that it takes work; fails with its log when it does not."""

        def is_ready() -> bool:
            if not self.is_running:
                raise AssertionError(f"The worker ended while starting:\n{self.output()}")
            return f"{self.name} ready." in self.output()

        wait_for(is_ready, timeout, tell=self.output)

    def output(self) -> str:
        """Return what the worker wrote so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """End the worker and its children at once, as ``kill -9`` or a lost machine does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def stop(self) -> None:
        """End the worker politely, then its group by force."""
        if self.is_running:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)
        self.kill()

    def hint(self, job_id: int) -> None:
        """Tell this worker (or another on its queue) that a job may be due."""
        run_job.apply_async((job_id,), queue=self.queue)


def wait_for(condition: Callable[[], T], timeout: float = 30.0, tell=None) -> T:
    """Return the first true answer of ``condition``; fails when there is none in time."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"Waited {timeout} seconds in vain.\n{tell() if tell is not None else ''}")


def wait_until_final(job: Job, timeout: float = 30.0) -> Job:
    """Return the job once it has ended."""

    def ended() -> bool:
        job.refresh_from_db()
        return job.is_final

    wait_for(ended, timeout, tell=lambda: f"{job.kind} is {job.state}, {job.done} done")
    return job


def sweep(now: datetime, queue: str) -> tuple[list[int], list[int]]:
    """Do what the schedule's sweep does, with its hints on the tests' queue."""
    requeued, failed = jobs.requeue_abandoned(now=now)
    for job in Job.objects.queued_and_due(now):
        run_job.apply_async((job.pk,), queue=queue)
    return requeued, failed


def sweep_until_final(job: Job, queue: str, timeout: float = 60.0) -> Job:
    """Let the sweep run every half second, as the schedule would, until the job has ended."""
    last = 0.0

    def ended() -> bool:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            sweep(timezone.now(), queue)
        job.refresh_from_db()
        return job.is_final

    wait_for(ended, timeout, tell=lambda: f"{job.kind} is {job.state}, {job.done} done")
    return job


def worker_environment(queue: str, **extra: str) -> dict[str, str]:
    """Return the environment of a worker on the test database, with short times for jobs."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {
        **os.environ,
        **JOB_TIMES,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
        "TEST_QUEUE": queue,
        "MEDIA_ROOT": str(django_settings.MEDIA_ROOT),
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": "console",
        **extra,
    }


@pytest.fixture
def worker_kinds() -> Iterator[None]:
    """Let the test's own process know the test-only kinds of work."""
    kinds.register()
    yield
    kinds.unregister()


@pytest.fixture
def worker_queue() -> str:
    """Return a queue name nobody else uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def start_worker(worker_kinds, worker_queue, settings, tmp_path, transactional_db):
    """Start real workers; each is ready when it is returned and gone when the test ends."""
    for name, value in JOB_TIMES.items():
        setattr(settings, name, float(value))
    workers: list[Worker] = []

    def start(**extra: str) -> Worker:
        worker = Worker(
            queue=worker_queue,
            folder=tmp_path,
            environment=worker_environment(worker_queue, **extra),
        )
        workers.append(worker)
        worker.wait_until_ready()
        return worker

    yield start
    for worker in workers:
        worker.stop()
