"""About the lists that are exported: their columns, how many rows, which sources, in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.core.registry import registry
from customers.connectors import huike
from customers.connectors.huike.writing import attribute_field, is_writable
from customers.connectors.tables import MOST_COLUMNS
from customers.connectors.tables.writing import Field
from customers.models import Attribute, Customer, Export, Identity, Source
from customers.selectors.contacts import MAY_SEE, may_see_contacts
from customers.selectors.exporting.kinds import KINDS, Kind, permissions_for
from customers.selectors.reach import issuers_of

COUNTED = 10_000
PEOPLE = ("q", "email", "phone", "external_id", "customer")
"""Filters whose values may name a person; they are kept only as long as the file."""
HIDDEN = "…"


@dataclass(frozen=True)
class Count:
    """How many rows a list has; beyond some thousand the planner's word is taken."""

    rows: int
    is_exact: bool


def count_rows(rows: QuerySet[Any]) -> Count:
    """Count a list as far as is cheap, else ask the planner."""
    found = rows.order_by().values_list("pk")
    counted = found[: COUNTED + 1].count()
    if counted <= COUNTED:
        return Count(counted, True)
    plan = json.loads(found.explain(format="json"))
    return Count(max(counted, int(plan[0]["Plan"]["Plan Rows"])), False)


def sources_of(
    kind: Kind, rows: QuerySet[Any], among: QuerySet[Source] | None = None
) -> list[Source]:
    """Return the sources, ``among`` some, that a list has rows of that may leave."""
    mine = rows.order_by().filter(kind.leaves, **{kind.source: OuterRef("pk")})
    sources = Source.objects.all() if among is None else among
    return list(sources.filter(Exists(mine)).order_by("name"))


def fields_for(kind: Kind, user: Any = None) -> list[Field]:
    """Return the columns of a file that is begun now: attributes and given-out ids included.

    Ids that other sources have given out are not for whoever does not see these.
    """
    fields = kind.fields
    if kind.model is not Customer:
        return fields
    issuers = issuers_of(user)
    issued = Q() if issuers is None else Q(issuer__in=issuers)
    attributes = Attribute.objects.order_by("key").values_list("key", "type")
    fields += [attribute_field(key, type) for key, type in attributes if is_writable(key)]
    scoped = (
        Identity.objects.filter(issued, kind__in=huike.SCOPED_KINDS)
        .order_by("kind", "issuer")
        .values_list("kind", "issuer")
        .distinct()
    )
    fields += [Field(f"{kind}:{issuer}") for kind, issuer in scoped if is_writable(issuer)]
    return fields[:MOST_COLUMNS]


def describe_filters(filters: Mapping[str, Any]) -> str:
    """Say by what a list was narrowed."""
    return " · ".join(
        _("%(name)s: %(value)s") % {"name": capfirst(_name_of(name)), "value": _told(value)}
        for name, value in sorted(filters.items())
    )


def _name_of(parameter: str) -> str:
    """Call a filter as the lists do; what no list knows keeps its own name."""
    if parameter == "q":
        return _("search")
    for one in registry.list_filters:
        if getattr(one.filter_class, "parameter_name", "") == parameter:
            return str(one.filter_class.title)  # type: ignore[attr-defined]
    for kind in KINDS.values():
        try:
            field: Any = kind.model._meta.get_field(parameter.partition("__")[0])
        except FieldDoesNotExist:
            continue
        return str(getattr(field, "verbose_name", parameter))
    return parameter


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def permissions_to_take(export: Export) -> list[str]:
    """Return what somebody must be allowed to have this file."""
    kind = KINDS[export.kind]
    contacts = [MAY_SEE] if kind.names_people and export.shows_contacts else []
    return [*permissions_for(kind), *contacts]


def show_filters(filters: Mapping[str, Any], user: Any) -> dict[str, Any]:
    """Return the filters of an export as ``user`` may see them."""
    return dict(filters) if may_see_contacts(user) else without_people(filters)


def file_name(export: Export) -> str:
    """Return under which name an export is saved."""
    return f"{export.kind}-{export.source.key}-{export.created_at:%Y-%m-%d}.{export.format}"


def without_people(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters without what was typed to find a person: it outlives the person's erasure."""
    return {name: HIDDEN if name in PEOPLE else value for name, value in filters.items()}
