"""The page between upload and import, as staff use it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.core.models import Job
from customers.enums import ImportFormat, ImportState
from customers.models import Consent, Customer, ImportBatch, Order, ShopSettings
from tests.customers.importing import files
from tests.customers.importing.test_translated import CUSTOMERS, MAPPING, OTHER, SHOPIFY
from tests.factories import OrderFactory, UserFactory

RULES = {"decimal_mark": ".", "zone": "Europe/Berlin", "currency": "EUR"}
GERMAN = {"decimal_mark": ",", "date_order": "dmy"}
COLUMNS = {f"column-{ours}": theirs for ours, theirs in MAPPING["columns"].items()}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db):
    """A shop in Berlin that counts in euro."""
    ShopSettings.objects.create(name="Shop", currency="EUR", zone="Europe/Berlin")


def upload(client, *rows):
    """Upload a file as staff do; return the batch and the page that follows."""
    file = SimpleUploadedFile("file.csv", ("\n".join(rows) + "\n").encode())
    answer = client.post(
        reverse("admin:customers_importbatch_add"), {"file": file, "source": "shop"}, follow=True
    )
    assert answer.status_code == 200, answer.content
    return ImportBatch.objects.get(), answer


def check(client, batch, action, **data):
    url = reverse("admin:customers_importbatch_check", args=[batch.pk])
    return client.post(url, {**RULES, "action": action, **data}, follow=True)


def finished(batch):
    batch.refresh_from_db()
    return files.finish(batch)


def test_a_known_file_is_named_tried_out_and_brought_in(staff_client):
    batch, page = upload(staff_client, *SHOPIFY)
    assert not Job.objects.exists()
    words = page.content.decode()
    assert "Shopify orders" in words
    assert "MUG-1" in words
    assert "Which column is which" not in words

    check(staff_client, batch, "dry_run")
    finished(batch)
    page = staff_client.get(reverse("admin:customers_importbatch_check", args=[batch.pk]))
    assert page.context["trial"].figures[1] == ("Would be created", "3")
    assert not Order.objects.exists()

    check(staff_client, batch, "import")
    assert finished(batch).state == ImportState.FINISHED
    assert Order.objects.count() == 2
    page = staff_client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    words = page.content.decode()
    assert "Order lines" in words
    assert "Orders that name their buyer by a key that stays" in words
    assert page.context["recognition"].figures[1][1] == "50.0 %"
    assert page.context["recognition"].is_enough


def test_rejected_rows_are_told_by_reason_with_what_the_column_is_called(staff_client):
    lost = [SHOPIFY[1].replace("#1001", f"#20{n}").replace("45.00", "forty") for n in (1, 2)]
    batch, _page = upload(staff_client, SHOPIFY[0], *lost)
    check(staff_client, batch, "dry_run")
    finished(batch)

    address = reverse("admin:customers_importbatch_check", args=[batch.pk])
    page = staff_client.get(address).content.decode()

    assert "Why rows would be rejected" in page
    reason = "Total paid (total): no amount; write it as 1234.50"
    assert f'<td>{reason}</td><td class="number">2</td>' in page
    assert "Name: #201 · Email: ann@example.com · Financial Status: paid · " in page


def test_a_dry_run_of_a_part_says_that_the_file_has_more(staff_client, settings):
    settings.DRY_RUN_ROWS = 1
    batch, _page = upload(staff_client, *SHOPIFY)
    check(staff_client, batch, "dry_run")
    finished(batch)

    address = reverse("admin:customers_importbatch_check", args=[batch.pk])
    page = staff_client.get(address).content.decode()

    assert "Only the first rows were tried out: the file has more." in page


def test_a_source_is_named_in_latin_letters(staff_client):
    file = SimpleUploadedFile("file.csv", b"order_id\n")
    answer = staff_client.post(
        reverse("admin:customers_importbatch_add"), {"file": file, "source": "我的店"}
    )

    assert "Use Latin letters, digits, - and _ only, such as my-shop." in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_the_result_leads_to_the_orders_of_its_source(staff_client):
    batch, _page = upload(staff_client, *SHOPIFY)
    check(staff_client, batch, "import")
    finished(batch)
    OrderFactory(external_id="of another source")

    page = staff_client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    address = f"{reverse('admin:customers_order_changelist')}?source__id__exact={batch.source_id}"

    assert f'href="{address}"' in page.content.decode()
    listed = staff_client.get(address).context["cl"].result_list
    assert sorted(order.external_id for order in listed) == ["#1001", "#1002"]


def test_what_was_tried_is_not_read_again_unless_something_else_is_said(staff_client):
    batch, _page = upload(staff_client, *SHOPIFY)
    check(staff_client, batch, "dry_run")
    finished(batch)
    check(staff_client, batch, "import")
    batch.refresh_from_db()
    assert batch.trial
    finished(batch)

    ImportBatch.objects.all().update(job=None, state=ImportState.CHECKED)
    check(staff_client, batch, "import", keep=["country"])
    batch.refresh_from_db()
    assert (batch.trial, batch.options["keep"]) == ({}, ["country"])


def test_an_unknown_file_gets_its_columns_mapped(staff_client):
    batch, page = upload(staff_client, *OTHER)
    assert batch.format == ""
    words = page.content.decode()
    assert "Which column is which" in words
    assert "1.234,50" in words

    page = check(staff_client, batch, "import", kind="orders", **{**COLUMNS, "column-total": ""})
    assert "total" in page.content.decode()
    assert not Job.objects.exists()

    check(staff_client, batch, "import", kind="orders", **COLUMNS, **GERMAN)
    assert finished(batch).format == ImportFormat.MAPPED
    assert sorted(Order.objects.values_list("external_id", flat=True)) == ["A-1", "A-2"]


def test_words_for_an_orders_state_are_asked_for_and_remembered(staff_client):
    rows = ("No,Day,Sum,State", "B1,2026-01-02,10,sorted", "B2,2026-01-03,20,paid")
    batch, page = upload(staff_client, *rows)
    words = page.content.decode()
    assert page.context["review"].strange_statuses == ["sorted"]
    assert "What these states of orders mean" in words
    columns = {"column-order_id": "No", "column-placed_at": "Day", "column-total": "Sum",
               "column-status": "State"}  # fmt: skip
    told = {"status-word": ["sorted"], "status-meaning": ["shipped"]}
    check(staff_client, batch, "import", kind="orders", **columns, **told)
    finished(batch)
    assert dict(Order.objects.values_list("external_id", "status")) == {
        "B1": "shipped",
        "B2": "paid",
    }


def test_consent_is_asked_for_and_needs_evidence(staff_client):
    batch, page = upload(staff_client, *CUSTOMERS)
    assert "What the people in this file agreed to" in page.content.decode()
    told = {"email_given": "on", "email_at": "2026-01-02", "email_basis": "opt-in"}
    page = check(staff_client, batch, "import", **told)
    assert "evidence" in page.content.decode()
    assert not Job.objects.exists()
    check(staff_client, batch, "import", **told, email_evidence="Box at the till")
    finished(batch)
    assert Consent.objects.get().evidence.startswith("opt-in: Box at the till")
    assert Customer.objects.count() == 2


def test_a_file_that_runs_or_has_run_has_no_such_page(staff_client):
    batch, _page = upload(staff_client, *CUSTOMERS)
    check(staff_client, batch, "import")
    url = reverse("admin:customers_importbatch_check", args=[batch.pk])
    batch.refresh_from_db()
    assert staff_client.get(url).url == reverse("admin:core_job_change", args=[batch.job_id])
    finished(batch)
    assert staff_client.get(url).url == reverse(
        "admin:customers_importbatch_change", args=[batch.pk]
    )


def test_who_may_not_import_may_not_check(client, staff_client):
    batch, _page = upload(staff_client, *CUSTOMERS)
    client.force_login(UserFactory(is_staff=True))
    url = reverse("admin:customers_importbatch_check", args=[batch.pk])
    assert client.get(url).status_code == 403
    assert client.post(url, {**RULES, "action": "import"}).status_code == 403
    assert not Job.objects.exists()
