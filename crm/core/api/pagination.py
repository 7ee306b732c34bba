"""Pages by keyset: stable while rows arrive, and as fast on the last page as on the first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import Expression, F, Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ErrorDetail
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from crm.core.api.problems import BadQueryError

_SALT = "huike.api.cursor"
_KEY = "page_key"


@dataclass(frozen=True)
class Ordering:
    """A column a list may be ordered by; ``path`` is a field path or makes an expression."""

    path: str | Callable[[], Expression | Any]
    is_nullable: bool = False

    def expression(self) -> Any:
        """Return what is sorted by."""
        return F(self.path) if isinstance(self.path, str) else self.path()


@dataclass(frozen=True)
class _Cursor:
    """The row a page starts after, or, reversed, ends before."""

    is_reversed: bool
    key: Any
    pk: int


class CursorPages(BasePagination):
    """Cut lists into pages of ``limit`` rows; unknown values come last in either direction.

    The view tells ``get_orderings()`` (name → Ordering) and ``default_ordering``; the primary key
    breaks ties, so that every row is seen exactly once.
    """

    default_limit = 50
    max_limit = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page the request asks for."""
        self.url = request.build_absolute_uri()
        limit = self._limit(request)
        self.ordering = self._ordering(request, view)
        orderings: Mapping[str, Ordering] = view.get_orderings()
        chosen = orderings.get(self.ordering.removeprefix("-"))
        self.is_descending = self.ordering.startswith("-")
        self.is_keyed = chosen is not None and chosen.path != "pk"
        if chosen is not None and self.is_keyed:
            queryset = queryset.annotate(**{_KEY: chosen.expression()})
        is_nullable = chosen.is_nullable if chosen is not None else False
        cursor = self._cursor(request, queryset)
        backwards = cursor is not None and cursor.is_reversed
        if cursor is not None:
            queryset = queryset.filter(self._beyond(cursor, is_nullable))
        rows = list(queryset.order_by(*self._order_by(backwards))[: limit + 1])
        has_more = len(rows) > limit
        self.rows = rows[:limit]
        if backwards:
            self.rows.reverse()
        self.has_next = bool(self.rows) and (backwards or has_more)
        self.has_previous = bool(self.rows) and (has_more if backwards else cursor is not None)
        return self.rows

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap the rows, with the neighbours' addresses in the body and the Link header."""
        following = self._link(self.rows[-1], False) if self.has_next else None
        preceding = self._link(self.rows[0], True) if self.has_previous else None
        links = [
            f'<{url}>; rel="{relation}"'
            for url, relation in ((following, "next"), (preceding, "prev"))
            if url
        ]
        return Response(
            {"next": following, "previous": preceding, "results": data},
            headers={"Link": ", ".join(links)} if links else None,
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**address, "description": "Address of the following page."},
                "previous": {**address, "description": "Address of the preceding page."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters that page and order a list."""
        names = sorted(view.get_orderings())
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where a page starts; taken from “next” or “previous”.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "Rows on a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_limit,
                    "default": self.default_limit,
                },
            },
            {
                "name": "ordering",
                "in": "query",
                "required": False,
                "description": "Order of the list; “-” turns it round. Unknown values come last.",
                "schema": {
                    "type": "string",
                    "enum": [sign + name for name in names for sign in ("", "-")],
                    "default": view.default_ordering,
                },
            },
        ]

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit", str(self.default_limit))
        if text.isascii() and text.isdigit() and len(text) <= 3:
            limit = int(text)
            if 1 <= limit <= self.max_limit:
                return limit
        raise bad_parameter(
            "limit", _("Give a whole number from 1 to %(most)d.") % {"most": self.max_limit}
        )

    def _ordering(self, request: Request, view: Any) -> str:
        ordering = request.query_params.get("ordering") or view.default_ordering
        orderings = view.get_orderings()
        if ordering.removeprefix("-") not in orderings:
            raise bad_parameter(
                "ordering", _("Choose one of: %(names)s.") % {"names": ", ".join(sorted(orderings))}
            )
        view.check_ordering(ordering.removeprefix("-"))
        return str(ordering)

    def _cursor(self, request: Request, queryset: QuerySet[Any]) -> _Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        try:
            ordering, is_reversed, key, pk = signing.loads(text, salt=_SALT)
        except (signing.BadSignature, ValueError):
            raise bad_parameter("cursor", _CURSOR_ADVICE) from None
        if ordering != self.ordering:
            raise bad_parameter("cursor", _CURSOR_ADVICE)
        if key is not None and self.is_keyed:
            key = queryset.query.annotations[_KEY].output_field.to_python(key)
        return _Cursor(is_reversed, key, pk)

    def _order_by(self, backwards: bool) -> list[Any]:
        descending = self.is_descending != backwards
        by_pk = "-pk" if descending else "pk"
        if not self.is_keyed:
            return [by_pk]
        side = {"nulls_first": True} if backwards else {"nulls_last": True}
        return [F(_KEY).desc(**side) if descending else F(_KEY).asc(**side), by_pk]

    def _beyond(self, cursor: _Cursor, is_nullable: bool) -> Q:
        """Return the rows that come after the cursor's row in reading direction."""
        way = "lt" if self.is_descending != cursor.is_reversed else "gt"
        beyond_pk = Q(**{f"pk__{way}": cursor.pk})
        if not self.is_keyed:
            return beyond_pk
        is_null = Q(**{f"{_KEY}__isnull": True})
        if cursor.key is None:
            return (~is_null | beyond_pk) if cursor.is_reversed else (is_null & beyond_pk)
        # The first condition is implied by the second; it is what an index can use.
        further = Q(**{f"{_KEY}__{way}e": cursor.key}) & (
            Q(**{f"{_KEY}__{way}": cursor.key}) | beyond_pk
        )
        return further | is_null if is_nullable and not cursor.is_reversed else further

    def _link(self, row: Model, is_reversed: bool) -> str:
        key = getattr(row, _KEY) if self.is_keyed else None
        if isinstance(key, datetime | date | Decimal):
            key = key.isoformat() if isinstance(key, date) else str(key)
        cursor = signing.dumps([self.ordering, is_reversed, key, row.pk], salt=_SALT)
        url = remove_query_param(self.url, "cursor")
        return str(replace_query_param(url, "cursor", cursor))


_CURSOR_ADVICE = gettext_lazy(
    "Take the cursor from “next” or “previous”, with the same ordering, or leave it out."
)


def bad_parameter(name: str, message: Any) -> BadQueryError:
    """Build the refusal of one parameter of the query string."""
    return BadQueryError({name: [ErrorDetail(message, code="invalid")]})
