"""How long uploaded files are kept."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from customers.enums import ImportState
from customers.errors import ImportStateError
from customers.models import ImportBatch, ImportRow
from customers.services import importing
from customers.services.importing.files import prune_files, prune_orphans
from tests.customers.importing import files
from tests.customers.importing.test_translated import CUSTOMERS, receive, run
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory()


def prune(days, limit=20):
    return prune_files(now=timezone.now() + timedelta(days=days), limit=limit)


def test_a_file_goes_after_its_days_and_its_import_stays(settings):
    batch = files.bring(*CUSTOMERS)
    path = Path(batch.file.path)
    assert prune(settings.IMPORT_FILE_DAYS - 1) == 0
    assert path.exists()
    assert prune(settings.IMPORT_FILE_DAYS + 1) == 1
    assert not path.exists()
    batch.refresh_from_db()
    assert (batch.state, batch.rows_created, batch.file.name) == (ImportState.FINISHED, 2, "")
    assert prune(settings.IMPORT_FILE_DAYS + 1) == 0


def test_what_nobody_brings_in_goes_with_its_rows():
    batch = receive(*CUSTOMERS)
    run(batch, dry_run=True)
    assert ImportRow.objects.exists()
    assert prune(1) == 0
    assert prune(3) == 1
    batch.refresh_from_db()
    assert (batch.state, batch.file.name) == (ImportState.CANCELLED, "")
    assert "Nobody brought it in" in batch.error
    assert not ImportRow.objects.exists()
    with pytest.raises(ImportStateError, match="no longer kept"):
        importing.begin_import(batch_id=batch.pk, user_id=None)


def test_a_running_import_keeps_its_file_and_limits_hold():
    running = receive(*CUSTOMERS)
    ImportBatch.objects.update(state=ImportState.RUNNING)
    assert prune(400) == 0
    assert Path(running.file.path).exists()
    ImportBatch.objects.update(state=ImportState.FAILED)
    receive(*CUSTOMERS)
    assert prune(400, limit=1) == 1
    assert prune(400, limit=1) == 1
    assert prune(400, limit=1) == 0


def orphans(days=0, limit=20):
    return prune_orphans(now=timezone.now() + timedelta(days=days), limit=limit)


class _KilledError(BaseException):
    """Ends the process, as nothing that is caught would."""


def test_what_a_killed_upload_left_goes_after_a_day(monkeypatch, settings):
    def die(_path):
        raise _KilledError

    monkeypatch.setattr("customers.services.importing.starting.tables.read_layout", die)
    with pytest.raises(_KilledError):
        receive(*CUSTOMERS)
    (left,) = (path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    assert not ImportBatch.objects.exists()

    assert orphans() == 0
    assert left.exists()
    assert orphans(2) == 1
    assert not left.exists()
    assert orphans(2) == 0


def test_files_that_belong_to_something_stay(settings):
    bad = files.bring(*CUSTOMERS, "c3,Cy,Rome,no address")
    waiting = receive(*CUSTOMERS)
    export = Path(default_storage.path(default_storage.save("exports/a.csv", ContentFile(b"id"))))
    kept = [bad.file.path, bad.job.error_file.path, waiting.file.path, export]
    folder = Path(waiting.file.path).parent
    for number in range(3):
        (folder / f"orphan-{number}.csv").write_text("id")
    for path in Path(settings.MEDIA_ROOT).rglob("*.csv"):
        os.utime(path, (0, 0))
    (folder / "still-written.csv").write_text("id")

    assert [orphans(limit=2), orphans(limit=2), orphans(limit=2)] == [2, 1, 0]

    assert [path for path in kept if not Path(path).exists()] == []
    assert {path.name for path in folder.iterdir()} == {
        *(Path(batch.file.path).name for batch in (bad, waiting)),
        "still-written.csv",
    }
