"""Columns of lists: amounts with their currency, and what upper apps add through slots."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib import admin
from django.db.models import F, Model, OrderBy
from django.http import HttpRequest
from django.utils.formats import number_format

from crm.core.registry import ListColumn
from customers.selectors.timeline import money

LEAST_PLACES = 2


class UnknownLast(F):
    """A column's value, for ordering: rows without one come last, whichever way one looks."""

    def asc(self, **kwargs: Any) -> OrderBy:
        return super().asc(nulls_last=True)

    def desc(self, **kwargs: Any) -> OrderBy:
        return super().desc(nulls_last=True)


def amount_column(model: type[Model], name: str) -> Callable[[Any], str | None]:
    """Return a list column or read-only field that writes an amount with its row's currency."""
    label = getattr(model._meta.get_field(name), "verbose_name", name)

    @admin.display(description=label, ordering=name)
    def column(row: Any) -> str | None:
        value = getattr(row, name)
        return None if value is None else money(value, row.currency)

    column.__name__ = f"shown_{name}"
    return column


def visible(request: HttpRequest, slot: Iterable[Any], page: str) -> list[Any]:
    """Return what a slot adds to a list for this person."""
    return [
        entry
        for entry in slot
        if entry.page == page and (not entry.permission or request.user.has_perm(entry.permission))
    ]


@cache
def slot_column(column: ListColumn) -> Any:
    """Make a list column of a slot's entry: one and the same each time, or nobody could sort by it.

    The admin asks for the columns twice in a request, and sorts by those that are in both answers.
    The list annotates the entry's value as ``slot_<key>``.
    """

    def show(row: Any) -> Any:
        value = getattr(row, f"slot_{column.key}")
        return "–" if value is None else column.render(value)

    show.__name__ = column.key
    ordering = UnknownLast(f"slot_{column.key}")
    return admin.display(description=column.label, ordering=ordering)(show)


def plain_amount(value: Decimal | None) -> str:
    """Write an amount without its currency: two places, or more where they are not zero."""
    if value is None:
        return "–"
    exponent = value.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else LEAST_PLACES
    return number_format(value, max(LEAST_PLACES, places), force_grouping=True)
