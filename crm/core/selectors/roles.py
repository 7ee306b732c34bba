"""What roles are called in the reader's language; their groups keep the name they have."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.models import Role

NAMES = {
    "owner": gettext_noop("Owner"),
    "manager": gettext_noop("CRM manager"),
    "analyst": gettext_noop("Analyst"),
    "support": gettext_noop("Support"),
    "auditor": gettext_noop("Auditor"),
}
"""The names groups were given when they were made."""


def role_names(groups: Iterable[Group]) -> dict[int, str]:
    """Return what to call each group, in one query; those people made or renamed keep their name.

    Where somebody had a group of a role's name already, the role's is “Owner (Huike)”.
    """
    listed = list(groups)
    roles = Role.objects.filter(group__in=[group.pk for group in listed])
    keys = dict(roles.values_list("group_id", "key"))
    return {group.pk: _named(group.name, keys.get(group.pk, "")) for group in listed}


def role_name(group: Group) -> str:
    """Return what to call a group."""
    return role_names([group])[group.pk]


def _named(name: str, key: str) -> str:
    given = NAMES.get(key, "")
    if not given or (name != given and not name.startswith(f"{given} (Huike")):
        return name
    return _(given) + name.removeprefix(given)
