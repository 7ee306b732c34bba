"""An owner limits a role on its page; whoever has it sees their source and is told so."""

import os
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from crm.core.models import Role
from customers.models import Customer, RoleSource, Source
from tests.browser.test_pages import VARIANTS
from tests.browser.test_rights import PASSWORD, sign_in
from tests.browser.watching import faults

PICTURES = os.environ.get("HUIKE_LIMIT_PICTURES", "")


@pytest.fixture
def role():
    """The support, without a limit before and after, and somebody of it."""
    group = Role.objects.get(key="support").group
    user = get_user_model().objects.create_user("a-limited", password=PASSWORD, is_staff=True)
    user.groups.add(group)
    yield group
    RoleSource.objects.filter(group=group).delete()
    user.delete()


def whole(page: Page, name: str) -> None:
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    assert faults(page) == []


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_an_owner_limits_a_role_and_its_people_are_told(open_page, role, language, size):
    source = Source.objects.get(pk=Customer.objects.latest("pk").source_id)
    page = open_page(language, size)
    page.goto(f"/admin/auth/group/{role.pk}/change/")
    page.get_by_role("checkbox", name=source.name, exact=True).check()
    whole(page, f"role-{language}")
    page.locator("[name=_continue]").click()
    expect(page.get_by_role("checkbox", name=source.name, exact=True)).to_be_checked()

    page = open_page(language, size, anonymous=True)
    sign_in(page, "a-limited")
    whole(page, f"dashboard-{language}")
    page.goto(f"/admin/customers/customer/{Customer.objects.latest('pk').pk}/change/")
    expect(page.locator(".huike-note").first).to_contain_text(source.name)
    whole(page, f"customer-{language}")
