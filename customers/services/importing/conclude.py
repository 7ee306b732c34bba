"""Count what was in the file, write the error file, and close the books of the import."""

import csv
import io
import json
import tempfile
from typing import Any

from django.core.files import File
from django.db import connection
from django.utils.translation import gettext as _

from crm.core.services.jobs import JobRun
from customers.connectors.online_retail import CHARGES
from customers.models import ImportBatch, ImportRow
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
REASONS = """
    SELECT reason, count(*) FROM customers_importrow
    WHERE batch_id = %(batch)s AND reason <> '' GROUP BY reason ORDER BY reason
"""


def conclude(run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
    """Store audit, counts and error file; the rows balance, or the database refuses them."""
    with connection.cursor() as cursor:
        # What reads the new rows next must not plan as if the tables were empty.
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")
    values = {"batch": batch.pk, "charges": sorted(code.replace(" ", "") for code in CHARGES)}
    audit = _audit(values)
    audit["netted_quantity"] = counts.netted_quantity
    audit["unmatched_refunds"] = counts.unmatched
    audit["unmatched_quantity"] = counts.unmatched_quantity
    audit["netted_amount"] = counts.netted_amount
    audit["unmatched_amount"] = counts.unmatched_amount
    ImportBatch.objects.filter(pk=batch.pk).update(audit=audit, **counts.as_columns())
    if counts.rejected:
        _write_error_file(run, batch)
    run.save(
        step=_("Finished"),
        done=counts.total,
        total=counts.total,
        result={**counts.as_columns(), "import": batch.public_id},
    )


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
        cursor.execute(REASONS, values)
        audit["rejected"] = dict(cursor.fetchall())
    return audit


def _write_error_file(run: JobRun, batch: ImportBatch) -> None:
    """Write each rejected row as it was, with its reason; no cell can act as a formula."""
    rows = ImportRow.objects.filter(batch=batch).exclude(reason="").order_by("row_number")
    with tempfile.TemporaryFile("w+b") as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        header: list[str] = []
        for row in rows.iterator(chunk_size=2000):
            if not header:
                header = list(row.original)
                writer.writerow([*map(_harmless, header), "row", "reason"])
            cells = [_harmless(str(row.original.get(name, ""))) for name in header]
            writer.writerow([*cells, row.row_number, row.reason])
        text.flush()
        file.seek(0)
        run.attach_errors(f"{batch.public_id}-errors.csv", File(file))
        text.detach()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
