"""Write staged rows into the record, whole orders at a time, set-based."""

from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.connectors.online_retail import CHARGES, DISCOUNTS
from customers.models import ImportBatch
from customers.selectors.shop import shop_settings
from customers.services.importing import statistics
from customers.services.importing.counts import Counts

ORDERS = 1500

NEXT_ORDERS = """
    SELECT max(order_number) FROM (
        SELECT DISTINCT order_number FROM customers_importrow
        WHERE batch_id = %(batch)s AND order_number > %(after)s
        ORDER BY order_number LIMIT %(limit)s
    ) part
"""
PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.order_number, r.sku, r.title, r.quantity, r.unit_price, r.placed_at, r.country,
        r.customer_key, r.quantity * r.unit_price AS amount,
        (replace(r.sku, ' ', '') = ANY(%(charges)s) OR r.sku ILIKE 'gift\\_%%') AS is_charge,
        r.sku || '|' || to_char(r.placed_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS') || '|'
            || r.quantity || '|' || r.unit_price || '|'
            || row_number() OVER (
                PARTITION BY r.order_number, r.sku, r.placed_at, r.quantity, r.unit_price
                ORDER BY r.row_number
            ) AS line_key
    FROM customers_importrow r
    WHERE r.batch_id = %(batch)s AND r.order_number > %(after)s AND r.order_number <= %(until)s
        AND r.reason = '' AND NOT r.is_cancellation
"""
CUSTOMERS = """
    WITH wanted AS (
        SELECT customer_key, min(country) AS country, min(placed_at) AS first_at
        FROM customers_importrow
        WHERE batch_id = %(batch)s AND order_number > %(after)s AND order_number <= %(until)s
            AND reason = '' AND customer_key <> ''
        GROUP BY customer_key
    ), made AS (
        INSERT INTO customers_customer (source_id, external_id, country)
        SELECT %(source)s, w.customer_key, w.country FROM wanted w
        WHERE NOT EXISTS (
            SELECT 1 FROM customers_identity i
            WHERE i.issuer = %(issuer)s AND i.kind = 'external_id' AND i.value = w.customer_key
        )
        ORDER BY w.first_at, w.customer_key
        ON CONFLICT (source_id, external_id) DO UPDATE SET country = customers_customer.country
        RETURNING id, external_id
    ), known AS (
        INSERT INTO customers_identity (customer_id, issuer, kind, value)
        SELECT id, %(issuer)s, 'external_id', external_id FROM made
        ON CONFLICT (issuer, kind, value) DO NOTHING
    )
    INSERT INTO customers_factsmark (customer_id) SELECT id FROM made
"""
PRODUCTS = """
    INSERT INTO customers_product (source_id, sku, title, price, currency)
    SELECT DISTINCT ON (sku) %(source)s, sku, title, unit_price, %(currency)s
    FROM import_part WHERE NOT is_charge
    ORDER BY sku, (title = ''), (unit_price = 0), placed_at DESC
    ON CONFLICT (source_id, sku) DO UPDATE SET title = excluded.title, updated_at = now()
        WHERE customers_product.title = '' AND excluded.title <> ''
"""
ORDERS_IN = """
    INSERT INTO customers_order (source_id, external_id, customer_id, status, placed_at,
        placed_day, paid_at, currency, exchange_rate, total, total_shop, country)
    SELECT %(source)s, p.order_number, max(i.customer_id), 'completed', min(p.placed_at),
        (min(p.placed_at) AT TIME ZONE %(zone)s)::date, min(p.placed_at), %(currency)s, 1, 0, 0,
        min(p.country)
    FROM import_part p
    LEFT JOIN customers_identity i
        ON i.issuer = %(issuer)s AND i.kind = 'external_id' AND i.value = p.customer_key
    GROUP BY p.order_number
    ON CONFLICT (source_id, external_id) DO UPDATE
        SET customer_id = excluded.customer_id, updated_at = now()
        WHERE customers_order.customer_id IS NULL AND excluded.customer_id IS NOT NULL
    RETURNING id, (xmax <> 0) AS is_update
"""
LINES_IN = """
    INSERT INTO customers_orderline (order_id, line_key, kind, product_id, sku, title, quantity,
        unit_price, amount, unit_cost, cost_currency)
    SELECT o.id, p.line_key,
        CASE WHEN p.sku = ANY(%(discounts)s) THEN 'discount' WHEN p.is_charge THEN 'charge'
            ELSE 'product' END, g.id, p.sku,
        p.title, p.quantity, p.unit_price, p.amount, g.unit_cost, coalesce(g.cost_currency, '')
    FROM import_part p
    JOIN customers_order o ON o.source_id = %(source)s AND o.external_id = p.order_number
    LEFT JOIN customers_product g
        ON g.source_id = %(source)s AND g.sku = p.sku AND NOT p.is_charge
    ON CONFLICT (order_id, line_key) DO NOTHING
    RETURNING order_id
"""
TOTALS = """
    WITH sums AS (
        SELECT l.order_id, sum(l.amount) AS total,
            coalesce(sum(l.amount) FILTER (WHERE l.kind = 'charge'), 0) AS charges
        FROM customers_orderline l
        WHERE l.order_id = ANY(%(orders)s)
        GROUP BY l.order_id
    ), changed AS (
        UPDATE customers_order o
        SET total = s.total, total_shop = s.total * o.exchange_rate, charges = s.charges,
            updated_at = now()
        FROM sums s
        WHERE o.id = s.order_id
            AND (o.total, o.charges) IS DISTINCT FROM (s.total, s.charges)
        RETURNING o.customer_id
    )
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT customer_id FROM (
        SELECT customer_id FROM changed
        UNION ALL SELECT customer_id FROM customers_order WHERE id = ANY(%(touched)s)
    ) marked WHERE customer_id IS NOT NULL
"""


def write_orders(run: JobRun, batch: ImportBatch, after: str, counts: Counts) -> str | None:
    """Write the next orders in order of their numbers; return the last one, or None at the end."""
    shop = shop_settings()
    type(shop).objects.select_for_update().get(pk=shop.pk)
    values: dict[str, Any] = {
        "batch": batch.pk,
        "after": after,
        "limit": ORDERS,
        "source": batch.source_id,
        "issuer": batch.source.key,
        "zone": shop.zone,
        "currency": shop.currency,
        "discounts": sorted(DISCOUNTS),
        "charges": [code.replace(" ", "") for code in sorted(CHARGES)],
    }
    with connection.cursor() as cursor:
        if after == "":
            statistics.refresh(cursor, "customers_importrow")
            counts.rejected += _rejected(cursor, batch.pk)
        cursor.execute(NEXT_ORDERS, values)
        values["until"] = _first(cursor)
        if values["until"] is None:
            return None
        _write_part(cursor, values, counts)
    run.save(step=gettext_noop("Writing orders"))
    return str(values["until"])


def _write_part(cursor: Any, values: dict[str, Any], counts: Counts) -> None:
    cursor.execute(CUSTOMERS, values)
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    cursor.execute("SELECT count(*) FROM import_part")
    lines = int(_first(cursor))
    cursor.execute(PRODUCTS, values)
    cursor.execute(ORDERS_IN, values)
    touched = cursor.fetchall()
    found = {order_id for order_id, is_update in touched if is_update}
    cursor.execute(LINES_IN, values)
    written = [row[0] for row in cursor.fetchall()]
    updated = 0
    if found:
        cursor.execute(
            "SELECT count(*) FROM import_part p JOIN customers_order o"
            " ON o.source_id = %s AND o.external_id = p.order_number WHERE o.id = ANY(%s)",
            [values["source"], list(found)],
        )
        updated = int(_first(cursor)) - sum(1 for order_id in written if order_id in found)
    values["orders"] = sorted(set(written))
    values["touched"] = sorted({order_id for order_id, _is_update in touched})
    cursor.execute(TOTALS, values)
    cursor.execute("DROP TABLE import_part")
    counts.created += len(written)
    counts.updated += updated
    counts.unchanged += lines - len(written) - updated


def _rejected(cursor: Any, batch_id: int) -> int:
    cursor.execute(
        "SELECT count(*) FROM customers_importrow WHERE batch_id = %s AND reason <> ''", [batch_id]
    )
    return int(_first(cursor))


def _first(cursor: Any) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
