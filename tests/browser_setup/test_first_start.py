"""From nothing to the first page of a shop, as the first person sees it."""

import pytest
from django.contrib.auth import get_user_model
from django.utils.translation import gettext, override
from playwright.sync_api import expect

from crm.core.models import Job
from customers.models import ShopSettings
from customers.services import setup
from tests.browser.axe import violations
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pictures import album
from tests.browser.watching import faults

pytestmark = pytest.mark.browser
PASSWORD = "a-lantern-by-the-river"


@pytest.mark.parametrize(
    ("language", "size"),
    [
        pytest.param("en", NARROW, id="en-390"),
        pytest.param("zh-CN", WIDE, id="zh-1280"),
        pytest.param("en", WIDE, id="en-1280", marks=pytest.mark.slow),
        pytest.param("zh-CN", NARROW, id="zh-390", marks=pytest.mark.slow),
    ],
)
def test_the_first_person_sets_the_shop_up(open_page, tmp_path, language, size):
    page = open_page(language, size)
    spoken = "zh-hans" if language == "zh-CN" else "en"
    take = album(page, spoken, tmp_path)
    page.goto("/")
    page.wait_for_url("**/setup/")
    assert page.locator("html").get_attribute("lang") == spoken
    page.goto(f"/setup/?code={setup.setup_code()}")
    expect(page.locator("#id_zone")).to_have_value("Asia/Shanghai")
    assert faults(page) + violations(page) == []

    page.fill("#id_shop_name", "Lanterns & Tea")
    page.fill("#id_currency", "cny")
    page.fill("#id_username", "lin")
    page.fill("#id_email", "lin@example.com")
    take("setup", height=1280)
    page.fill("#id_password", "password")
    page.fill("#id_password_again", "passwort")
    page.locator("#setup-form button[type=submit]").click()
    expect(page.locator("#id_password_again")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_shop_name")).to_have_value("Lanterns & Tea")
    take("setup-refused", page.locator("#id_password_again"))
    assert faults(page) + violations(page) == []

    page.fill("#id_password", PASSWORD)
    page.fill("#id_password_again", PASSWORD)
    page.locator("#setup-form button[type=submit]").click()
    page.wait_for_url("**/setup/next/")
    take("setup-next")
    assert faults(page) + violations(page) == []
    assert ShopSettings.objects.get().currency == "CNY"
    assert get_user_model().objects.get().username == "lin"

    page.locator('form[action="/admin/customers/customer/sample/"] button').click()
    page.wait_for_url("**/admin/core/job/*/change/")
    assert faults(page) == []
    assert Job.objects.get().kind == "customers.load_sample"

    page.goto("/setup/next/")
    page.locator('a[href="/admin/customers/importbatch/add/"]').click()
    expect(page.locator("#id_file")).to_be_visible()
    page.goto("/setup/")
    page.wait_for_url("**/admin/")


def test_the_page_speaks_the_language_that_is_chosen_above_it(open_page):
    page = open_page("en", WIDE)
    page.goto("/setup/?code=abc")

    page.get_by_role("button", name="简体中文").click()

    page.wait_for_url("**/setup/?code=abc")
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    expect(page.locator("#id_code")).to_have_value("abc")
    with override("zh-hans"):
        expect(page.locator("label[for=id_zone]")).to_have_text(gettext("Time zone"))
