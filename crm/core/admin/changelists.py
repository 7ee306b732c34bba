"""Lists that stay quick over a million rows, and whose address may say how they look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.test import RequestFactory
from unfold.views import ChangeList

COLUMNS = "_columns"
ORDER = "_order"
VIEW = "_view"
EVERYTHING = "all"
LOOKS = (COLUMNS, ORDER, VIEW)
"""Words of an address that say how a list looks, and not which rows it has."""
UNSAVED = (*LOOKS, ORDER_VAR, PAGE_VAR, "all", "e", "_facets", "_popup", "_to_field")


class ViewedChangeList(ChangeList):
    """A list whose address may say how it looks."""

    def get_filters_params(self, params: Any = None) -> Any:
        """Leave out what is no filter."""
        found = super().get_filters_params(params)
        return {name: values for name, values in found.items() if name not in LOOKS}

    def get_results(self, request: HttpRequest) -> None:
        """Read one page of many by its ids, where what it is ordered by has a ranking."""
        super().get_results(request)
        usual = "" if is_narrowed(request) else self.model_admin.usual_order
        names = self.order_names or [usual]
        if len(names) != 1 or not names[0] or self.show_all or not self.result_count:
            return
        if not self.order_names and not self.multi_page:
            return
        ranking = self.model_admin.ranking(names[0].lstrip("-"), names[0].startswith("-"))
        if ranking is not None:
            start = (self.page_num - 1) * self.list_per_page
            end = min(start + self.list_per_page, self.result_count)
            ids = ranking.page(self.queryset, start, end)
            self.result_list = self.queryset.filter(pk__in=ids)

    @property
    def order_names(self) -> list[str]:
        """The columns the list is ordered by because somebody said so; downwards with “-”."""
        if ORDER_VAR not in self.params:
            return []
        ways = self.get_ordering_field_columns()
        return [
            ("-" if way == "desc" else "") + name_of(self.list_display[index])
            for index, way in ways.items()
            if 0 <= index < len(self.list_display)
        ]


@dataclass(frozen=True)
class Ranking:
    """The ids of the rows that have a value, by it: where an index gives that order."""

    rows: QuerySet[Any]
    """Of ``key`` alone, in order."""
    key: str

    def page(self, listed: QuerySet[Any], start: int, end: int) -> list[int]:
        """Return the ids of a page of a list: behind those with a value the others, newest first.

        A list of a million is not sorted: those who have a value are read in order till the end
        of the page, and only a page that they do not fill looks for others.
        """
        kept = listed.order_by().values("pk")
        ranked = self.rows.filter(**{f"{self.key}__in": kept})
        ids = list(ranked[start:end])
        if len(ids) < end - start:
            found = start + len(ids) if ids else ranked[:start].count()
            valued = self.rows.order_by().filter(**{self.key: OuterRef("pk")})
            others = kept.filter(~Exists(valued)).order_by("-pk").values_list("pk", flat=True)
            ids += others[max(start - found, 0) : end - found]
        return ids


class NarrowedList(ViewedChangeList):
    """A list that is narrowed and not shown: nothing is counted, no page is read."""

    queryset: QuerySet[Any]

    @classmethod
    def of(cls, model_admin: Any, words: Mapping[str, Any], user: Any) -> "NarrowedList":
        """Narrow a list as ``user`` may; raises what the admin raises for words it rejects."""
        request = RequestFactory().get("/", dict(words))
        request.user = user
        return cls(
            request,
            model_admin.model,
            model_admin.get_list_display(request),
            None,
            model_admin.get_list_filter(request),
            model_admin.date_hierarchy,
            model_admin.get_search_fields(request),
            False,
            model_admin.list_per_page,
            model_admin.list_max_show_all,
            (),
            model_admin,
            (),
            "",
        )

    def get_results(self, request: HttpRequest) -> None:
        """Leave the rows where they are."""


def is_narrowed(request: HttpRequest) -> bool:
    """Tell whether a list is searched or filtered."""
    return any(name not in UNSAVED for name in request.GET)


def name_of(column: Any) -> str:
    """Return the name by which an address and a view know a column."""
    return str(column if isinstance(column, str) else column.__name__)
