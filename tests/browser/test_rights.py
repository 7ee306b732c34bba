"""Support sees masks, looks behind one of them for a reason, and the auditor reads of it."""

import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Error, Page, expect

from crm.core.models import Role
from customers.models import Customer
from tests.browser.pages import LISTS, telling_customer
from tests.browser.test_pages import VARIANTS
from tests.browser.watching import faults

PASSWORD = "a-role-signs-in"
PICTURES = os.environ.get("HUIKE_RIGHTS_PICTURES", "")


@pytest.fixture
def people():
    """Somebody of the support and an auditor; gone with the test."""
    made = []
    for key in ("support", "auditor"):
        user = get_user_model().objects.create_user(f"a-{key}", password=PASSWORD, is_staff=True)
        user.groups.add(Role.objects.get(key=key).group)
        made.append(user)
    yield made
    for user in made:
        user.delete()


def sign_in(page: Page, name: str) -> None:
    page.goto("/admin/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#login-form [type=submit]").click()
    page.wait_for_url("**/admin/")


def whole(page: Page, name: str) -> None:
    """Complain about what is wrong with the page as it stands."""
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    assert faults(page) == []


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_a_mask_is_lifted_for_a_reason_that_the_auditor_reads(open_page, people, language, size):
    customer = Customer.objects.get(pk=telling_customer())
    page = open_page(language, size, anonymous=True)
    sign_in(page, "a-support")
    page.goto(LISTS["customers"])
    expect(page.locator("#result_list")).to_contain_text("•••@")
    whole(page, "list")

    page.goto(f"{LISTS['customers']}{customer.pk}/change/")
    assert customer.email not in page.content()
    assert customer.phone not in page.content()
    whole(page, "customer")
    page.locator(".huike-who a[href*='/contact/email/']").click()
    whole(page, "reason")
    page.locator("#id_reason").fill(f"parcel came back {size[0]}")
    page.locator("#content form button[type=submit]").click()
    expect(page.get_by_role("link", name=customer.email)).to_be_visible()
    whole(page, "shown")
    page.goto("/admin/core/signin/")
    whole(page, "sign-ins")
    # Nothing has kept the answer: the browser would have to ask, and give a reason, again.
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()

    auditor = open_page(language, size, anonymous=True)
    sign_in(auditor, "a-auditor")
    auditor.goto(LISTS["audit"])
    expect(auditor.locator("#result_list")).to_contain_text(f"parcel came back {size[0]}")
    whole(auditor, "audit")
    auditor.locator("#result_list tbody a").first.click()
    expect(auditor.locator("#content")).to_contain_text("a-support")
    whole(auditor, "entry")
