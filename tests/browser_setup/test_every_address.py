"""Every address of the web admin that shows a page: no rule of WCAG is broken at A or AA.

The rows are few and made up: one behind each address, as for the tests of who may open what.
"""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.admin_pages import addresses, rows_to_open
from tests.browser.axe import fail_for, violations
from tests.browser.conftest import NARROW, WIDE
from tests.browser.watching import faults

NAME, PASSWORD = "keeper", "a-browser-signs-in"
LOOKS = [("en", WIDE), ("zh-CN", NARROW), ("zh-CN", WIDE), ("en", NARROW)]
GONE = ("logout", "login")
"""Addresses that end the visit; the door has tests of its own."""


def is_page(answer) -> bool:
    """Tell whether an answer is a whole page: no file, and no part that a page asks for."""
    return answer["Content-Type"].startswith("text/html") and b'id="content"' in answer.content


@pytest.fixture
def pages(transactional_db) -> dict[str, str]:
    """Return the address of everything that answers with a page, by name."""
    rows = rows_to_open()
    keeper = get_user_model().objects.create_superuser(NAME, f"{NAME}@example.com", PASSWORD)
    client = Client(raise_request_exception=False)
    client.force_login(keeper)
    found = {}
    for name, address in addresses(rows).items():
        if name not in GONE:
            answer = client.get(address)
            if answer.status_code == 200 and is_page(answer):
                found[name] = address
    return found


def signed_in(open_page, look):
    page = open_page(*look)
    page.goto("/admin/login/")
    page.locator("input[name=username]").fill(NAME)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("#login-form button[type=submit]").click()
    page.wait_for_url("**/admin/")
    return page


def broken_on(page, address: str) -> list[str]:
    page.goto(address)
    page.wait_for_function("() => document.querySelector('[role=main]')")
    return [*faults(page), *violations(page)]


def test_each_address_in_one_of_four_looks_breaks_no_rule(open_page, pages):
    assert len(pages) > 60
    looks = [signed_in(open_page, look) for look in LOOKS]

    found = {
        name: broken_on(looks[number % 4], address)
        for number, (name, address) in enumerate(pages.items())
    }

    fail_for(found)


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS, ids=[f"{one[0]}-{one[1][0]}" for one in LOOKS])
def test_no_address_breaks_a_rule(open_page, pages, look):
    page = signed_in(open_page, look)

    found = {name: broken_on(page, address) for name, address in pages.items()}

    fail_for(found)
