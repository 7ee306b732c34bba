"""A folder's files come in by themselves: each once, the oldest first, until the header changes."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from crm.core.models import Alert, Job
from crm.core.services import jobs
from customers.errors import InvalidSavedImportError, PlaceError, SavedImportStateError
from customers.models import Customer, ImportBatch, SavedImport, SavedImportFile
from customers.services import importing, saved_imports
from customers.services.importing.files import prune_files
from customers.services.saved_imports import Where
from tests.customers.importing.files import bring, start
from tests.customers.saved.shops import HEADER, fetch, put, run_all, save, since
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox(tmp_path, settings):
    ShopSettingsFactory()
    folder = tmp_path / "inbox" / "shop"
    folder.mkdir(parents=True)
    settings.IMPORT_FOLDERS = [str(tmp_path / "inbox")]
    return folder


@pytest.fixture
def saved(inbox):
    return save(folder=str(inbox), pattern="customers-*.csv")


def names():
    return list(Customer.objects.order_by("external_id").values_list("external_id", "name"))


def test_new_files_come_in_once_the_oldest_first(saved, inbox):
    put(inbox, "customers-2.csv", HEADER, "k1,Ann Newest,Leeds", age=60)
    put(inbox, "customers-1.csv", HEADER, "k1,Ann Older,Leeds", "k2,Bob Ray,York", age=120)
    put(inbox, "orders.csv", "order_id", "1")
    put(inbox, ".customers-3.csv", HEADER, "k9,Hidden,York")
    put(inbox, "customers-\udcff.csv", HEADER, "k9,Of no text,York")

    job, row = fetch(saved)

    assert (job.state, job.error, job.result["taken"]) == ("succeeded", "", 2)
    assert names() == [("k1", "Ann Newest"), ("k2", "Bob Ray")]
    assert (row.last_outcome, row.is_active) == ("taken", True)
    files = list(SavedImportFile.objects.order_by("pk"))
    assert [file.name for file in files] == ["customers-1.csv", "customers-2.csv"]
    assert [file.batch.state for file in files] == ["finished", "finished"]
    assert files[0].batch.job.finished_at <= files[1].batch.job.created_at

    job, row = fetch(saved)
    assert (job.state, job.result.get("taken", 0), row.last_outcome) == (
        "succeeded",
        0,
        "nothing_new",
    )
    assert ImportBatch.objects.count() == 3


def test_a_touched_file_is_the_same_and_a_changed_one_is_new(saved, inbox):
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York")
    fetch(saved)

    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York", age=10)
    job, _row = fetch(saved)
    assert (job.result["taken"], job.step) == (0, "Unchanged")
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Roy,York", age=5)
    job, _row = fetch(saved)

    assert (job.result["taken"], job.step) == (1, "Handed over")
    assert names()[1] == ("k2", "Bob Roy")


def test_another_header_stops_it_and_names_the_columns(saved, inbox):
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York", age=120)
    put(inbox, "customers-2.csv", "name,customer_id,country", "Cy Fox,k3,GB", age=60)
    put(inbox, "customers-3.csv", HEADER, "k4,Di Orr,York", age=30)

    job, row = fetch(saved)

    assert (job.state, job.step) == ("failed", "Not brought in")
    said = (
        "The file customers-2.csv has another header. New columns: country. Missing columns: "
        "city. Columns in another place: name, customer_id. Nothing of it was brought in."
    )
    assert job.error == said
    assert (row.is_active, row.last_outcome) == (False, "stopped")
    assert row.stopped_reason["code"] == "header_changed"
    alert = Alert.objects.get()
    assert alert.words == f"The saved import “Customers” was stopped. {said}"
    assert alert.severity == "error"
    with override("zh-hans"):
        assert "customers-2.csv" in alert.words
    assert names() == [("k1", "Ann Lee"), ("k2", "Bob Ray")]
    with pytest.raises(SavedImportStateError):
        saved_imports.start_fetch(saved_id=saved.pk, user_id=None)


def test_the_new_header_is_taken_over_once_the_refused_file_was_brought_in(saved, inbox):
    put(inbox, "customers-1.csv", HEADER + ",country", "k2,Bob Ray,York,GB", age=120)
    fetch(saved)
    refused = SavedImportFile.objects.get(refusal="header").batch
    with pytest.raises(SavedImportStateError):
        saved_imports.resume(saved_id=saved.pk, user_id=None, now=timezone.now(), adopt=True)

    importing.begin_import(batch_id=refused.pk, user_id=None)
    run_all()
    saved_imports.resume(saved_id=saved.pk, user_id=None, now=timezone.now(), adopt=True)
    put(inbox, "customers-2.csv", HEADER + ",country", "k3,Cy Fox,York,GB", age=60)
    job, row = fetch(saved)

    assert (job.state, row.last_outcome, row.stopped_reason) == ("succeeded", "taken", {})
    assert row.header[-1] == "country"
    assert len(names()) == 3
    assert not Alert.objects.open().exists()


def test_resumed_without_the_new_header_the_former_one_is_expected(saved, inbox):
    put(inbox, "customers-1.csv", HEADER + ",country", "k2,Bob Ray,York,GB", age=120)
    fetch(saved)

    saved_imports.resume(saved_id=saved.pk, user_id=None, now=timezone.now())
    put(inbox, "customers-2.csv", HEADER, "k3,Cy Fox,York", age=60)
    job, _row = fetch(saved)

    assert (job.state, job.result["taken"]) == ("succeeded", 1)
    assert names() == [("k1", "Ann Lee"), ("k3", "Cy Fox")]


def test_a_column_that_its_kind_does_not_suffer_stops_it_too(saved, inbox):
    put(inbox, "customers-1.csv", HEADER + ",shoe size", "k2,Bob Ray,York,44")

    job, row = fetch(saved)

    assert (job.state, row.is_active) == ("failed", False)
    assert "New columns: shoe size." in job.error
    assert names() == [("k1", "Ann Lee")]


def test_a_file_that_is_no_table_is_told_and_stands_in_no_others_way(saved, inbox):
    put(inbox, "customers-1.csv", "", age=120)
    put(inbox, "customers-2.csv", HEADER, "k2,Bob Ray,York", age=60)

    job, row = fetch(saved)

    assert (job.state, job.result["taken"]) == ("succeeded", 1)
    assert names() == [("k1", "Ann Lee"), ("k2", "Bob Ray")]
    assert (row.is_active, row.last_outcome) == (True, "failed")
    assert row.problem["parameters"] == {"file": "customers-1.csv"}
    alert = Alert.objects.get()
    assert alert.words == (
        "The file customers-1.csv of the saved import “Customers” cannot be read. "
        "The file is empty, or its first line is."
    )
    assert SavedImportFile.objects.get(refusal="unreadable").batch is None

    _job, row = fetch(saved)
    alert.refresh_from_db()
    assert (row.last_outcome, row.problem, alert.resolved_at) == ("nothing_new", {}, None)

    put(inbox, "customers-1.csv", HEADER, "k3,Cy Fox,York", age=10)
    fetch(saved)
    alert.refresh_from_db()
    assert (len(names()), alert.resolved_at is not None) == (3, True)


def test_a_refused_file_waits_as_long_as_its_saved_import_does(saved, inbox):
    put(inbox, "customers-1.csv", HEADER + ",country", "k2,Bob Ray,York,GB")
    fetch(saved)
    later = timezone.now() + timedelta(days=3)

    assert prune_files(now=later, limit=10) == 0
    saved_imports.resume(saved_id=saved.pk, user_id=None, now=timezone.now())
    assert prune_files(now=later, limit=10) == 1


def test_a_mapped_file_is_read_as_it_was_mapped(inbox):
    mapping = {
        "kind": "customers",
        "columns": {"customer_id": "Kunde", "name": "Wer"},
        "rules": {"decimal_mark": ",", "zone": "Europe/Berlin", "currency": "EUR"},
    }
    batch = bring("Kunde,Wer", "k1,Ann", name="first.csv", mapping=mapping)
    where = Where(name="Kunden", place="folder", folder=str(inbox), pattern="*.csv")
    saved = saved_imports.save_import(
        batch_id=batch.pk, where=where, user_id=None, now=timezone.now()
    )
    put(inbox, "k.csv", "Kunde,Wer", "k2,Bob")

    job, _row = fetch(saved)

    assert job.error == ""
    assert names() == [("k1", "Ann"), ("k2", "Bob")]
    assert ImportBatch.objects.order_by("pk").last().mapping == batch.mapping


def test_consent_that_was_said_of_one_file_is_not_said_of_the_next(inbox):
    consent = {"email": {"at": "2026-01-01", "basis": "consent", "evidence": "checkbox"}}
    batch = bring(HEADER, "k1,Ann,Leeds", options={"keep": ["city"], "consent": consent})

    saved = saved_imports.save_import(
        batch_id=batch.pk,
        where=Where(name="C", place="folder", folder=str(inbox)),
        user_id=None,
        now=timezone.now(),
    )

    assert (saved.options["keep"], saved.options["consent"]) == (["city"], {})


@pytest.mark.parametrize("spelling", ["..", "../outside", "/etc", "link", "linked-folder"])
def test_nothing_outside_the_allowed_folders_is_read(saved, inbox, tmp_path, spelling):
    outside = tmp_path / "outside"
    outside.mkdir()
    put(outside, "customers-1.csv", HEADER, "k2,Bob Ray,York")
    (inbox / "linked-folder").symlink_to(outside)
    (inbox / "customers-9.csv").symlink_to(outside / "customers-1.csv")
    folder = {
        "..": f"{inbox}/../../outside",
        "../outside": str(outside),
        "/etc": "/etc",
        "link": str(inbox),
        "linked-folder": f"{inbox}/linked-folder",
    }[spelling]
    SavedImport.objects.update(folder=folder)

    job, row = fetch(saved)

    assert names() == [("k1", "Ann Lee")]
    if spelling == "link":
        assert (job.state, row.last_outcome) == ("succeeded", "nothing_new")
    else:
        assert (job.state, row.problem["code"]) == ("failed", "folder_not_allowed")


def test_a_folder_that_may_not_be_read_is_refused_when_it_is_saved(saved, inbox):
    where = Where(name="Customers", place="folder", folder="/etc", pattern="*.csv")
    with pytest.raises(PlaceError, match="The folder /etc does not lie below one"):
        saved_imports.update_saved_import(saved_id=saved.pk, where=where, user_id=None)
    saved.refresh_from_db()
    assert saved.folder == str(inbox)

    later = replace(where, folder=f"{inbox}/not there yet")
    saved_imports.update_saved_import(saved_id=saved.pk, where=later, user_id=None)


def test_without_allowed_folders_no_folder_is_read(saved, inbox, settings):
    settings.IMPORT_FOLDERS = []
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York")

    job, row = fetch(saved)

    assert (job.state, row.problem["code"]) == ("failed", "folder_not_allowed")
    assert names() == [("k1", "Ann Lee")]


def test_pipes_and_folders_that_match_are_not_files(saved, inbox):
    os.mkfifo(inbox / "customers-1.csv")
    (inbox / "customers-2.csv").mkdir()

    job, row = fetch(saved)

    assert (job.state, row.last_outcome) == ("succeeded", "nothing_new")


def test_a_failure_alerts_once_and_the_next_success_takes_it_back(saved, inbox):
    inbox.rename(inbox.with_name("away"))
    fetch(saved)
    _job, row = fetch(saved)

    alert = Alert.objects.get()
    assert (row.last_outcome, alert.code) == ("failed", "saved_import_failed")
    assert f"There is no folder {inbox} that can be read." in alert.words
    inbox.with_name("away").rename(inbox)
    fetch(saved)

    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_a_file_that_is_too_large_is_refused(saved, inbox, settings):
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York")
    settings.UPLOAD_MAX_BYTES = 20

    job, row = fetch(saved)

    assert (job.state, row.problem["code"]) == ("failed", "too_large")
    assert names() == [("k1", "Ann Lee")]


def test_no_new_file_for_longer_than_said_alerts_until_one_comes(saved, inbox):
    since(saved, 1)
    fetch(saved)
    assert not Alert.objects.exists()
    since(saved, 3)
    fetch(saved)

    alert = Alert.objects.get()
    assert alert.words == (
        "The saved import “Customers” has found no new file for more than 2 days."
    )
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York")
    fetch(saved)
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_the_alert_of_missing_files_can_be_turned_off(saved, inbox):
    SavedImport.objects.update(missing_days=0)
    since(saved, 300)

    fetch(saved)

    assert not Alert.objects.exists()


def test_an_import_that_fails_alerts_and_the_next_file_comes_in(saved, inbox):
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York", age=120)
    put(inbox, "customers-2.csv", HEADER, "k3,Cy Fox,York", age=60)
    job = saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    first, second = ImportBatch.objects.order_by("pk")[1:]
    assert (first.job is not None, second.job) == (True, None)

    os.remove(first.file.path)
    run_all()

    alert = Alert.objects.get(code="import_failed")
    assert "The import of customers-1.csv failed" in alert.words
    second.refresh_from_db()
    assert second.state == "finished"
    assert names() == [("k1", "Ann Lee"), ("k3", "Cy Fox")]


def test_a_paused_one_is_not_fetched_and_two_at_once_are_refused(saved, inbox):
    saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    with pytest.raises(SavedImportStateError):
        saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    run_all()

    saved_imports.pause(saved_id=saved.pk, user_id=None)

    with pytest.raises(SavedImportStateError):
        saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    assert Job.objects.filter(kind=saved_imports.KIND).count() == 1


def test_only_an_import_that_was_tried_can_be_saved(inbox):
    waiting = start(HEADER + "\nk1,Ann,Leeds\n")

    with pytest.raises(SavedImportStateError):
        saved_imports.save_import(
            batch_id=waiting.pk,
            where=Where(name="C", place="folder", folder=str(inbox)),
            user_id=None,
            now=timezone.now(),
        )


@pytest.mark.parametrize(
    "wrong",
    [{"folder": "relative"}, {"folder": ""}, {"hour": 24}, {"name": ""}, {"place": "ftp"}],
)
def test_what_makes_no_sense_is_refused(inbox, wrong):
    batch = bring(HEADER, "k1,Ann,Leeds")
    where = Where(**{"name": "C", "place": "folder", "folder": str(inbox), **wrong})

    with pytest.raises(InvalidSavedImportError):
        saved_imports.save_import(batch_id=batch.pk, where=where, user_id=None, now=timezone.now())

    assert not SavedImport.objects.exists()


def test_a_cancelled_fetch_keeps_what_was_handed_over(saved, inbox):
    put(inbox, "customers-1.csv", HEADER, "k2,Bob Ray,York")
    job = saved_imports.start_fetch(saved_id=saved.pk, user_id=None)
    jobs.cancel_job(job_id=job.pk, now=timezone.now() + timedelta(seconds=1))

    run_all()

    saved.refresh_from_db()
    assert saved.last_outcome == "cancelled"
    assert names() == [("k1", "Ann Lee")]
