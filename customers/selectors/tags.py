"""The tags of customers, in words and on pages."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.core.selectors.reach import reached
from customers.enums import BulkKind
from customers.models import CustomerTag, Tag

OFFERED = 200
"""So many tags are offered while one types; every other may be typed in full."""


def tags_panel(request: HttpRequest, customer_id: int | None) -> dict[str, Any]:
    """Return a customer's tags, and those one might add."""
    rows = CustomerTag.objects.filter(customer_id=customer_id or 0).select_related("tag")
    return {
        "customer_id": customer_id,
        "tags": [row.tag for row in rows.order_by("tag__name")],
        "offered": offered_tags(request.user),
        "may_add": request.user.has_perm("customers.add_customertag"),
        "may_remove": request.user.has_perm("customers.delete_customertag"),
    }


def offered_tags(user: Any) -> list[str]:
    """Return the names of tags that are there for a person."""
    rows = reached(Tag.objects.order_by("name"), user)
    return list(rows.values_list("name", flat=True)[:OFFERED])


def with_customers(rows: QuerySet[Tag]) -> QuerySet[Tag]:
    """Let each tag know how many customers wear it."""
    worn = CustomerTag.objects.filter(tag=OuterRef("pk")).order_by().values("tag")
    counted = worn.annotate(count=Count("pk")).values("count")
    return rows.annotate(customers=Coalesce(Subquery(counted), 0))


def tag_end_words(parameters: Mapping[str, Any]) -> str:
    """Say what a job does to a tag: “Delete the tag VIP”."""
    if parameters.get("into_name"):
        return _("Make the tag %(name)s one with %(into)s") % {
            "name": parameters["name"],
            "into": parameters["into_name"],
        }
    return _("Delete the tag %(name)s") % {"name": parameters.get("name", "–")}


def bulk_words(*, kind: str, people: int, tag: str) -> str:
    """Say what is done to how many: “Tag 12,431 customers as VIP”."""
    if kind == BulkKind.TAG:
        words = ngettext(
            "Tag %(people)s customer as %(tag)s", "Tag %(people)s customers as %(tag)s", people
        )
    else:
        words = ngettext(
            "Remove the tag %(tag)s from %(people)s customer",
            "Remove the tag %(tag)s from %(people)s customers",
            people,
        )
    return words % {"people": number_format(people, force_grouping=True), "tag": tag}
