"""Bring the rows an import touched back to what they were."""

from typing import Any

from django.db.models import Model
from psycopg import sql

from crm.core.registry import registry
from customers.models import Customer, Order
from customers.services.importing.undo.tables import (
    columns,
    execute,
    history_of,
    references_from,
    table,
)
from customers.services.importing.undo.workset import Fates

# Until the end nobody else may change a row, nor make a new one that points at it.
_LOCK = """
    SELECT count(*) FROM (
        SELECT m.id FROM {table} m JOIN undo_row u ON u.row_id = m.id
        WHERE u.table_name = {name} ORDER BY m.id FOR UPDATE OF m
    ) locked
"""
_REMOVE = """
    DELETE FROM {table} m USING undo_row u
    WHERE u.table_name = {name} AND u.fate = 'remove' AND u.row_id = m.id
"""
_RESTORE = """
    UPDATE {table} m SET ({columns}) = ROW({former_columns})
    FROM undo_row u CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, u.before) AS former_row
    WHERE u.table_name = {name} AND u.fate = 'restore' AND u.row_id = m.id
"""
_RETURN = """
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {former_columns}
    FROM undo_row u CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, u.before) AS former_row
    WHERE u.table_name = {name} AND u.fate = 'return'
"""
_FORGET = """
    DELETE FROM {history} h USING undo_row u
    WHERE u.table_name = {name} AND u.fate = 'remove' AND u.row_id = h.pgh_obj_id
"""
_MARK = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT customer_id FROM ({affected}) affected(customer_id)
    WHERE customer_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM undo_row u WHERE u.table_name = {customers} AND u.fate = 'remove'
            AND u.row_id = affected.customer_id)
"""
_TOUCHED = "SELECT row_id FROM undo_row WHERE table_name = {name}"
_HELD = """
    SELECT m.{column} FROM {table} m JOIN undo_row u ON u.row_id = m.id WHERE u.table_name = {name}
"""
_FORMER = """
    SELECT (before ->> {column_name})::bigint FROM undo_row WHERE table_name = {name}
"""
_BUYERS = "SELECT customer_id FROM customers_order WHERE id IN ({orders})"
_GOING = "SELECT row_id FROM undo_row WHERE table_name = {name} AND fate = 'remove'"


def lock(cursor: Any, fates: Fates) -> None:
    """Lock the rows of ``undo_row`` that are there."""
    for model in fates:
        _run(cursor, _LOCK, model)


def apply(cursor: Any, fates: Fates) -> None:
    """Remove what was made, restore what was changed, bring back what was removed.

    Foreign keys are checked at the end, so that the order of the tables does not matter.
    """
    _mark_customers(cursor, fates)
    _drop_computed(cursor, fates)
    for statement, fate in ((_REMOVE, "remove"), (_RESTORE, "restore"), (_RETURN, "return")):
        for model in fates:
            if fates[model].get(fate):
                _run(cursor, statement, model)
    for model in fates:
        for history in history_of(model):
            _run(cursor, _FORGET, model, history=table(history))
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _mark_customers(cursor: Any, fates: Fates) -> None:
    """Mark the facts of everybody whose rows, or whose orders' rows, are touched."""
    affected: list[sql.Composable] = []
    for model in fates:
        if model is Customer:
            affected.append(_statement(_TOUCHED, model))
        for reference in references_from(model):
            if reference.target not in (Customer, Order):
                continue
            pointed = sql.SQL(" UNION ALL ").join(
                _statement(
                    part,
                    model,
                    column=sql.Identifier(reference.column),
                    column_name=sql.Literal(reference.column),
                )
                for part in (_HELD, _FORMER)
            )
            if reference.target is Order:
                pointed = sql.SQL(_BUYERS).format(orders=pointed)
            affected.append(pointed)
    if affected:
        execute(
            cursor,
            sql.SQL(_MARK).format(
                affected=sql.SQL(" UNION ALL ").join(affected),
                customers=sql.Literal(Customer._meta.db_table),
            ),
        )


def _drop_computed(cursor: Any, fates: Fates) -> None:
    """Drop what every app has computed about customers who go."""
    if not fates.get(Customer, {}).get("remove"):
        return
    _run(cursor, _GOING, Customer)
    going = [row[0] for row in cursor.fetchall()]
    for computed in registry.computed_rows:
        computed.drop(going)


def _run(cursor: Any, text: str, model: type[Model], **values: sql.Composable) -> None:
    execute(cursor, _statement(text, model, **values))


def _statement(text: str, model: type[Model], **values: sql.Composable) -> sql.Composed:
    names = columns(model)
    return sql.SQL(text).format(
        table=table(model),
        name=sql.Literal(model._meta.db_table),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        former_columns=sql.SQL(", ").join(sql.Identifier("former_row", one) for one in names),
        **values,
    )
