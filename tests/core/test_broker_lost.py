"""A broker that goes away costs a delay: the worker comes back by itself and nothing is lost."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings

from crm.core.models import Job
from crm.core.services import jobs
from tests.workers import sweep_until_final, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


class Cable:
    """A line to the real broker that a test may cut and mend."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self.sockets: list[socket.socket] = []
        self.listener = self._listen(0)
        self.port = self.listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{self.port}"))

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._close(self.listener)
        for one in self.sockets:
            self._close(one)
        self.sockets.clear()

    def mend(self) -> None:
        self.listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _address = listener.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _close(self, one: socket.socket) -> None:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.fixture
def cable():
    line = Cable(settings.CELERY_BROKER_URL)
    yield line
    line.cut()


def test_a_worker_that_loses_the_broker_in_the_middle_of_a_job_works_on(start_worker, cable):
    worker = start_worker(BROKER_URL=cable.url, JOB_CHUNK_SECONDS="60")
    job, _ = jobs.create_job(
        kind="test.count", title="Count", parameters={"numbers": 40, "seconds": 0.1}
    )
    worker.hint(job.pk)
    wait_for(lambda: Job.objects.filter(pk=job.pk, done__gte=2).exists())

    cable.cut()
    wait_for(lambda: "Connection to broker lost" in worker.output(), tell=worker.output)
    cable.mend()
    sweep_until_final(job, worker.queue)
    later, _ = jobs.create_job(kind="test.count", title="Later", parameters={"numbers": 1})
    sweep_until_final(later, worker.queue)

    assert (job.state, job.done) == ("succeeded", 40)
    assert (later.state, later.done) == ("succeeded", 1)
    assert worker.is_running
    assert "Unrecoverable" not in worker.output()
