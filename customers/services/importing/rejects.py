"""The rows that could not be read: counted by reason, and given back as they were."""

import csv
import io
import tempfile
from typing import Any

from django.core.files import File
from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.connectors.tables.harmless import guard
from customers.models import ImportBatch, ImportRow
from customers.selectors.audit import in_order, word_reason
from customers.selectors.shop import shop_settings
from customers.services.importing import statistics
from customers.services.importing.counts import Counts

AGAIN = gettext_noop("the same one stands again further down; the last row counts")
# What the record did not take of orders, so that a month can be held against the shop's books.
LOST = """
    INSERT INTO customers_rejectedorder
        (batch_id, source_id, external_id, is_double, placed_at, currency, amount)
    SELECT %(batch)s, %(source)s, number, is_double, max(placed_at), max(currency), sum(amount)
    FROM (
        SELECT order_number AS number, right(reason, length(%(again)s)) = %(again)s AS is_double,
            coalesce((parsed->>'placed_at')::timestamptz, placed_at) AS placed_at,
            coalesce(parsed->>'currency', %(currency)s) AS currency,
            coalesce((parsed->>'total')::numeric, quantity * unit_price) AS amount
        FROM customers_importrow
        WHERE batch_id = %(batch)s AND reason <> '' AND kind IN ('', 'orders')
    ) row
    WHERE number <> '' AND placed_at IS NOT NULL AND amount > 0
    GROUP BY number, is_double
    ON CONFLICT (source_id, external_id, is_double) DO UPDATE SET batch_id = excluded.batch_id,
        placed_at = excluded.placed_at, currency = excluded.currency, amount = excluded.amount
"""


def count_rejected(batch_id: int, kind: str | None = None) -> dict[str, int]:
    """Return how many records, of one kind or of all, each reason rejected."""
    rows = ImportRow.objects.filter(batch_id=batch_id).exclude(reason="")
    if kind is not None:
        rows = rows.filter(kind=kind)
    found = rows.values_list("reason").annotate(count=Count("pk")).order_by("reason")
    return dict(found)


def told_rejects(batch_id: int) -> QuerySet[Any]:
    """Return the rejected records in the file's order; ``told`` is the row each stood in.

    A row that tells of several things is here once: with the first of them that was rejected.
    """
    rows = ImportRow.objects.filter(batch_id=batch_id)
    whole = rows.filter(row_number=OuterRef("row_number")).exclude(original={})
    rejected = rows.exclude(reason="").order_by("row_number", "pk").distinct("row_number")
    return rejected.annotate(told=Subquery(whole.values("original")[:1]))


def close(
    run: JobRun, batch: ImportBatch, counts: Counts, audit: dict[str, Any], tables: tuple[str, ...]
) -> None:
    """Store audit, counts and error file; the rows balance, or the database refuses them."""
    with connection.cursor() as cursor:
        # What reads the new rows next must not plan as if the tables were empty.
        statistics.refresh(cursor, *tables)
        cursor.execute(LOST, _lost(batch))
    audit["rejected"] = count_rejected(batch.pk)
    ImportBatch.objects.filter(pk=batch.pk).update(audit=audit, **counts.as_columns())
    if counts.rejected:
        _write_error_file(run, batch)
    run.save(
        step=gettext_noop("Finished"),
        done=counts.total,
        total=counts.total,
        result={**counts.as_columns(), "import": batch.public_id},
    )


def _lost(batch: ImportBatch) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "source": batch.source_id,
        "again": AGAIN,
        "currency": shop_settings().currency,
    }


def _write_error_file(run: JobRun, batch: ImportBatch) -> None:
    """Write each rejected row as it was, with its reason; no cell can act as a formula."""
    rows = told_rejects(batch.pk)
    with tempfile.TemporaryFile("w+b") as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        header: list[str] = []
        for row in rows.iterator(chunk_size=2000):
            if not header:
                header = in_order(row.told, batch.header)
                writer.writerow([*map(guard, header), "row", "reason"])
            cells = [guard(str(row.told.get(name, ""))) for name in header]
            writer.writerow([*cells, row.row_number, word_reason(row.reason)])
        text.flush()
        file.seek(0)
        run.attach_errors(f"{batch.public_id}-errors.csv", File(file))
        text.detach()
