"""The rows an import touched, each with its first state before and its last state after."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from customers.services.importing.undo.tables import RECORD

# Rows that the import both made and removed are no longer there, nor were they before.
_MAKE = """
    CREATE TEMPORARY TABLE undo_row ON COMMIT DROP AS
    SELECT *, CASE WHEN before IS NULL THEN 'remove' WHEN after_hash IS NULL THEN 'return'
        ELSE 'restore' END AS fate
    FROM (
        SELECT DISTINCT ON (table_name, row_id) table_name, row_id, before,
            last_value(after_hash) OVER changes AS after_hash,
            last_value(id) OVER changes AS last_id
        FROM customers_importchange WHERE batch_id = %s
        WINDOW changes AS (PARTITION BY table_name, row_id ORDER BY id
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        ORDER BY table_name, row_id, id
    ) touched
    WHERE before IS NOT NULL OR after_hash IS NOT NULL
"""
_INDEX = "ALTER TABLE undo_row ADD PRIMARY KEY (table_name, row_id)"
_COUNT_MADE = "SELECT table_name, fate, count(*) FROM undo_row GROUP BY table_name, fate"
_COUNT = """
    SELECT table_name, fate, count(*) FROM (
        SELECT table_name, CASE
            WHEN NOT (array_agg(before IS NULL ORDER BY id))[1] THEN
                CASE WHEN (array_agg(after_hash IS NULL ORDER BY id DESC))[1] THEN 'return'
                    ELSE 'restore' END
            WHEN NOT (array_agg(after_hash IS NULL ORDER BY id DESC))[1] THEN 'remove' END AS fate
        FROM customers_importchange WHERE batch_id = %s GROUP BY table_name, row_id
    ) touched WHERE fate IS NOT NULL GROUP BY table_name, fate
"""
# A row's hash is that of its text: the settings are those of the trigger that wrote it.
_SETTINGS = """
    SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
        set_config('extra_float_digits', '1', true)
"""

Fates = dict[type[Model], dict[str, int]]


def make(cursor: Any, batch_id: int) -> Fates:
    """Make the temporary table ``undo_row``; return how many rows of which table meet which fate.

    The caller's transaction has it, until ``drop``.
    """
    cursor.execute(_SETTINGS)
    cursor.execute(_MAKE, [batch_id])
    cursor.execute(_INDEX)
    cursor.execute("ANALYZE undo_row")
    cursor.execute(_COUNT_MADE)
    return _by_model(cursor.fetchall())


def drop(cursor: Any) -> None:
    """Drop the temporary table."""
    cursor.execute("DROP TABLE undo_row")


def count(cursor: Any, batch_id: int) -> Fates:
    """Return what ``make`` would, without making the table."""
    cursor.execute(_COUNT, [batch_id])
    return _by_model(cursor.fetchall())


def _by_model(rows: Iterable[tuple[str, str, int]]) -> Fates:
    found: dict[str, dict[str, int]] = {}
    for name, fate, number in rows:
        found.setdefault(name, {})[fate] = number
    return {model: found[model._meta.db_table] for model in RECORD if model._meta.db_table in found}
