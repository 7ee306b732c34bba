"""What is there for a person whose roles are limited to sources, and where roles end."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet

from crm.core.selectors.reach import limit_of, reached
from customers.models import CustomerTag, RoleSource, Source
from customers.querysets import Sources

WITHIN = (
    "category", "consent", "customer", "customertag", "importbatch", "interaction",
    "mergerecord", "order", "product", "reconciliation", "refund", "review", "savedimport",
    "surveyresponse", "task", "ticket",
)  # fmt: skip
"""Models whose rows say by themselves of which sources they are."""
_CUSTOMER, _ROW = {"pk": "customers.customer"}, "object_id"
_VIEWED = ("customer", "order", "product", "ticket")
_READ = (*_VIEWED, "task", "importbatch", "export", "reconciliation", "source")
ROUTES: Mapping[str, Mapping[str, str]] = {
    **{f"admin:customers_{name}_changelist": {} for name in _READ},
    **{
        f"admin:customers_{name}_{page}": {_ROW: f"customers.{name}"}
        for name in _READ
        for page in ("change", "history")
    },
    **{f"admin:customers_{name}_view_add": {} for name in _VIEWED},
    **{
        f"admin:customers_{name}_view_{act}": {"pk": "core.savedview"}
        for name in _VIEWED
        for act in ("open", "change")
    },
    "admin:customers_contact": _CUSTOMER,
    "admin:customers_customer_attributes": _CUSTOMER,
    "admin:customers_customer_tag": _CUSTOMER,
    "admin:customers_customer_untag": _CUSTOMER,
    "admin:customers_note_add": _CUSTOMER,
    "admin:customers_note": {**_CUSTOMER, "note": "customers.interaction"},
    "admin:customers_note_delete": {**_CUSTOMER, "note": "customers.interaction"},
    "admin:customers_task_give": _CUSTOMER,
    "admin:customers_task_done": {"pk": "customers.task"},
    "admin:customers_task_reopen": {"pk": "customers.task"},
    "admin:customers_compare": {**_CUSTOMER, "other": "customers.customer"},
    "admin:customers_merge": {**_CUSTOMER, "other": "customers.customer"},
    "admin:customers_part": {**_CUSTOMER, "record": "customers.mergerecord"},
    "admin:customers_bulk": {"pk": "customers.bulkaction"},
    "admin:customers_ticket_add": {},
    "admin:customers_export_add": {},
    "admin:customers_export_file": {"pk": "customers.export"},
    "admin:customers_reconciliation_add": {},
    "dashboard:panel": {},
    "dashboard:file": {},
    **{
        f"api:{name}-{page}": {}
        for name in ("customer", "order", "product", "import", "export")
        for page in ("list", "detail")
    },
    "api:import-error-file": {},
    "api:export-file": {},
}
"""The addresses that limited persons may open, and whose rows their parts name."""


def sources_of(user: Any) -> Sources | None:
    """Return the sources a person's roles are limited to, None for all; one query.

    The sources of all roles that grant anything; all as soon as one of these has no limit, or the
    person holds a permission of their own.
    """
    if user.is_superuser:
        return None
    people: Any = get_user_model()
    own = people.user_permissions.through._default_manager.filter(user_id=user.pk)
    grants: Any = Group.permissions.through
    limits = RoleSource.objects.filter(group=OuterRef("pk")).order_by().values("source_id")
    roles = Group.objects.filter(
        Exists(grants._default_manager.filter(group_id=OuterRef("pk"))), user=user.pk
    )
    found = list(
        roles.annotate(own=Exists(own), limits=ArraySubquery(limits)).values_list("own", "limits")
    )
    if not found or any(has_own or not ends for has_own, ends in found):
        return None
    return Sources(source for _own, ends in found for source in ends)


def issuers_of(user: Any) -> frozenset[str] | None:
    """Return the keys of a person's sources, None for all: whose ids of customers they may see."""
    limit = limit_of(user)
    if limit is None:
        return None
    return frozenset(Source.objects.filter(pk__in=limit).values_list("key", flat=True))


def named_sources(user: Any) -> list[Source]:
    """Return a limited person's sources by name; nothing where there is no limit."""
    limit = limit_of(user)
    return [] if limit is None else list(Source.objects.filter(pk__in=limit).order_by("name"))


def is_of(source_id: int, user: Any) -> bool:
    """Tell whether a source is there for a person."""
    limit = limit_of(user)
    return limit is None or source_id in limit


def limits_of_role(group_id: int | None) -> list[int]:
    """Return the sources a role is limited to; none for all."""
    rows = RoleSource.objects.filter(group_id=group_id or 0)
    return list(rows.order_by("pk").values_list("source_id", flat=True))


def within(rows: Any, limit: frozenset[int], user: Any) -> Any:
    """Keep the rows of a model of ``WITHIN``."""
    return rows.within(limit)


def own_exports(rows: Any, limit: frozenset[int], user: Any) -> Any:
    """Keep the files somebody asked for: others' may hold what others see."""
    return rows.within(limit).filter(created_by=user.pk)


def own_sources(rows: QuerySet[Any], limit: frozenset[int], user: Any) -> QuerySet[Any]:
    """Keep the sources themselves."""
    return rows.filter(pk__in=limit)


def lines(rows: QuerySet[Any], limit: frozenset[int], user: Any) -> QuerySet[Any]:
    """Keep the positions of their orders."""
    return rows.filter(order__source__in=limit)


def tags(rows: QuerySet[Any], limit: frozenset[int], user: Any) -> QuerySet[Any]:
    """Keep the words that stand on one of their customers, or that nobody has yet."""
    on = CustomerTag.objects.filter(tag=OuterRef("pk"))
    return rows.filter(Exists(reached(on, user)) | ~Exists(on))


def started(rows: QuerySet[Any], limit: frozenset[int], user: Any) -> QuerySet[Any]:
    """Keep what somebody has started themselves."""
    return rows.filter(created_by=user.pk)


def everything(rows: QuerySet[Any], limit: frozenset[int], user: Any) -> QuerySet[Any]:
    """Keep all: words that belong to the whole shop."""
    return rows


def names(sources: Iterable[Source]) -> str:
    """Return sources in one line."""
    return ", ".join(source.name for source in sources)
