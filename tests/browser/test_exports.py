"""A list is taken out as staff do it: from the button above it to the file."""

from playwright.sync_api import expect

from customers.connectors import tables
from customers.models import Customer, Export
from tests.workers import wait_for


def test_a_list_becomes_a_file(page, worker, tmp_path):
    page.goto("/admin/customers/customer/?language=en")
    page.get_by_role("link", name="Export…").click()
    expect(page.get_by_text("on all pages of the list")).to_be_visible()
    page.get_by_label("File").select_option("xlsx")
    page.get_by_role("button", name="Export").click()
    page.wait_for_url("**/admin/core/job/*/change/")
    export = Export.objects.latest("pk")
    worker.hint(export.job_id)
    wait_for(lambda: Export.objects.filter(pk=export.pk, state="ready").exists())

    page.goto("/admin/customers/export/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).first.click()

    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    rows = list(tables.read_rows(path, tables.read_layout(path)))
    assert len(rows) == Customer.objects.active().filter(language="en").count()
    export.refresh_from_db()
    assert export.downloads == 1
