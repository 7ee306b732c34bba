"""Say whose facts are out of date."""

from collections.abc import Iterable

from django.db import connection


def mark_dirty(customer_ids: Iterable[int | None]) -> int:
    """Mark customers in the caller's transaction, so that mark and change appear together."""
    ids = sorted({pk for pk in customer_ids if pk is not None})
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_factsmark (customer_id) SELECT unnest(%s::bigint[])", [ids]
        )
    return len(ids)


def mark_all_dirty() -> int:
    """Mark every customer: what decides about facts has changed for the whole shop."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_factsmark (customer_id) SELECT id FROM customers_customer"
        )
        return int(cursor.rowcount)


def mark_unwritten() -> int:
    """Mark active customers of whom no days are written: those of before an upgrade, say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_factsmark (customer_id) SELECT c.id FROM customers_customer c"
            " WHERE c.lifecycle = 'active' AND NOT EXISTS ("
            " SELECT FROM customers_customerdays d WHERE d.customer_id = c.id)"
        )
        return int(cursor.rowcount)
