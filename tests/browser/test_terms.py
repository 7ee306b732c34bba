"""What the words mean: from a heading to its word, and a search on the page."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE


@pytest.mark.parametrize(("language", "size"), [("en", NARROW), ("zh-hans", WIDE)])
def test_a_heading_leads_to_its_word(open_page, language, size):
    page = open_page(language, size)
    page.goto("/admin/")

    page.locator("#panel-rfm_groups h2 a").click()

    page.wait_for_url("**/admin/terms/#rfm")
    expect(page.locator("#rfm")).to_be_in_viewport()


def test_words_are_searched_on_their_page(page):
    page.goto("/admin/terms/")
    words = page.get_by_label("Search the words")

    words.fill("LAPSES")
    expect(page.locator("[data-term]:visible")).to_have_count(1)
    expect(page.locator("#p-alive")).to_be_visible()
    expect(page.locator("#section-acting")).to_be_hidden()

    words.fill("nothing is called this")
    expect(page.locator("#term-none")).to_be_visible()
    words.fill("")
    expect(page.locator("#section-acting")).to_be_visible()
    expect(page.locator("#term-none")).to_be_hidden()
