"""Set up the second step with a phone, sign in with it, and see to it that pages are whole."""

import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from playwright.sync_api import Page, expect

from tests.browser.test_pages import VARIANTS
from tests.browser.watching import faults
from tests.second_step import code_of, next_code, other_code

NAME, PASSWORD = "with-a-phone", "a-phone-signs-in"
PICTURES = os.environ.get("HUIKE_SECOND_STEP_PICTURES", "")


@pytest.fixture
def owner():
    """An owner with nothing but a password; gone with the test."""
    cache.clear()
    user = get_user_model().objects.create_superuser(NAME, password=PASSWORD)
    yield user
    user.delete()


def whole(page: Page, name: str) -> None:
    """Complain about what is wrong with the page as it stands."""
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        language = page.locator("html").get_attribute("lang")
        page.screenshot(path=Path(PICTURES) / f"{name}-{language}-{width}.png", full_page=True)
    assert faults(page) == []


def sign_in(page: Page) -> None:
    page.goto("/admin/login/?next=/admin/my-settings/")
    page.locator("#id_username").fill(NAME)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_a_phone_is_set_up_and_asked_for(open_page, owner, language, size):
    page = open_page(language, size, anonymous=True)
    sign_in(page)
    page.wait_for_url("**/admin/my-settings/")
    whole(page, "off")
    page.locator("a[href$='/set-up/']").click()
    secret = page.locator(".huike-secret").inner_text()
    assert page.locator(".huike-qr").evaluate("picture => picture.naturalWidth") > 0
    page.locator("#id_code").fill(other_code(secret))
    page.locator("#id_code").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    whole(page, "set-up")
    page.locator("#id_code").fill(code_of(secret))
    page.locator("#id_code").press("Enter")

    expect(page.locator("#codes code")).to_have_count(10)
    first = page.locator("#codes code").first.inner_text()
    whole(page, "codes")
    with page.expect_download() as download:
        page.locator("a[download]").click()
    assert first in download.value.path().read_text()
    page.locator("#content a[href$='/my-settings/']").click()
    whole(page, "on")
    page.goto("/admin/auth/user/")
    expect(page.locator("#result_list")).to_contain_text(NAME)
    whole(page, "people")

    other = open_page(language, size, anonymous=True)
    sign_in(other)
    other.wait_for_url("**/second-step/code/")
    whole(other, "code")
    other.locator("#id_code").fill(next_code(secret))
    other.locator("#id_code").press("Enter")
    other.wait_for_url("**/admin/my-settings/")
    other.locator("a[href$='/off/']").click()
    whole(other, "password")
    other.locator("#id_password").fill(PASSWORD)
    other.locator("#id_password").press("Enter")
    other.wait_for_url("**/off/")
    whole(other, "off-sure")
    other.locator("#content form button[type=submit]").click()
    other.wait_for_url("**/admin/my-settings/")
    expect(other.locator("a[href$='/set-up/']")).to_be_visible()
