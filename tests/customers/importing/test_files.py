"""How long uploaded files are kept."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from customers.enums import ImportState
from customers.errors import ImportStateError
from customers.models import ImportBatch, ImportRow
from customers.services import importing
from customers.services.importing.files import prune_files
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
