"""A fetch on a real worker that is killed in the middle starts again, and no file comes twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, ImportBatch, SavedImport, SavedImportFile
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.customers.saved.servers import FileServer, certificates
from tests.customers.saved.shops import HEADER, put, save
from tests.factories import ShopSettingsFactory
from tests.workers import sweep, sweep_until_final, wait_for, wait_until_final

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(tmp_path, settings):
    ShopSettingsFactory()
    trusted, chain = certificates(tmp_path)
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.IMPORT_CA_FILE = str(trusted)
    running = FileServer(chain)
    running.body = f"{HEADER}\nk2,Bob Ray,York\n".encode()
    yield running
    running.stop()


@pytest.fixture
def worker_of(start_worker, settings):
    def make():
        return start_worker(
            IMPORT_ALLOWED_NETWORKS="127.0.0.0/8",
            IMPORT_CA_FILE=settings.IMPORT_CA_FILE,
            IMPORT_FOLDERS=",".join(settings.IMPORT_FOLDERS),
        )

    return make


def done_with_imports(queue):
    """Let the sweep go on until nothing is left to bring in."""

    def ended():
        sweep(timezone.now(), queue)
        return not Job.objects.unfinished().exists()

    wait_for(ended, 60)


def test_a_killed_fetch_starts_again_and_brings_the_file_in_once(server, worker_of):
    saved = save(Where(name="Signed", place="https", secret=server.address()))
    server.trickle = 0.2
    first = worker_of()
    job = saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    first.hint(job.pk)
    wait_for(lambda: Job.objects.filter(pk=job.pk, done__gt=3).exists())

    first.kill()
    assert not SavedImportFile.objects.exists()
    server.trickle = 0
    asked = len(server.asked)
    second = worker_of()
    sweep_until_final(job, second.queue)
    done_with_imports(second.queue)

    assert (job.state, job.error) == ("succeeded", "")
    assert len(server.asked) > asked
    assert Customer.objects.get(external_id="k2").name == "Bob Ray"
    assert SavedImportFile.objects.count() == 1
    assert [batch.state for batch in ImportBatch.objects.all()] == ["finished", "finished"]


def test_a_fetch_stops_in_the_middle_of_a_file_when_asked(server, worker_of):
    saved = save(Where(name="Signed", place="https", secret=server.address()))
    server.trickle = 0.3
    worker = worker_of()
    job = saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    worker.hint(job.pk)
    wait_for(lambda: Job.objects.filter(pk=job.pk, done__gt=2).exists())

    jobs.cancel_job(job_id=job.pk, now=timezone.now())
    wait_until_final(job)

    assert job.state == "cancelled"
    assert SavedImport.objects.get().last_outcome == "cancelled"
    assert not SavedImportFile.objects.exists()
    assert ImportBatch.objects.count() == 1


def test_the_day_on_a_real_worker(worker_of, settings, tmp_path):
    """The schedule's tick makes the day's job, a worker fetches, the sweep starts the imports."""
    ShopSettingsFactory()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    settings.IMPORT_FOLDERS = [str(inbox)]
    hour = timezone.now().hour
    saved = save(folder=str(inbox), pattern="*.csv", hour=hour)
    start = timezone.now().replace(minute=0, second=0, microsecond=0)
    SavedImport.objects.update(active_since=start - timedelta(hours=1))
    for number in range(3):
        put(inbox, f"{number}.csv", HEADER, f"k2,Bob {number},York", age=300 - number)
    worker = worker_of()

    (job_id,) = saved_imports.start_due(now=timezone.now())
    worker.hint(job_id)
    done_with_imports(worker.queue)

    assert saved_imports.start_due(now=timezone.now()) == []
    assert Customer.objects.get(external_id="k2").name == "Bob 2"
    files = SavedImportFile.objects.filter(saved=saved).order_by("pk")
    assert [file.batch.state for file in files] == ["finished"] * 3
    assert Job.objects.get(pk=job_id).key == f"{saved.public_id}:{start.date().isoformat()}"
