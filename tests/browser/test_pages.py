"""Every page in both languages and both widths: whole, labelled, quiet, and nobody else's."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import NAMES, address_of
from tests.browser.watching import faults

USUAL = [("en", WIDE), ("zh-hans", NARROW)]
OTHERS = [("en", NARROW), ("zh-hans", WIDE)]
VARIANTS = [
    *(pytest.param(*variant, id=f"{variant[0]}-{variant[1][0]}") for variant in USUAL),
    *(
        pytest.param(*variant, id=f"{variant[0]}-{variant[1][0]}", marks=pytest.mark.slow)
        for variant in OTHERS
    ),
]


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_every_page_is_whole(open_page, language, size):
    page = open_page(language, size)
    found = {}

    for name in NAMES:
        answer = page.goto(address_of(name))
        assert answer is not None
        assert answer.status == 200
        page.wait_for_function("() => document.querySelector('[role=main]')")
        found[name] = faults(page)

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_the_door_is_whole(open_page, language, size):
    page = open_page(language, size, anonymous=True)

    page.goto("/admin/")

    expect(page.locator("#login-form")).to_be_visible()
    assert [wrong for wrong in faults(page) if not wrong.startswith("main")] == []
