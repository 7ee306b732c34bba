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
    """A column a list may be ordered by; ``path`` is a field path or makes an expression.

    ``has_nulls_last_index`` tells that its index is descending with nulls last: an index serves
    an order only when both agree on the nulls, even where there are none.
    """

    path: str | Callable[[], Expression | Any]
    is_nullable: bool = False
    has_nulls_last_index: bool = False

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
        self.chosen = orderings[self.ordering.removeprefix("-")]
        self.is_descending = self.ordering.startswith("-")
        self.is_keyed = self.chosen.path != "pk"
        if self.is_keyed:
            queryset = queryset.annotate(**{_KEY: self.chosen.expression()})
        cursor = self._cursor(request, queryset)
        backwards = cursor is not None and cursor.is_reversed
        rows = self._rows(queryset, cursor, limit + 1)
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

    def _rows(self, queryset: QuerySet[Any], cursor: _Cursor | None, most: int) -> list[Any]:
        """Return up to ``most`` rows in reading direction.

        Rows with and without a value are two queries: each can walk an index, while one query
        over both sorts the whole table (300,000 customers by spend: 0.68 s against 0.02 s).
        """
        if not (self.is_keyed and self.chosen.is_nullable):
            return self._part(queryset, cursor, most, is_known=self.is_keyed)
        backwards = cursor is not None and cursor.is_reversed
        parts = [False, True] if backwards else [True, False]
        if cursor is not None and (cursor.key is not None) != parts[0]:
            parts = parts[1:]
        rows: list[Any] = []
        for is_known in parts:
            if len(rows) < most:
                part = queryset.filter(**{f"{_KEY}__isnull": not is_known})
                rows += self._part(part, cursor, most - len(rows), is_known=is_known)
        return rows

    def _part(
        self, queryset: QuerySet[Any], cursor: _Cursor | None, most: int, *, is_known: bool
    ) -> list[Any]:
        """Return rows that all have a value to sort by, or all have none."""
        backwards = cursor is not None and cursor.is_reversed
        is_falling = self.is_descending != backwards
        way = "lt" if is_falling else "gt"
        order: list[Any] = ["-pk" if is_falling else "pk"]
        if is_known:
            order.insert(0, self._by_key(is_falling))
        if cursor is not None and is_known == (self.is_keyed and cursor.key is not None):
            beyond = Q(**{f"pk__{way}": cursor.pk})
            if is_known:
                # The first condition is implied by the second; it is what an index can use.
                beyond = Q(**{f"{_KEY}__{way}e": cursor.key}) & (
                    Q(**{f"{_KEY}__{way}": cursor.key}) | beyond
                )
            queryset = queryset.filter(beyond)
        return list(queryset.order_by(*order)[:most])

    def _by_key(self, is_falling: bool) -> Any:
        nulls = {}
        if self.chosen.has_nulls_last_index:
            nulls = {"nulls_last": True} if is_falling else {"nulls_first": True}
        return F(_KEY).desc(**nulls) if is_falling else F(_KEY).asc(**nulls)

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
