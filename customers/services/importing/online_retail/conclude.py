"""Count what was in the file and close the books of the import."""

import json
from typing import Any

from django.db import connection

from crm.core.services.jobs import JobRun
from customers.connectors.online_retail import CHARGES
from customers.models import ImportBatch
from customers.services.importing import rejects
from customers.services.importing.counts import Counts

TABLES = (
    "customers_customer",
    "customers_identity",
    "customers_order",
    "customers_orderline",
    "customers_product",
    "customers_refund",
    "customers_factsmark",
)
AUDIT = """
    SELECT json_build_object(
        'lines', count(*),
        'without_customer', count(*) FILTER (WHERE customer_key = ''),
        'cancellation_lines', count(*) FILTER (WHERE order_number ILIKE 'c%%'),
        'orders', count(DISTINCT order_number),
        'articles', count(DISTINCT sku),
        'without_title', count(*) FILTER (WHERE title = ''),
        'first', min(placed_at), 'last', max(placed_at),
        'total', coalesce(sum(quantity * unit_price), 0),
        'clean_lines', count(*) FILTER (WHERE {clean}),
        'clean_customers', count(DISTINCT customer_key) FILTER (WHERE {clean}),
        'clean_total', coalesce(sum(quantity * unit_price) FILTER (WHERE {clean}), 0)
    ) FROM customers_importrow WHERE batch_id = %(batch)s
""".replace(
    "{clean}",
    "customer_key <> '' AND order_number NOT ILIKE 'c%%' AND quantity > 0 AND unit_price > 0",
)
CHARGES_BY_CODE = """
    SELECT sku, count(*), sum(quantity * unit_price) FROM customers_importrow
    WHERE batch_id = %(batch)s AND reason = ''
        AND (replace(sku, ' ', '') = ANY(%(charges)s) OR sku ILIKE 'gift\\_%%')
    GROUP BY sku ORDER BY sku
"""
DUPLICATES = """
    SELECT coalesce(sum(copies - 1), 0) FROM (
        SELECT count(*) AS copies FROM customers_importrow WHERE batch_id = %(batch)s
        GROUP BY order_number, sku, title, quantity, unit_price, placed_at, customer_key, country
    ) rows
"""


def conclude(run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
    """Store audit, counts and error file; the rows balance, or the database refuses them."""
    values = {"batch": batch.pk, "charges": sorted(code.replace(" ", "") for code in CHARGES)}
    audit = _audit(values)
    audit["netted_quantity"] = counts.netted_quantity
    audit["unmatched_refunds"] = counts.unmatched
    audit["unmatched_quantity"] = counts.unmatched_quantity
    audit["netted_amount"] = counts.netted_amount
    audit["unmatched_amount"] = counts.unmatched_amount
    rejects.close(run, batch, counts, audit, TABLES)


def _audit(values: dict[str, Any]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(AUDIT, values)
        row = cursor.fetchone()
        found = row[0] if isinstance(row[0], dict) else json.loads(row[0])
        audit: dict[str, Any] = {
            name: str(value) if name in ("total", "clean_total") else value
            for name, value in found.items()
        }
        cursor.execute(DUPLICATES, values)
        audit["duplicates"] = int(cursor.fetchone()[0])
        cursor.execute(CHARGES_BY_CODE, values)
        audit["charges"] = {
            code: {"lines": lines, "amount": str(amount)}
            for code, lines, amount in cursor.fetchall()
        }
    return audit
