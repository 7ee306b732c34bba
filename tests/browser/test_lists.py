"""Staff find somebody by half a name, as it is written and as it is spoken."""

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS

CUSTOMERS = LISTS["customers"]


@pytest.fixture
def named(db):
    """Call somebody by a Chinese name, and leave the shop as it was."""
    customer = Customer.objects.filter(lifecycle="active").earliest("pk")
    Customer.objects.filter(pk=customer.pk).update(name="欧阳娜娜")
    yield customer
    Customer.objects.filter(pk=customer.pk).update(name=customer.name)


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
