"""Work that takes its time: files, scoring runs, jobs, and the shop's settings."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from analytics.models import ScorePointer, ScoringRun
from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import ImportBatch, Order, ShopSettings
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS
from tests.worker_app import kinds


@pytest.fixture
def test_kinds():
    kinds.register()
    yield
    kinds.unregister()


def upload(page, path: Path, source: str) -> None:
    page.goto(LISTS["imports"])
    page.get_by_role("link", name="Bring a file in").first.click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_label("Source").fill(source)
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_url("**/importbatch/*/check/")


def test_what_is_no_table_is_refused_in_words(page, tmp_path):
    path = tmp_path / "invoice.csv"
    path.write_bytes(b"%PDF-1.7 no table")
    before = ImportBatch.objects.count()
    page.goto("/admin/customers/importbatch/add/")

    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Look at it").click()

    expect(page.get_by_role("alert")).to_contain_text("PDF")
    assert ImportBatch.objects.count() == before


def test_a_table_nobody_knows_is_mapped_by_choosing(page, worker, tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("Bestellung;Kunde;Datum;Summe\nX-1;k1;13.02.2026 10:00;1.234,50\n")
    upload(page, path, "mapped")

    expect(page.get_by_role("heading", name="Which column is which")).to_be_visible()
    expect(page.locator("#content")).to_contain_text("can only be day first")
    expect(page.get_by_label("Order number order_id")).to_have_value("Bestellung")
    page.get_by_label("Number of the customer").select_option("Kunde")
    page.get_by_role("button", name="Bring it in").click()
    expect(page.locator("#job-live[data-state=succeeded]")).to_be_visible(timeout=30_000)

    order = Order.objects.get(source__key="mapped")
    assert (order.total, order.customer.external_id) == (Decimal("1234.50"), "k1")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_job_moves_before_your_eyes_and_stops_when_told(open_page, worker, test_kinds, size):
    page = open_page(size=size)
    job, _created = jobs.create_job(
        kind="test.count", title="A long count", parameters={"numbers": 900, "seconds": 0.1}
    )
    page.goto(f"{LISTS['jobs']}{job.pk}/change/")
    words = page.locator("#job-live [data-words]")

    worker.hint(job.pk)
    expect(words).to_contain_text("of 900", timeout=20_000)
    first = words.inner_text()
    expect(words).not_to_have_text(first, timeout=20_000)
    page.get_by_role("button", name="Cancel this job").click()

    expect(page.locator("#job-live[data-state=cancelled]")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Cancel this job")).to_have_count(0)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert 0 < job.done < 900


def test_everybody_is_scored_anew_at_the_press_of_a_button(page, worker):
    before = ScorePointer.objects.get().run_id
    page.goto(LISTS["runs"])

    page.get_by_role("link", name="Score everybody now").first.click()
    page.get_by_role("button", name="Score now").click()
    page.wait_for_url("**/core/job/*/change/")
    expect(page.locator("#job-live[data-state=succeeded]")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Open the result").click()

    run = ScoringRun.objects.latest("pk")
    assert ScorePointer.objects.get().run_id == run.pk != before
    expect(page).to_have_url(re.compile(rf"/scoringrun/{run.pk}/change/$"))
    expect(page.locator("table.huike-table").first).to_contain_text("Churn: AUC")


def test_the_shops_settings_are_one_page_and_take_a_change(page):
    kept = ShopSettings.objects.get(pk=1)
    page.goto("/admin/")
    page.get_by_role("link", name="Shop settings").click()
    expect(page).to_have_url(
        page.url.split("/admin/")[0] + "/admin/customers/shopsettings/1/change/"
    )

    page.get_by_label("Refund window in days").fill("45")
    page.get_by_role("button", name="Save").click()

    expect(page.locator(".huike-messages .success")).to_be_visible()
    assert ShopSettings.objects.get(pk=1).refund_window_days == 45
    kept.save(update_fields=["refund_window_days"])
    assert Job.objects.filter(kind="customers.recount_shop").count() == 0
