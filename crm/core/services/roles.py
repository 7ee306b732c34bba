"""Bring the roles in as groups, and keep them right when permissions come and go."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from crm.core.models import Role


class Grant(Protocol):
    """What a role is given: patterns such as ``customers.view_*``, and what they leave out."""

    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def gives(self) -> tuple[str, ...]: ...

    @property
    def but(self) -> tuple[str, ...]: ...


def seed_roles(*, grants: Iterable[Grant]) -> None:
    """Make the groups of roles that are new, and give all of them what was added since.

    May run again at any time. A group that people made is never touched, also when it has a role's
    name; what people gave a role's group, or took from it, stays as they left it.
    """
    known: dict[str, Any] = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    with transaction.atomic():
        roles = {role.key: role for role in Role.objects.select_for_update(of=("self",))}
        for grant in grants:
            role = roles.get(grant.key) or Role.objects.create(
                key=grant.key, group=Group.objects.create(name=_free_name(grant.name))
            )
            if role.group_id is not None:
                _give(role, permissions_of(grant, known), known)


def permissions_of(grant: Grant, known: Iterable[str]) -> set[str]:
    """Return which of the known permissions a role is given."""
    return {
        name
        for name in known
        if any(fnmatchcase(name, pattern) for pattern in grant.gives)
        and not any(fnmatchcase(name, pattern) for pattern in grant.but)
    }


def _give(role: Role, wanted: set[str], known: Mapping[str, Any]) -> None:
    given = set(role.given)
    if wanted == given:
        return
    assert role.group is not None
    role.group.permissions.add(*(known[name] for name in wanted - given))
    role.group.permissions.remove(*(known[name] for name in given - wanted if name in known))
    role.given = sorted(wanted)
    role.save(update_fields=["given", "updated_at"])


def _free_name(name: str) -> str:
    """Return a name that no group has: people may have made one of that name."""
    taken = set(Group.objects.filter(name__startswith=name).values_list("name", flat=True))
    names = [name, f"{name} (Huike)", *(f"{name} (Huike {number})" for number in range(2, 100))]
    return next(free for free in names if free not in taken)
