"""The roles a shop starts with: what each may open and do, and that people's groups stay theirs."""

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import transaction
from django.http import Http404
from django.test import RequestFactory
from django.urls import resolve

from crm.core.models import Role
from crm.core.services.roles import seed_roles
from crm.roles import ROLES, RoleGrant
from tests.admin_pages import addresses, rows_to_open
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "admin.md"
TABLE = re.compile(r"(?<=<!-- roles: begin -->\n).*?(?=<!-- roles: end -->)", re.DOTALL)
OPEN = ("login", "logout")
"""The door itself: open to everybody, and nothing behind it."""
METHODS = ("GET", "POST")
ONLY_READ = ("_changelist", "_history", "_live", "index", "search", "_done")
"""Pages that take nothing; what a list's actions do stands beside it."""


class Undo(Exception):
    """Ends a block whose changes are not to stay."""


def person(role):
    user = UserFactory(username=role.key, is_staff=True)
    user.groups.add(Role.objects.get(key=role.key).group)
    return user


def answers(method, address, user):
    """Tell whether a page does what it is asked; whatever it changes is taken back."""
    request = getattr(RequestFactory(), method.lower())(address)
    request.user, request.session = user, SessionStore("of-a-role")
    request._messages = FallbackStorage(request)
    request._dont_enforce_csrf_checks = True
    view, args, kwargs = resolve(request.path_info)
    allowed = False
    try:
        with transaction.atomic():
            # Not drawn: what a page says is for other tests.
            answer = view(request, *args, **kwargs)
            # A row that is not there leads to the front page.
            allowed = answer.status_code < 400 and answer.headers.get("Location") != "/admin/"
            raise Undo
    except Undo:
        return allowed
    except (PermissionDenied, Http404):
        return False


def actions_of(name, address, user):
    """Return what can be done to the rows of a list."""
    if not name.endswith("_changelist"):
        return []
    model = next(
        model for model in admin.site._registry
        if f"{model._meta.app_label}_{model._meta.model_name}_changelist" == name
    )  # fmt: skip
    request = RequestFactory().get(address)
    request.user = user
    return sorted(admin.site._registry[model].get_actions(request))


def may(name, address, user):
    """Return what somebody may do at an address, as the table says it."""
    asked = METHODS[:1] if name.endswith(ONLY_READ) else METHODS
    found = [method for method in asked if answers(method, address, user)]
    done = actions_of(name, address, user) if "GET" in found else []
    return ", ".join([*found, *done]) or "–"


def table():
    """Return what each role may do at each page, as a table for people."""
    pages = {name: at for name, at in addresses(rows_to_open()).items() if name not in OPEN}
    people = [person(role) for role in ROLES]
    alike = defaultdict(list)
    for name, address in pages.items():
        alike[tuple(may(name, address, user) for user in people)].append(name)
    head = ["Pages", *(role.name for role in ROLES)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for cells, names in sorted(alike.items(), key=lambda entry: entry[1]):
        told = ", ".join(f"`{name}`" for name in sorted(names))
        lines.append(f"| {told} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_each_role_may_what_the_table_in_the_docs_says():
    """A new page fails here until the table has it: look at it, then let the test write it.

    ``HUIKE_WRITE_ROLES=1 pytest tests/core/test_roles.py``
    """
    found = table()
    text = DOCS.read_text()
    if os.environ.get("HUIKE_WRITE_ROLES"):
        DOCS.write_text(TABLE.sub(lambda _old: found, text))
        text = DOCS.read_text()

    told = TABLE.search(text)
    assert told is not None
    assert told[0] == found


def permissions(key):
    group = Role.objects.get(key=key).group
    names = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in names}


def test_a_new_database_has_the_roles():
    assert {role.group.name for role in Role.objects.all()} == {
        "Owner", "CRM manager", "Analyst", "Support", "Auditor",
    }  # fmt: skip
    assert len(permissions("owner")) == Permission.objects.count()
    seeing = [role.key for role in ROLES if "customers.view_contact" in permissions(role.key)]
    assert seeing == ["owner", "manager"]


def test_what_a_later_migration_brings_is_given_and_what_it_drops_is_taken():
    later = Permission.objects.create(
        content_type_id=Permission.objects.get(codename="view_customer").content_type_id,
        codename="view_later", name="Can view later",
    )  # fmt: skip

    call_command("migrate", verbosity=0)
    assert "customers.view_later" in permissions("auditor")

    without = RoleGrant("auditor", "Auditor", ("*.view_*",), but=("customers.view_later",))
    seed_roles(grants=[without])
    assert f"customers.{later.codename}" not in permissions("auditor")


def test_what_people_made_of_a_role_stays():
    group = Role.objects.get(key="support").group
    group.permissions.remove(Permission.objects.get(codename="unmask_contact"))
    group.permissions.add(Permission.objects.get(codename="view_export"))
    group.name = "Helpers"
    group.save()
    Role.objects.get(key="analyst").group.delete()

    seed_roles(grants=ROLES)

    assert "customers.unmask_contact" not in permissions("support")
    assert "customers.view_export" in permissions("support")
    assert Role.objects.get(key="support").group.name == "Helpers"
    assert not Group.objects.filter(name="Analyst").exists()


def test_a_group_of_people_with_a_roles_name_is_left_alone():
    Role.objects.all().delete()
    Group.objects.all().delete()
    own = Group.objects.create(name="Support")

    seed_roles(grants=ROLES)

    assert not own.permissions.exists()
    assert Role.objects.get(key="support").group.name == "Support (Huike)"


def test_every_app_of_ours_is_in_some_role():
    given = {name.split(".")[0] for role in ROLES for name in permissions(role.key)}

    assert {"core", "customers", "analytics"} <= given
    assert given <= {app.label for app in apps.get_app_configs()}
