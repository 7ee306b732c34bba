"""Saved imports in the web admin: saved from an import, tested, run, stopped and resumed."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from crm.core.models import AuditEntry, Job
from customers.models import Customer, ImportBatch, SavedImport, SavedImportFile
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.customers.importing.files import bring, start
from tests.customers.saved.servers import SftpServer
from tests.customers.saved.shops import HEADER, fetch, put, run_all, save
from tests.factories import (
    ImportBatchFactory,
    OrderFactory,
    ShopSettingsFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
ADD = reverse("admin:customers_savedimport_add")
LIST = reverse("admin:customers_savedimport_changelist")


@pytest.fixture
def inbox(tmp_path, settings):
    ShopSettingsFactory()
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.IMPORT_FOLDERS = [str(folder)]
    return folder


def page_of(saved):
    return reverse("admin:customers_savedimport_change", args=[saved.pk])


def act(client, name, saved, **data):
    return client.post(reverse(f"admin:customers_savedimport_{name}", args=[saved.pk]), data)


def form(**changes):
    return {
        "name": "Customers", "place": "folder", "folder": "", "pattern": "*.csv", "host": "",
        "port": "22", "username": "", "secret": "", "hour": "5", "missing_days": "2", **changes,
    }  # fmt: skip


def test_an_import_that_went_well_is_saved_from_its_page(staff_client, staff, inbox):
    batch = bring(HEADER, "k1,Ann Lee,Leeds", name="customers.csv")
    shown = staff_client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    address = f"{ADD}?batch={batch.pk}"
    assert address in shown.content.decode()
    assert "Run the import of customers.csv daily" in staff_client.get(address).content.decode()

    response = staff_client.post(address, form(folder=str(inbox)))

    saved = SavedImport.objects.get()
    assert response.status_code == 302
    assert (saved.source, saved.format, saved.header) == (
        batch.source,
        "huike_customers",
        HEADER.split(","),
    )
    assert saved.created_by == staff
    assert AuditEntry.objects.get(action="saved_import.created").actor == staff
    assert "Customers" in staff_client.get(LIST).content.decode()


def test_ids_in_addresses_have_no_thousands_separator(staff_client, staff, inbox):
    source = SourceFactory(id=7654321)
    batch = ImportBatchFactory(id=1234567, source=source, state="finished", uploaded_by=staff)
    OrderFactory(source=source)

    shown = staff_client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))

    links = re.findall(r'(?:href|action)="([^"]*)"', shown.content.decode())
    assert any(link.endswith("?batch=1234567") for link in links)
    assert any(link.endswith("=7654321") for link in links)
    assert not [link for link in links if re.search(r"\d,\d{3}", link)]


def test_nothing_is_saved_from_an_import_that_waits_or_from_none(staff_client, inbox):
    waiting = start(HEADER + "\nk1,Ann,Leeds\n")

    for address in (ADD, f"{ADD}?batch={waiting.pk}", f"{ADD}?batch=x"):
        response = staff_client.post(address, form(folder=str(inbox)))
        assert response["Location"] == reverse("admin:customers_importbatch_changelist")

    assert not SavedImport.objects.exists()


def test_refusals_stand_in_the_form_and_a_secret_is_not_shown_again(staff_client, inbox):
    batch = bring(HEADER, "k1,Ann Lee,Leeds")

    response = staff_client.post(
        f"{ADD}?batch={batch.pk}",
        form(place="https", secret="http://files.example.com/?sig=TOPSECRET"),
    )

    text = response.content.decode()
    assert "Give an address such as https://files.example.com/orders.csv" in text
    assert "TOPSECRET" not in text
    assert not SavedImport.objects.exists()
    address = "https://files.example.com/o.csv?sig=TOPSECRET"
    staff_client.post(f"{ADD}?batch={batch.pk}", form(place="https", secret=address))
    saved = SavedImport.objects.get()
    text = staff_client.get(page_of(saved)).content.decode()
    assert "files.example.com" in text
    assert "TOPSECRET" not in text
    assert saved.sealed not in text


def test_a_change_keeps_the_secret_that_is_not_entered_anew(staff_client, inbox):
    saved = save(Where(name="S", place="https", secret="https://files.example.com/o.csv?sig=x"))

    staff_client.post(page_of(saved), form(name="Signed", place="https", hour="7"))

    row = SavedImport.objects.get()
    assert (row.name, row.hour, row.sealed) == ("Signed", 7, saved.sealed)
    assert AuditEntry.objects.filter(action="saved_import.changed").count() == 1


def test_the_test_lists_the_files_or_says_what_fails(staff_client, inbox):
    saved = save(folder=str(inbox), pattern="*.csv")
    assert "no file there matches" in act(staff_client, "look", saved).content.decode()
    put(inbox, "a.csv", HEADER, "k2,Bob,York")

    text = act(staff_client, "look", saved).content.decode()
    assert "<td>a.csv</td>" in text
    SavedImport.objects.update(folder="/etc")
    text = act(staff_client, "look", saved).content.decode()
    assert "The folder /etc does not lie below one that this server may read" in text
    assert Customer.objects.count() == 1


def test_a_host_key_is_shown_and_confirmed(staff_client, inbox, settings):
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    server = SftpServer(str(inbox))
    try:
        where = Where(
            name="S", place="sftp", host="127.0.0.1", port=server.port, username="shop",
            secret="open sesame", folder="/",
        )  # fmt: skip
        saved = save(where)
        put(inbox, "a.csv", HEADER, "k2,Bob,York")
        key, fingerprint = saved_imports.shown_host_key(saved)

        text = act(staff_client, "look", saved).content.decode()
        assert "Nobody has confirmed the key" in text
        assert fingerprint in text
        act(staff_client, "host_key", saved, host_key=key)

        assert SavedImport.objects.get().host_key == key
        assert "<td>a.csv</td>" in act(staff_client, "look", saved).content.decode()
    finally:
        server.stop()


def test_it_is_run_paused_and_resumed(staff_client, staff, inbox):
    saved = save(folder=str(inbox))
    put(inbox, "a.csv", HEADER, "k2,Bob,York")

    response = act(staff_client, "run", saved)

    job = Job.objects.get(kind=saved_imports.KIND)
    assert response["Location"] == reverse("admin:core_job_change", args=[job.pk])
    assert job.title_words == "Fetch files for “Customers”"
    assert AuditEntry.objects.get(action="saved_import.started").actor == staff
    run_all()
    assert "a.csv" in staff_client.get(page_of(saved)).content.decode()
    act(staff_client, "pause", saved)
    assert "It is paused." in staff_client.get(page_of(saved)).content.decode()
    response = act(staff_client, "run", saved)
    assert response["Location"] == page_of(saved)
    assert Job.objects.filter(kind=saved_imports.KIND).count() == 1
    act(staff_client, "resume", saved)
    assert SavedImport.objects.get().is_active


def test_a_new_header_is_looked_at_brought_in_and_taken_over(staff_client, inbox):
    saved = save(folder=str(inbox))
    put(inbox, "a.csv", HEADER + ",country", "k2,Bob,York,GB")
    fetch(saved)
    refused = SavedImportFile.objects.get(refusal="header").batch
    check = reverse("admin:customers_importbatch_check", args=[refused.pk])

    text = staff_client.get(page_of(saved)).content.decode()
    assert "New columns: country." in text
    assert check in text
    assert "Resume with the new header" not in text
    assert staff_client.get(check).status_code == 200
    response = staff_client.post(
        check, {"action": "import", "decimal_mark": ".", "zone": "UTC", "currency": "GBP"}
    )
    assert response.status_code == 302
    run_all()
    assert ImportBatch.objects.get(pk=refused.pk).state == "finished"
    assert "Resume with the new header" in staff_client.get(page_of(saved)).content.decode()
    act(staff_client, "adopt", saved)

    row = SavedImport.objects.get()
    assert (row.is_active, row.header[-1]) == (True, "country")
    assert Customer.objects.count() == 2


def test_who_may_only_look_changes_nothing(client, inbox):
    saved = save(folder=str(inbox))
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_savedimport"))
    client.force_login(user)

    text = client.get(page_of(saved)).content.decode()

    assert "Run now" not in text
    for name in ("look", "run", "pause", "resume", "adopt", "host_key"):
        assert act(client, name, saved).status_code == 403
        address = reverse(f"admin:customers_savedimport_{name}", args=[saved.pk])
        assert client.get(address).status_code == 405
    assert client.get(ADD).status_code in (302, 403)
    assert not Job.objects.filter(kind=saved_imports.KIND).exists()
    assert SavedImport.objects.get().is_active


def test_a_removed_one_leaves_its_imports(staff_client, inbox):
    saved = save(folder=str(inbox))
    put(inbox, "a.csv", HEADER, "k2,Bob,York")
    fetch(saved)

    staff_client.post(
        reverse("admin:customers_savedimport_delete", args=[saved.pk]), {"post": "yes"}
    )

    assert not SavedImport.objects.exists()
    assert ImportBatch.objects.filter(state="finished").count() == 2
    assert AuditEntry.objects.filter(action="saved_import.removed").exists()


def test_the_list_stays_in_its_query_budget(staff_client, inbox, django_assert_max_num_queries):
    saved = save(folder=str(inbox))
    for number in range(10):
        row = SavedImport.objects.get(pk=saved.pk)
        row.pk, row.name, row.public_id = None, f"Copy {number}", f"sav_{number:032x}"
        row.save(force_insert=True)
    staff_client.get(LIST)

    with django_assert_max_num_queries(9):
        assert "Copy 9" in staff_client.get(LIST).content.decode()
