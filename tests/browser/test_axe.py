"""No page breaks a rule of WCAG at A or AA that a machine can see, in light and dark colours."""

import pytest
from playwright.sync_api import Page

from tests.browser.axe import fail_for, violations
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import NAMES, address_of

LOOKS = [("en", WIDE), ("zh-hans", NARROW), ("zh-hans", WIDE), ("en", NARROW)]


def broken_on(page: Page, name: str) -> list[str]:
    """Open a page and return what breaks a rule there."""
    page.goto(address_of(name))
    page.wait_for_function("() => document.querySelector('[role=main]')")
    return violations(page)


def test_each_page_in_one_of_four_looks_breaks_no_rule(open_page):
    pages = [open_page(*look) for look in LOOKS]

    found = {name: broken_on(pages[number % 4], name) for number, name in enumerate(NAMES)}

    fail_for(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "size"), LOOKS, ids=[f"{one[0]}-{one[1][0]}" for one in LOOKS]
)
def test_no_page_breaks_a_rule(open_page, language, size):
    page = open_page(language, size)

    found = {name: broken_on(page, name) for name in NAMES}

    fail_for(found)


def test_the_door_breaks_no_rule(open_page):
    for look in LOOKS:
        page = open_page(*look, anonymous=True)
        page.goto("/admin/")
        assert violations(page) == []
