"""An empty list says what belongs here and offers one thing to do to who may do it."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from crm.core.admin.base import ListAdmin
from tests.factories import ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
LISTS = {
    model._meta.label_lower: model_admin
    for model, model_admin in admin.site._registry.items()
    if isinstance(model_admin, ListAdmin)
    # The one row of the settings is opened at once; who looks is signed in.
    and model._meta.label_lower not in ("customers.shopsettings", "core.signin")
}
NOTHING_TO_DO = {
    "core.job", "core.alert", "core.auditentry", "axes.accessattempt", "customers.task",
}  # fmt: skip
"""What fills these lists is done elsewhere, or goes wrong by itself."""
ABOVE = {"customers.customer"}
"""Above this list stands more than one way to begin."""
EMPTY = re.compile(r'<div class="huike-empty">(.*?)</div>', re.DOTALL)
BUTTON = re.compile(r'class="huike-button" href="([^"]+)"')


def empty_box(client, label: str) -> str:
    meta = LISTS[label].opts
    page = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
    found = EMPTY.search(page.content.decode())
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("label", LISTS)
def test_an_empty_list_says_what_belongs_here_and_offers_one_thing_that_works(label, staff_client):
    ShopSettingsFactory()

    box = empty_box(staff_client, label)

    words = str(LISTS[label].empty_words)
    assert len(words.split()) >= 5
    assert words.replace("'", "&#x27;") in box
    buttons = BUTTON.findall(box)
    assert len(buttons) == (0 if label in NOTHING_TO_DO | ABOVE else 1)
    for address in buttons:
        assert staff_client.get(address).status_code == 200


@pytest.mark.parametrize("label", LISTS)
def test_who_may_only_look_is_offered_nothing(label, client):
    ShopSettingsFactory()
    reader = UserFactory(is_staff=True)
    meta = LISTS[label].opts
    reader.user_permissions.add(
        Permission.objects.get(
            content_type__app_label=meta.app_label, codename=f"view_{meta.model_name}"
        ),
        Permission.objects.get(codename="view_customer"),  # who sees tasks sees whom they are for
    )
    client.force_login(reader)

    assert BUTTON.findall(empty_box(client, label)) == []


def test_an_empty_list_of_customers_has_ways_to_begin_above_it(staff_client):
    ShopSettingsFactory()

    page = staff_client.get("/admin/customers/customer/").content.decode()

    assert 'id="empty-state"' in page
    assert page.count('href="/admin/customers/importbatch/add/"') == 1
