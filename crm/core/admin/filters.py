"""Filters that stay quick over millions of rows."""

from typing import Any

from django.contrib.admin.filters import AllValuesFieldListFilter
from django.db import connection

MOST_VALUES = 200
_VALUES = """
    WITH RECURSIVE held AS (
        (SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM {table} WHERE {column} > held.value ORDER BY 1 LIMIT 1)
        FROM held WHERE held.value IS NOT NULL
    )
    SELECT value FROM held WHERE value IS NOT NULL LIMIT {most}
"""


class FewValuesFilter(AllValuesFieldListFilter):
    """Offers the values a column has: from one to the next by its index, not row by row.

    The column must have an index of its own, and few values.
    """

    def __init__(self, field: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(field, *arguments, **named)
        statement = _VALUES.format(
            column=connection.ops.quote_name(field.column),
            table=connection.ops.quote_name(field.model._meta.db_table),
            most=MOST_VALUES,
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
            self.lookup_choices: Any = [value for (value,) in cursor.fetchall()]
