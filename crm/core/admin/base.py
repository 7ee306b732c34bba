"""What every list of the admin shares."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MOST_COUNTED = 10_000


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
    def count(self) -> int:
        """Return the number of rows, at most ``MOST_COUNTED``."""
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[:MOST_COUNTED])


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


class ReadOnlyAdmin(ListAdmin):
    """Rows that staff read and that other parts of the product write."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
