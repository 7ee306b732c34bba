"""How rows show amounts: with as many places as money has, and its currency."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import F, Model, OrderBy
from django.utils.formats import number_format

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


def plain_amount(value: Decimal | None) -> str:
    """Write an amount without its currency: two places, or more where they are not zero."""
    if value is None:
        return "–"
    exponent = value.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else LEAST_PLACES
    return number_format(value, max(LEAST_PLACES, places), force_grouping=True)
