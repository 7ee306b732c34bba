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


def settle_days() -> int:
    """Drop days of whoever is no customer any more, and mark customers of whom none are written.

    Neither should be found but after an upgrade or a restore of some tables; who reads days reads
    them without looking at customers. Returns the number of customers marked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_customerdays d WHERE NOT EXISTS (SELECT FROM customers_customer"
            " c WHERE c.id = d.customer_id AND c.lifecycle = 'active')"
        )
        cursor.execute(
            "INSERT INTO customers_factsmark (customer_id) SELECT c.id FROM customers_customer c"
            " WHERE c.lifecycle = 'active' AND NOT EXISTS ("
            " SELECT FROM customers_customerdays d WHERE d.customer_id = c.id) AND NOT EXISTS ("
            " SELECT FROM customers_factsmark k WHERE k.customer_id = c.id)"
        )
        return int(cursor.rowcount)
