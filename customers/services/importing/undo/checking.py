"""What stands in the way of an undo: rows changed since, rows that need what would go."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from psycopg import sql

from customers.services.importing.changes import ERASED
from customers.services.importing.undo.tables import (
    RECORD,
    Reference,
    execute,
    references_from,
    references_to_record,
    row_key,
    table,
    unique_columns,
)
from customers.services.importing.undo.workset import Fates

_REFUSALS = """
    CREATE TEMPORARY TABLE undo_refusal (
        place bigint GENERATED ALWAYS AS IDENTITY, table_name text, row_id text, reason text,
        about_table text, about_id text, UNIQUE (table_name, row_id)
    ) ON COMMIT DROP
"""
_ADD = """
    INSERT INTO undo_refusal (table_name, row_id, reason, about_table, about_id) {found}
    ON CONFLICT DO NOTHING
"""
_CHANGED = """
    SELECT {name}, u.row_id, CASE WHEN live_row.id IS NULL THEN 'gone' ELSE 'changed' END, '', ''
    FROM undo_row u LEFT JOIN {table} live_row ON live_row.id = u.row_id
    WHERE u.table_name = {name} AND md5(live_row::text)::uuid IS DISTINCT FROM u.after_hash
    ORDER BY u.row_id
"""
# Between two changes of the import somebody else changed the row: neither state is the other's.
_MEANWHILE = """
    SELECT {name}, c.row_id, 'meanwhile', '', '' FROM (
        SELECT row_id, before, lag(after_hash) OVER changes AS left_hash,
            row_number() OVER changes AS number
        FROM customers_importchange WHERE batch_id = {batch} AND table_name = {name}
        WINDOW changes AS (PARTITION BY row_id ORDER BY id)
    ) c
    CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, c.before) AS former_row
    WHERE c.number > 1 AND c.before <> {erased}::jsonb
        AND md5(former_row::text)::uuid IS DISTINCT FROM c.left_hash
    ORDER BY c.row_id
"""
_ERASED = """
    SELECT {name}, row_id, 'erased', '', '' FROM undo_row
    WHERE table_name = {name} AND before = {erased}::jsonb ORDER BY row_id
"""
_TARGET_GONE = """
    SELECT {name}, u.row_id, 'target_gone', '', '' FROM undo_row u
    WHERE u.table_name = {name} AND u.fate <> 'remove' AND u.before ->> {column_name} IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM undo_row t WHERE t.table_name = {target_name} AND t.fate = 'return'
                AND t.row_id = (u.before ->> {column_name})::bigint)
        AND (EXISTS (
            SELECT FROM undo_row t WHERE t.table_name = {target_name} AND t.fate = 'remove'
                AND t.row_id = (u.before ->> {column_name})::bigint)
            OR NOT EXISTS (
                SELECT FROM {target} t WHERE t.id = (u.before ->> {column_name})::bigint))
    ORDER BY u.row_id
"""
_KEY_TAKEN = """
    SELECT {name}, u.row_id, 'key_taken', {name}, min(m.id)::text
    FROM undo_row u
    CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, u.before) AS former_row
    JOIN {table} m ON {same}
    WHERE u.table_name = {name} AND u.fate <> 'remove' AND m.id <> u.row_id
        AND NOT EXISTS (SELECT FROM undo_row o WHERE o.table_name = {name} AND o.row_id = m.id)
    GROUP BY u.row_id ORDER BY u.row_id
"""
_NEEDED = """
    SELECT {name}, {key}, 'needed', {target_name}, u.row_id FROM {table} m
    JOIN undo_row u ON u.table_name = {target_name} AND u.fate = 'remove' AND u.row_id = m.{column}
    WHERE {is_outside}
    ORDER BY u.row_id
"""
_OUTSIDE = """
    NOT EXISTS (SELECT FROM undo_row o WHERE o.table_name = {name} AND o.row_id = m.id)
"""
_FIRST = """
    SELECT r.table_name, r.row_id, r.reason, r.about_table, r.about_id,
        coalesce(c.before, u.before) ->> 'external_id', c.batch_id
    FROM (SELECT * FROM undo_refusal ORDER BY place LIMIT %(most)s) r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.row_id ~ '^[0-9]{1,18}$' THEN r.row_id::bigint END AS number
    ) n
    LEFT JOIN undo_row u ON u.table_name = r.table_name AND u.row_id = n.number
    LEFT JOIN LATERAL (
        SELECT c.batch_id, c.before FROM customers_importbatch b
        JOIN customers_importchange c ON c.batch_id = b.id AND c.table_name = r.table_name
            AND c.row_id = n.number
        WHERE b.keeps_changes AND b.id <> %(batch)s AND c.id > coalesce(u.last_id, 0)
        ORDER BY c.id DESC LIMIT 1
    ) c ON true
    ORDER BY r.place
"""

Hit = tuple[str, str, str, str, str, str | None, int | None]
"""Table, row, reason, table and row it is about, its former number, the import that wrote it."""


def find(cursor: Any, batch_id: int, fates: Fates, *, most: int) -> tuple[Sequence[Hit], int]:
    """Compare ``undo_row`` with the record; return up to ``most`` refusals and how many there are.

    In the statements are quoted names of tables and columns, and constants of this module.
    """
    cursor.execute(_REFUSALS)
    for model in RECORD:
        if model in fates:
            _check_rows(cursor, batch_id, model, fates[model])
    for reference in references_to_record():
        if fates.get(reference.target, {}).get("remove"):
            _add(cursor, _NEEDED, reference.model, **_names_of(reference))
    cursor.execute("SELECT count(*) FROM undo_refusal")
    total = int(cursor.fetchone()[0])
    hits: Sequence[Hit] = ()
    if total:
        cursor.execute(_FIRST, {"most": most, "batch": batch_id})
        hits = cursor.fetchall()
    cursor.execute("DROP TABLE undo_refusal")
    return hits, total


def _check_rows(cursor: Any, batch_id: int, model: type[Model], fates: dict[str, int]) -> None:
    """Check that rows are as the import left them, and that what they were can come back."""
    values = {"batch": sql.Literal(batch_id), "erased": sql.Literal(ERASED)}
    for statement in (_CHANGED, _MEANWHILE):
        _add(cursor, statement, model, **values)
    if set(fates) == {"remove"}:
        return
    _add(cursor, _ERASED, model, **values)
    for reference in references_from(model):
        _add(cursor, _TARGET_GONE, model, **_names_of(reference))
    for names in unique_columns(model):
        same = sql.SQL(" AND ").join(
            sql.SQL("{0} = {1}").format(sql.Identifier("m", one), sql.Identifier("former_row", one))
            for one in names
        )
        _add(cursor, _KEY_TAKEN, model, same=same)


def _names_of(reference: Reference) -> dict[str, sql.Composable]:
    name = sql.Literal(reference.model._meta.db_table)
    is_outside = sql.SQL(_OUTSIDE).format(name=name)
    return {
        "column": sql.Identifier(reference.column),
        "column_name": sql.Literal(reference.column),
        "target": table(reference.target),
        "target_name": sql.Literal(reference.target._meta.db_table),
        "is_outside": is_outside if reference.model in RECORD else sql.SQL("true"),
    }


def _add(cursor: Any, statement: str, model: type[Model], **values: sql.Composable) -> None:
    found = sql.SQL(statement).format(
        name=sql.Literal(model._meta.db_table), table=table(model), key=row_key(model), **values
    )
    execute(cursor, sql.SQL(_ADD).format(found=found))
