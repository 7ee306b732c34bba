"""Lists with views: which columns are shown, and tabs that open a list as somebody saved it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.core.admin.base import ListAdmin
from crm.core.admin.changelists import (
    COLUMNS,
    EVERYTHING,
    ORDER,
    UNSAVED,
    VIEW,
    NarrowedList,
    Ranking,
    ViewedChangeList,
    name_of,
)
from crm.core.errors import DomainError
from crm.core.models import DefaultView, SavedView
from crm.core.registry import is_hidden_search, shown_text
from crm.core.selectors.reach import reached
from crm.core.services import views


@dataclass(frozen=True)
class Column:
    """A column one may choose."""

    name: str
    label: str
    is_shown: bool


class ViewedList(ListAdmin):
    """A list with tabs for its views, and a choice of columns. The first column always stays."""

    def every_column(self, request: HttpRequest) -> list[Any]:
        """Return all columns this person may choose from."""
        return [*super().get_list_display(request)]

    def unusual_columns(self, request: HttpRequest) -> set[str]:
        """Return the columns that are shown only to who chooses them."""
        return set()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show the chosen columns, in their own order."""
        columns = self.every_column(request)
        chosen = [name for name in request.GET.get(COLUMNS, "").split(",") if name]
        wanted = {*chosen} or {*map(name_of, columns)} - self.unusual_columns(request)
        return [columns[0], *(column for column in columns[1:] if name_of(column) in wanted)]

    usual_order = ""
    """The column the whole list is ordered by while nobody says another; downwards with “-”.

    Not one that is narrowed: of those at high risk none bought lately, and a walk along the last
    orders would pass by half the shop before it found the first.
    """
    unordered: frozenset[str] = frozenset()
    """Columns that order no list: no index serves them, and sorting millions takes too long."""
    orders_by_one = False
    """Whether the list is ordered by the first column alone: an index serves one, not two."""

    def ranking(self, name: str, downwards: bool) -> Ranking | None:
        """Return the ids of this list's rows by a column, or nothing where that is easy."""
        return None

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Let a click on a head order by what an index serves."""
        shown = self.get_list_display(request)
        return [column for column in shown if name_of(column) not in self.unordered]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ViewedChangeList]:
        return ViewedChangeList

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that open, save and change views."""
        own = {
            "view_open": ("views/<int:pk>/", self.open_view),
            "view_add": ("views/add/", require_POST(self.add_view_of_list)),
            "view_change": ("views/<int:pk>/change/", require_POST(self.change_view_of_list)),
        }
        named = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"{named}_{name}")
                for name, (route, view) in own.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open a person's default view where nothing else is asked for; offer the views."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method == "GET" and not request.GET:
            seen = self._seen(request)
            default = DefaultView.objects.filter(
                user_id=request.user.pk or 0, view__in=seen
            ).first()
            if default is not None:
                return HttpResponseRedirect(self._address("view_open", default.view_id))
        self._understand(request)
        self._refuse_orders(request)
        context = {**self._views(request), **(extra_context or {})}
        response = super().changelist_view(request, context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            shown["list_look"] = self._look(request, shown["cl"])
        return response

    @property
    def page(self) -> str:
        """The name under which this list's views are kept."""
        return str(self.opts.label_lower)

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lead to the list as the view has it; say what of it is no longer there."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        view = self._seen(request).filter(pk=pk).first()
        if view is None:
            messages.warning(request, _("This view is not there any more."))
            return HttpResponseRedirect(f"{self._address('changelist')}?{VIEW}={EVERYTHING}")
        words = QueryDict(mutable=True)
        gone = []
        for name, values in view.words.items():
            if view.owner_id != (request.user.pk or 0) and _is_hidden(name, values, request.user):
                messages.warning(
                    request,
                    _(
                        "“%(view)s” searches by a contact, which is not for you: it is shown "
                        "without that search."
                    )
                    % {"view": shown_text(view.name, request.user)},
                )
            elif self._knows(request, {name: values}):
                words.setlist(name, values)
            else:
                gone.append(name)
        known = {name_of(column) for column in self.every_column(request)}
        gone += [name for name in view.columns if name not in known]
        gone += [name.lstrip("-") for name in view.order if name.lstrip("-") not in known]
        columns = [name for name in view.columns if name in known]
        order = [name for name in view.order if name.lstrip("-") in known]
        if columns:
            words[COLUMNS] = ",".join(columns)
        if order:
            words[ORDER] = ",".join(order)
        words[VIEW] = str(view.pk)
        if gone:
            messages.warning(
                request,
                _("“%(view)s” is shown without what is no longer there for you: %(names)s.")
                % {
                    "view": shown_text(view.name, request.user),
                    "names": ", ".join(dict.fromkeys(gone)),
                },
            )
        return HttpResponseRedirect(f"{self._address('changelist')}?{words.urlencode()}")

    def add_view_of_list(self, request: HttpRequest) -> HttpResponse:
        """Save how the list looks under a new name."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            view = views.save_view(
                page=self.page,
                name=request.POST.get("name", ""),
                user_id=request.user.pk or 0,
                is_shared="share" in request.POST,
                **_look_of(request),
            )
        except DomainError as error:
            messages.error(request, error.message)
            words = request.POST.get("look", "")
            return HttpResponseRedirect(f"{self._address('changelist')}?{words}")
        messages.success(request, _("Saved as “%(view)s”.") % {"view": view.name})
        return HttpResponseRedirect(self._address("view_open", view.pk))

    def change_view_of_list(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save, rename, share, delete a view, or let the list open with it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        user_id = request.user.pk or 0
        act = request.POST.get("act", "")
        try:
            if act == "delete":
                name = views.delete_view(view_id=pk, user_id=user_id)
                messages.success(request, _("The view “%(view)s” is deleted.") % {"view": name})
                return HttpResponseRedirect(f"{self._address('changelist')}?{VIEW}={EVERYTHING}")
            if act == "save":
                views.save_view(
                    page=self.page, name="", user_id=user_id, view_id=pk, **_look_of(request)
                )
            elif act == "rename":
                name = request.POST.get("name", "")
                views.rename_view(view_id=pk, name=name, user_id=user_id)
            elif act in ("share", "unshare"):
                views.share_view(view_id=pk, is_shared=act == "share", user_id=user_id)
            elif act in ("default", "usual"):
                views.set_default(view_id=pk, is_default=act == "default", user_id=user_id)
            else:
                raise PermissionDenied
            messages.success(request, _("Saved."))
        except DomainError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(self._address("view_open", pk))

    def _seen(self, request: HttpRequest) -> QuerySet[SavedView]:
        """Return the views of this list that are there for this person."""
        rows = views.seen_by(user_id=request.user.pk or 0, page=self.page)
        return reached(rows, request.user)

    def _address(self, name: str, *arguments: Any) -> str:
        named = f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"
        return reverse(named, args=arguments)

    def _knows(self, request: HttpRequest, words: Mapping[str, Any]) -> bool:
        """Tell whether the list still narrows by these words, for this person."""
        try:
            NarrowedList.of(self, words, request.user)
        except (IncorrectLookupParameters, SuspiciousOperation):
            return False
        return True

    def _understand(self, request: HttpRequest) -> None:
        """Say an address's names of columns as the theme reads them."""
        if not {COLUMNS, ORDER} & request.GET.keys():
            return
        words = request.GET.copy()
        if COLUMNS in words:
            words[COLUMNS] = ",".join(words.getlist(COLUMNS))
        request.GET = words  # type: ignore[assignment]
        order = words.pop(ORDER, [""])[-1].split(",")
        if ORDER_VAR in words or not any(order):
            return
        # The boxes to tick stand before the columns, where there are actions.
        shift = 1 if self.get_actions(request) else 0
        names = [name_of(column) for column in self.get_list_display(request)]
        places = [
            f"{'-' if name.startswith('-') else ''}{names.index(name.lstrip('-')) + shift}"
            for name in order
            if name.lstrip("-") in names
        ]
        if places:
            words[ORDER_VAR] = ".".join(places)

    def _refuse_orders(self, request: HttpRequest) -> None:
        """Order by nothing that would sort the whole table; say so."""
        asked = request.GET.get(ORDER_VAR, "")
        if not asked:
            return
        shift = 1 if self.get_actions(request) else 0
        columns = dict(enumerate(self.get_list_display(request), start=shift))
        kept, refused = [], []
        for place in asked.split("."):
            number = place.removeprefix("-")
            column = columns.get(int(number)) if number.isdecimal() else None
            if column is not None and name_of(column) in self.unordered:
                refused.append(self._label(column))
            else:
                kept.append(place)
        words = request.GET.copy()
        words[ORDER_VAR] = ".".join(kept[:1] if self.orders_by_one else kept)
        if not kept:
            del words[ORDER_VAR]
        request.GET = words  # type: ignore[assignment]
        if refused:
            messages.warning(
                request,
                _("The list cannot be ordered by %(columns)s: sorting all rows takes too long.")
                % {"columns": ", ".join(refused)},
            )

    def _views(self, request: HttpRequest) -> dict[str, Any]:
        """Return the tabs, and which of them this is."""
        user_id = request.user.pk or 0
        mine = DefaultView.objects.filter(user_id=user_id, view=OuterRef("pk"))
        seen = list(self._seen(request).annotate(opens=Exists(mine)))
        asked = request.GET.get(VIEW, "")
        current = next((view for view in seen if str(view.pk) == asked), None)
        return {
            "list_views": [
                {
                    "view": view,
                    "name": shown_text(view.name, request.user),
                    "url": self._address("view_open", view.pk),
                }
                for view in seen
            ],
            "list_view": current,
            "list_view_name": shown_text(current.name, request.user) if current else "",
            "list_view_is_own": current is not None and current.owner_id == user_id,
            "list_view_add_url": self._address("view_add"),
            "list_view_change_url": self._address("view_change", current.pk) if current else "",
        }

    def _look(self, request: HttpRequest, cl: ViewedChangeList) -> dict[str, Any]:
        """Return what a form needs to save how the list looks, and to choose columns."""
        words = QueryDict(mutable=True)
        for name, values in request.GET.lists():
            if name not in UNSAVED:
                words.setlist(name, values)
        order, columns = cl.order_names, request.GET.get(COLUMNS, "")
        shown = {name_of(column) for column in self.get_list_display(request)}
        kept = [(name, value) for name, values in words.lists() for value in values]
        look = words.copy()
        if order:
            look[ORDER] = ",".join(order)
        if columns:
            look[COLUMNS] = columns
        return {
            "words": look.urlencode(),
            "kept": [*kept, *([(ORDER, ",".join(order))] if order else [])],
            "view": request.GET.get(VIEW, ""),
            "columns": [
                Column(name_of(column), self._label(column), name_of(column) in shown)
                for column in self.every_column(request)[1:]
            ],
            "first": name_of(self.every_column(request)[0]),
        }

    def _label(self, column: Any) -> str:
        return str(label_for_field(column, self.model, self))


def _is_hidden(name: str, values: list[str], user: Any) -> bool:
    """Tell whether a word of somebody else's view is not for this person."""
    hides = is_hidden_search if name == SEARCH_VAR else _is_masked
    return any(hides(value, user) for value in values)


def _is_masked(value: str, user: Any) -> bool:
    return shown_text(value, user) != value


def _look_of(request: HttpRequest) -> dict[str, Any]:
    """Read from a form how a list looked when it was sent."""
    look = QueryDict(request.POST.get("look", "")[:4000], mutable=True)
    order = [name for name in look.get(ORDER, "").split(",") if name]
    columns = [name for name in look.get(COLUMNS, "").split(",") if name]
    words = {
        name: [value.replace("\0", "") for value in values]
        for name, values in look.lists()
        if name not in UNSAVED
    }
    return {"words": words, "order": order, "columns": columns}
