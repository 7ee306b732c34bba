"""What every list of the admin shares."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.admin import FieldListFilter, RelatedFieldListFilter, ShowFacets
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from crm.core.selectors.reach import is_limited, may_open, reached

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MOST_COUNTED = 10_000
DIGITS = 4
"""An estimate says no more digits than it knows."""
_STATISTICS = """
    SELECT c.reltuples::bigint, greatest(s.last_analyze, s.last_autoanalyze)
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = %s::regclass
"""


@dataclass(frozen=True)
class EmptyAction:
    """The one button of an empty list whose rows come from another page."""

    words: "StrPromise | str"
    page: str
    """The address's name, such as ``admin:customers_importbatch_add``."""
    permission: str
    """Who lacks it is offered nothing."""


class BoundedPaginator(Paginator):
    """Count only as far as anybody pages: a list of millions must not be counted to be shown."""

    @cached_property
    def _found(self) -> int:
        """The number of rows, at most one more than ``MOST_COUNTED``."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most ``MOST_COUNTED``."""
        return min(self._found, MOST_COUNTED)

    @property
    def is_exact(self) -> bool:
        """Tell whether every row was counted."""
        return self._found <= MOST_COUNTED

    @cached_property
    def estimate(self) -> tuple[int, datetime | None]:
        """Return about how many rows there are, and as of when; nothing is read for it.

        Of a whole table its statistics, else what the planner makes of them for this list.
        """
        rows: Any = self.object_list
        with connection.cursor() as cursor:
            cursor.execute(_STATISTICS, [rows.model._meta.db_table])
            told, at = cursor.fetchone()
        if rows.query.where or told <= 0:
            try:
                plan = json.loads(rows.order_by().values("pk").explain(format="json"))
            except EmptyResultSet:
                return 0, at
            told = int(plan[0]["Plan"]["Plan Rows"])
        return max(told, self._found), at

    @property
    def count_words(self) -> str:
        """Say how many: exactly, or “about 1,204,000”."""
        if self.is_exact:
            return number_format(self.count, force_grouping=True)
        number, _at = self.estimate
        places = min(DIGITS - len(str(number)), 0)
        return _("about %(number)s") % {
            "number": number_format(round(number, places), force_grouping=True)
        }

    @property
    def as_of_words(self) -> str:
        """Say as of when the database's statistics are, from which an estimate is made."""
        if self.is_exact or self.estimate[1] is None:
            return ""
        moment = timezone.localtime(self.estimate[1])
        return _("An estimate from the database's statistics of %(moment)s.") % {
            "moment": date_format(moment, "DATETIME_FORMAT")
        }


class ListAdmin(ModelAdmin):
    """A list that never counts everything."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    empty_value_display = "–"
    add_words: "StrPromise | str" = ""
    """What the button that adds a row says; without words, “Add” and the model's name."""
    empty_words: "StrPromise | str" = ""
    """What an empty list says about how rows come to be there."""
    empty_action: EmptyAction | None = None
    """What an empty list offers; without one, to add a row to who may."""
    rows_words: "StrPromise | str" = ""
    """What several rows are called below the list; without words, as the model is."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Keep what is there for this person: for pages, searches, actions and exports alike."""
        return reached(super().get_queryset(request), request.user)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to add a row only to whom the page for it is open."""
        opts = self.opts
        if not may_open(request.user, f"admin:{opts.app_label}_{opts.model_name}_add"):
            extra_context = {**(extra_context or {}), "has_add_permission": False}
        return super().changelist_view(request, extra_context)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer what is there for this person."""
        rows = kwargs.get("queryset")
        rows = db_field.remote_field.model._default_manager.all() if rows is None else rows
        kwargs["queryset"] = reached(rows, request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReachedRelatedFilter(RelatedFieldListFilter):
    """A filter by what a row points at: it offers what is there for this person."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Return the choices, in the usual order."""
        rows = reached(field.remote_field.model._default_manager.all(), request.user)
        order = self.field_admin_ordering(field, request, model_admin)
        rows = rows.order_by(*order) if order else rows
        return [(row.pk, str(row)) for row in rows]

    def has_output(self) -> bool:
        """Stay where somebody chose: what is left out would be asked of the rows themselves."""
        return super().has_output() or self.lookup_val is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep what was chosen; what is not there for a person has no rows."""
        chosen = self.lookup_val if isinstance(self.lookup_val, list) else [self.lookup_val]
        offered = {str(pk) for pk, _words in self.lookup_choices}
        if is_limited(request.user) and {str(one) for one in chosen if one} - offered:
            return queryset.none()
        return super().queryset(request, queryset)


FieldListFilter.register(
    lambda field: bool(field.remote_field), ReachedRelatedFilter, take_priority=True
)


class ReadOnlyAdmin(ListAdmin):
    """Rows that staff read and that other parts of the product write."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
