"""Exports in the web admin: from a list to its file."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.core.models import AuditEntry
from customers.models import Export
from customers.selectors import exporting
from customers.selectors.exporting import describe_filters
from tests.customers.exporting import files
from tests.customers.importing.files import bring
from tests.customers.test_admin import signed_in
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/customers/export/add/"
CUSTOMERS = "/admin/customers/customer/"
LISTS = {"customers": "customer", "orders": "order", "products": "product"}


@pytest.fixture(autouse=True)
def shop():
    ShopSettingsFactory()
    bring(
        "customer_id,name,language,email",
        *(f"k{n:03d},Customer {n},{'en' if n % 2 else 'zh-hans'},c{n}@example.com"
          for n in range(60)),
    )  # fmt: skip
    bring("sku,title", "S1,Coat", "S2,Cup")
    bring("order_id,customer_id,placed_at,total,status", "1,k001,2026-03-01,5,paid",
          "2,k002,2026-03-09,6,pending")  # fmt: skip


def wish(client, url, **form):
    return client.post(url, {"format": "csv", **form})


def finished():
    return files.finish(Export.objects.get())


def test_a_list_leads_to_all_its_rows_as_a_file(staff_client):
    page = staff_client.get(CUSTOMERS, {"q": "Customer", "language": "zh-hans", "o": "2", "p": "1"})
    url = page.context["export_url"]
    assert "Export…" in page.content.decode()
    form = staff_client.get(url)
    assert "All 30 matching rows" in form.content.decode()

    answer = wish(staff_client, url, kind="customers")

    export = finished()
    assert answer.url == reverse("admin:core_job_change", args=[export.job_id])
    assert (export.filters, export.rows) == (
        {"q": ["Customer"], "language": ["zh-hans"]},
        30,
    )
    assert {row["language"] for row in files.cells(export)} == {"zh-hans"}


@pytest.mark.parametrize("kind", LISTS)
def test_each_list_has_its_export(kind, staff_client):
    page = staff_client.get(f"/admin/customers/{LISTS[kind]}/")

    wish(staff_client, page.context["export_url"], kind=kind)

    export = finished()
    assert (export.kind, export.rows) == (kind, exporting.KINDS[kind].model.objects.count())


def test_a_list_narrowed_by_a_link_of_the_dashboard_keeps_its_days(staff_client):
    page = staff_client.get("/admin/customers/order/", {"placed_day__gte": "2026-03-05"})

    wish(staff_client, page.context["export_url"], kind="orders")

    assert [row["order_id"] for row in files.cells(finished())] == ["2"]


@pytest.mark.parametrize("words", ["nothing=1", "source__key__startswith=a"])
def test_words_the_list_does_not_know_are_refused(words, staff_client):
    answer = wish(staff_client, f"{ADD}?_list=customers&{words}", kind="customers")

    assert answer.url == CUSTOMERS
    assert not Export.objects.exists()


@pytest.mark.parametrize("kind", exporting.KINDS)
def test_every_kind_can_be_taken_out_whole(kind, staff_client):
    assert wish(staff_client, ADD, kind=kind).status_code == 302

    assert finished().state == "ready"


def test_of_several_sources_each_gets_a_file_unless_one_is_chosen(staff_client):
    bring("customer_id,name", "k1,Cem", source="other")

    answer = wish(staff_client, f"{ADD}?_list=customers", kind="customers", source="")
    assert answer.url == reverse("admin:customers_export_changelist")
    assert set(Export.objects.values_list("source__key", flat=True)) == {"shop", "other"}

    wish(staff_client, f"{ADD}?_list=customers", kind="customers", source="other")
    assert Export.objects.filter(source__key="other").count() == 2


def test_beyond_what_is_counted_the_number_is_called_about(staff_client, monkeypatch):
    monkeypatch.setattr("customers.selectors.exporting.lists.COUNTED", 10)

    words = staff_client.get(f"{ADD}?_list=customers").content.decode()

    assert "about" in words


def test_the_file_is_downloaded_on_record(staff, staff_client):
    export = files.export("customers")
    page = staff_client.get(reverse("admin:customers_export_changelist"))
    url = reverse("admin:customers_export_file", args=[export.pk])
    assert url in page.content.decode()
    opened = staff_client.get(reverse("admin:customers_export_change", args=[export.pk]))
    assert url in opened.content.decode()

    answer = staff_client.get(url)

    assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbfcustomer_id,")
    entry = AuditEntry.objects.get(action="export.downloaded")
    assert (entry.actor, entry.details["rows"]) == (staff, 60)


def test_an_expired_file_is_gone_and_says_so(staff_client):
    export = files.export("customers")
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = staff_client.get(reverse("admin:customers_export_file", args=[export.pk]))

    assert answer.status_code == 410
    assert "has expired" in answer.content.decode()


def test_who_may_not_export_finds_no_way(client):
    export = files.export("customers")
    signed_in(client, "customers.view_customer", "customers.view_export")

    assert client.get(CUSTOMERS).context["export_url"] == ""
    assert "Export…" not in client.get(CUSTOMERS).content.decode()
    assert client.get(ADD).status_code == 403
    assert wish(client, f"{ADD}?_list=customers", kind="customers").status_code == 403
    file = reverse("admin:customers_export_file", args=[export.pk])
    assert client.get(file).status_code == 403
    assert Export.objects.count() == 1


def test_who_may_export_takes_only_what_they_may_view(client):
    signed_in(client, "customers.view_product", "customers.add_export", "customers.view_export")

    assert wish(client, f"{ADD}?_list=customers", kind="customers").status_code == 403
    assert wish(client, ADD, kind="customers").status_code == 200
    assert not Export.objects.exists()
    assert wish(client, ADD, kind="products").status_code == 302


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_exports_takes_as_many_queries_for_many(
    rows, staff_client, django_assert_max_num_queries
):
    for _number in range(rows):
        files.start("customers")
    url = reverse("admin:customers_export_changelist")
    staff_client.get(url)

    with django_assert_max_num_queries(8):
        assert staff_client.get(url).status_code == 200


def test_what_narrowed_a_list_is_told_by_the_names_of_its_filters():
    narrowed = {"language": "en", "rfm_group": "champions", "odd": ["1", "2"]}

    assert describe_filters(narrowed) == "Language: en · Odd: 1, 2 · RFM group: champions"
