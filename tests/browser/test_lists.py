"""Staff find somebody by half a name, keep a list as a view, and tag hundreds at once."""

import re

import pytest
from playwright.sync_api import Page, expect

from crm.core.models import Job, SavedView
from customers.models import BulkAction, Customer, CustomerTag, Tag
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS
from tests.workers import wait_for

CUSTOMERS = LISTS["customers"]


@pytest.fixture
def named(db):
    """Call somebody by a Chinese name, and leave the shop as it was."""
    customer = Customer.objects.filter(lifecycle="active").earliest("pk")
    Customer.objects.filter(pk=customer.pk).update(name="欧阳娜娜")
    yield customer
    Customer.objects.filter(pk=customer.pk).update(name=customer.name)


@pytest.fixture
def tidy(db):
    """Leave no tag and no view behind."""
    yield
    BulkAction.objects.all().delete()
    Tag.objects.all().delete()
    SavedView.objects.all().delete()
    Job.objects.filter(kind="customers.bulk").delete()


def search(page: Page, text: str) -> None:
    field = page.locator("#searchbar")
    field.fill(text)
    field.press("Enter")
    page.wait_for_url("**q=**")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_half_a_name_or_its_pinyin_finds_somebody(open_page, named, size):
    page = open_page(size=size)
    page.goto(CUSTOMERS)
    for text in ("娜娜", "ouyangn", "oynn"):
        search(page, text)
        rows = page.locator("#result_list tbody tr.data-row")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("欧阳娜娜")


@pytest.mark.parametrize(("language", "size"), [("en", WIDE), ("zh-hans", NARROW)])
def test_a_list_is_kept_as_a_view_and_shared(open_page, tidy, language, size):
    page = open_page(language, size)
    page.goto(f"{CUSTOMERS}?rfm_group=champions&_order=-clv_12m&_columns=who,clv_12m")
    expect(page.locator("#result_list thead th.column-orders")).to_have_count(0)

    looks = page.locator(".huike-looks > details").last
    looks.locator("summary").click()
    looks.locator("#new-view-name").fill("Champions by year")
    looks.locator("[name=share]").check()
    looks.locator("button").last.click()
    page.wait_for_url("**_view=**")

    expect(page.locator(".huike-views [aria-current]")).to_contain_text("Champions by year")
    view = SavedView.objects.get()
    assert (view.is_shared, view.order) == (True, ["-clv_12m"])
    page.goto(f"{CUSTOMERS}?_view=all")
    page.locator(".huike-views a", has_text="Champions by year").click()
    page.wait_for_url("**rfm_group=champions**")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_a_list_are_tagged_by_name_and_number(page, worker, tidy):
    page.goto(f"{CUSTOMERS}?language=en")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("tag_chosen")
    page.locator(".question a").click()
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Tag").fill("VIP")
    page.get_by_role("button", name="Continue").click()

    start = page.get_by_role("button", name=re.compile(r"Tag [\d,]+ customers as VIP"))
    expect(start).to_be_visible()
    start.click()
    page.wait_for_url("**/core/job/**")
    job = Job.objects.get(kind="customers.bulk")
    worker.hint(job.pk)
    wait_for(lambda: Job.objects.get(pk=job.pk).is_final)

    tagged = CustomerTag.objects.filter(tag__name="VIP").count()
    assert tagged == Job.objects.get(pk=job.pk).result["changed"] > 100
    page.goto(f"{CUSTOMERS}{CustomerTag.objects.first().customer_id}/change/")
    chip = page.locator(".huike-tag", has_text="VIP")
    chip.get_by_role("button", name="Remove the tag VIP").click()
    expect(chip).to_have_count(0)
    page.get_by_label("Add a tag").fill("Friend")
    page.get_by_label("Add a tag").press("Enter")
    expect(page.locator(".huike-tag", has_text="Friend")).to_be_visible()
