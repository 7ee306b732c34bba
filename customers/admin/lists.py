"""Lists of the web admin by their search and filters, and the way from a list to its export."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.admin.base import EmptyAction
from crm.core.admin.changelists import LOOKS, NarrowedList
from crm.core.admin.views import ViewedList
from customers.errors import ExportRefusedError
from customers.selectors.exporting import KINDS, permissions_for

LIST = "_list"
UNLISTED = (LIST, "o", "p", "all", "e", "_facets", "_popup", "_to_field", *LOOKS)
"""Parameters that say how a list is shown, and not which rows it has."""
BRING_A_FILE_IN = EmptyAction(
    gettext_lazy("Bring a file in"),
    "admin:customers_importbatch_add",
    "customers.add_importbatch",
)


class ExportableList(ViewedList):
    """A list above which “Export…” takes out all rows it has, on all of its pages."""

    list_before_template = "customers/export_link.html"
    empty_action: EmptyAction | None = BRING_A_FILE_IN

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead on to the export with the list's search and filters."""
        context = {"export_url": export_url(request, self.model)}
        return super().changelist_view(request, {**context, **(extra_context or {})})


def export_url(request: HttpRequest, model: type[Any]) -> str:
    """Return the address that exports what this page lists, where the reader may do that."""
    name = next(kind.name for kind in KINDS.values() if kind.model is model)
    if not request.user.has_perms(permissions_for(KINDS[name])):
        return ""
    words = QueryDict(mutable=True)
    words[LIST] = name
    for key, values in filters_of(request).items():
        words.setlist(key, values)
    return f"{reverse('admin:customers_export_add')}?{words.urlencode()}"


def filters_of(request: HttpRequest) -> dict[str, list[str]]:
    """Return the words by which a list is narrowed."""
    return {
        name: [value.replace("\0", "") for value in values]
        for name, values in request.GET.lists()
        if name not in UNLISTED
    }


def listed_rows(*, kind: str, filters: Mapping[str, Any], user: Any) -> QuerySet[Any]:
    """Return the rows that a list of the web admin has for ``user`` with these words.

    Raises ExportRefusedError for words the list does not know, or not for this person.
    """
    model_admin: Any = admin.site.get_model_admin(KINDS[kind].model)
    try:
        return NarrowedList.of(model_admin, filters, user).queryset
    except (IncorrectLookupParameters, SuspiciousOperation) as error:
        raise ExportRefusedError(_("The list does not know these filters any more.")) from error
