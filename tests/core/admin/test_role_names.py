"""Roles are called in the reader's language wherever they are shown; what is stored stays."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import gettext, override

from crm.core.models import Role
from crm.core.selectors.roles import NAMES, role_names
from crm.roles import ROLES
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def word():
    """What the tests' catalogue calls an owner; the roles of a shop are never called nothing."""
    with override("zh-hans"):
        return gettext("Owner")


def chinese(client, address, **more):
    client.cookies["django_language"] = "zh-hans"
    return client.get(address, **more).content.decode()


def test_every_role_that_huike_brings_has_its_name_here():
    assert {grant.key: grant.name for grant in ROLES} == NAMES


def test_a_groups_own_name_is_never_translated(word):
    role = Role.objects.get(key="owner")
    twin = Group.objects.create(name="Analyst of ours")
    mine = Group.objects.create(name="Owners' club")
    with override("zh-hans"):
        assert role_names([role.group, twin, mine]) == {
            role.group_id: word,
            twin.pk: "Analyst of ours",
            mine.pk: "Owners' club",
        }
        Group.objects.filter(pk=role.group_id).update(name="Chef")
        role.group.refresh_from_db()
        assert role_names([role.group])[role.group_id] == "Chef"
        Group.objects.filter(pk=role.group_id).update(name="Owner (Huike)")
        role.group.refresh_from_db()
        assert role_names([role.group])[role.group_id] == f"{word} (Huike)"


def test_lists_and_forms_call_roles_by_it(staff_client, word):
    group = Role.objects.get(key="owner").group
    person = UserFactory(username="lin", is_staff=True)
    person.groups.add(group)

    people = chinese(staff_client, reverse("admin:auth_user_changelist"))
    assert people.count(word) >= 2  # the column, and the filter
    form = chinese(staff_client, reverse("admin:auth_user_change", args=[person.pk]))
    assert f">{word}</option>" in form
    assert word in chinese(staff_client, reverse("admin:auth_group_changelist"))
    page = chinese(staff_client, reverse("admin:auth_group_change", args=[group.pk]))
    assert f'value="{word}"' in page
    only = staff_client.get(reverse("admin:auth_user_changelist"), {"groups__id__exact": group.pk})
    assert [row.username for row in only.context["cl"].result_list] == ["lin"]


def test_saving_a_role_keeps_its_stored_name_unless_somebody_changes_it(staff_client, word):
    group = Role.objects.get(key="owner").group
    address = reverse("admin:auth_group_change", args=[group.pk])
    staff_client.cookies["django_language"] = "zh-hans"

    staff_client.post(address, {"name": word, "permissions": []})
    group.refresh_from_db()
    assert (group.name, group.permissions.count()) == ("Owner", 0)
    staff_client.post(address, {"name": "Chef", "permissions": []})
    group.refresh_from_db()
    assert group.name == "Chef"


def test_the_list_of_people_asks_no_question_for_each(staff_client):
    address = reverse("admin:auth_user_changelist")
    group = Role.objects.get(key="support").group
    asked = []
    for more in (1, 12):
        for number in range(more):
            UserFactory(username=f"p{more}-{number}", is_staff=True).groups.add(group)
        staff_client.get(address)
        with CaptureQueriesContext(connection) as queries:
            staff_client.get(address)
        asked.append(len(queries))
    assert asked[0] == asked[1]
