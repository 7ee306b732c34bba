"""Kinds of work that only tests know. Their data are the job's own log lines."""

import os
import signal
import time

from django.core.files.base import ContentFile
from django.db import transaction

from crm.core.errors import DomainError
from crm.core.models import JobLog
from crm.core.registry import JobHandler, registry


def count(run) -> bool:
    """Say one line per number, each in the transaction that moves the cursor."""
    number = run.cursor.get("number", 0)
    if number >= run.parameters["numbers"]:
        return True
    with transaction.atomic():
        run.say(f"number {number}")
        time.sleep(run.parameters.get("seconds", 0))
        run.save(done=number + 1, total=run.parameters["numbers"], cursor={"number": number + 1})
    return False


def end_count(job) -> None:
    """Leave a line, so that a test sees how often the end was told."""
    JobLog.objects.create(job=job, message=f"end {job.state}")


def kill_worker(run) -> bool:
    """Die as a worker does when memory runs out: without a word."""
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def long_chunk(run) -> bool:
    """Take longer in one chunk than a heartbeat may be missing."""
    time.sleep(run.parameters["seconds"])
    run.save(done=1, total=1)
    return True


def break_rule(run) -> bool:
    """Refuse, with a sentence meant for staff."""
    raise DomainError("The file has no header line.")


def break_down(run) -> bool:
    """Fail with a text that names a person."""
    raise ValueError("Key (email)=(ann@example.com) already exists.")


def attach(run) -> bool:
    """Leave an error file."""
    run.attach_errors("errors.csv", ContentFile(b"row,reason\n"))
    return True


HANDLERS = [
    JobHandler(key="test.count", label="Count", run_chunk=count, on_end=end_count),
    JobHandler(
        key="test.kill_worker",
        label="Kill the worker",
        run_chunk=kill_worker,
        on_end=end_count,
        max_attempts=2,
    ),
    JobHandler(key="test.long_chunk", label="Long chunk", run_chunk=long_chunk),
    JobHandler(key="test.break_rule", label="Break a rule", run_chunk=break_rule, on_end=end_count),
    JobHandler(key="test.break_down", label="Break down", run_chunk=break_down, on_end=end_count),
    JobHandler(key="test.attach", label="Attach", run_chunk=attach),
]


def register() -> None:
    """Register every test-only kind."""
    for handler in HANDLERS:
        registry.job_handlers.register(handler)


def unregister() -> None:
    """Take every test-only kind out again."""
    for handler in HANDLERS:
        registry.job_handlers.unregister(handler.key)
