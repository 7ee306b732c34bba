"""Customers by a number that another table has of them."""

from typing import Any

from django.db.models import F, Model, QuerySet


def ranked_by(model: type[Model], column: str, downwards: bool) -> QuerySet[Any]:
    """Return the ids of customers who have a value in ``column``, by it, then newest first.

    The order is one that an index “column DESC NULLS LAST” gives, read from either end.
    """
    value = F(column)
    way = value.desc(nulls_last=True) if downwards else value.asc(nulls_first=True)
    rows = model._default_manager.filter(**{f"{column}__isnull": False})
    return rows.order_by(way, "-customer_id").values_list("customer_id", flat=True)
