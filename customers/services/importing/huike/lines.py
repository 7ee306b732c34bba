"""Write order lines with their products, and the goods that came back."""

from typing import Any

from django.utils.translation import gettext_noop

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike.kind import Page
from customers.services.importing.huike.netting import NET
from customers.services.importing.huike.orders import FOLLOW, REFUNDED
from customers.services.importing.huike.shelves import find_categories

NO_ORDER = gettext_noop("no such order of this source; bring the orders in first")

PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.order_number AS number, r.sku AS line_key, v.*,
        coalesce(v.kind, l.kind, 'product') AS line_kind, o.id AS order_id, l.id AS line_id,
        coalesce(v.amount, v.quantity * v.unit_price) AS line_amount, NULL::bigint AS product_id,
        NULL::bigint AS category_id, coalesce(v.refunded_amount, round(v.refunded_quantity
            * coalesce(v.amount, v.quantity * v.unit_price) / v.quantity, 4)) AS back
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(kind text, sku text, title text,
        category text, quantity int, unit_price numeric, amount numeric, unit_cost numeric,
        refunded_quantity int, refunded_amount numeric, refunded_at timestamptz)
    LEFT JOIN customers_order o ON o.source_id = %(source)s AND o.external_id = r.order_number
    LEFT JOIN customers_orderline l ON l.order_id = o.id AND l.line_key = r.sku
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
"""
ORPHANS = """
    WITH gone AS (DELETE FROM import_part WHERE order_id IS NULL RETURNING row_number)
    UPDATE customers_importrow r SET reason = 'order_id: ' || %(no_order)s
    FROM gone
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = gone.row_number
"""
KEEP = """
    UPDATE import_part p SET {column} = NULL FROM customers_orderline h
    WHERE h.id = p.line_id AND {held}
"""
HELD = {"title": "h.title <> ''", "unit_cost": "h.unit_cost IS NOT NULL"}
PRODUCTS = """
    INSERT INTO customers_product (source_id, sku, title, price, currency, unit_cost, category_id)
    SELECT DISTINCT ON (p.sku) %(source)s, p.sku, coalesce(p.title, ''), p.unit_price, o.currency,
        p.unit_cost, p.category_id
    FROM import_part p JOIN customers_order o ON o.id = p.order_id
    WHERE p.line_kind = 'product'
    ORDER BY p.sku, (p.title IS NULL), (p.unit_cost IS NULL), o.placed_at DESC
    ON CONFLICT (source_id, sku) DO UPDATE
        SET title = CASE WHEN customers_product.title = '' THEN excluded.title
                ELSE customers_product.title END,
            category_id = coalesce(customers_product.category_id, excluded.category_id),
            unit_cost = coalesce(customers_product.unit_cost, excluded.unit_cost),
            updated_at = now()
        WHERE (customers_product.title = '' AND excluded.title <> '')
            OR (customers_product.category_id IS NULL AND excluded.category_id IS NOT NULL)
            OR (customers_product.unit_cost IS NULL AND excluded.unit_cost IS NOT NULL)
"""
FIND = """
    UPDATE import_part p SET product_id = g.id FROM customers_product g
    WHERE g.source_id = %(source)s AND g.sku = p.sku AND p.line_kind = 'product'
"""
UPDATE = """
    UPDATE customers_orderline l
    SET kind = n.line_kind, product_id = n.product_id, sku = n.sku, title = n.title,
        quantity = n.quantity, unit_price = n.unit_price, amount = n.amount,
        unit_cost = n.unit_cost, cost_currency = n.cost_currency,
        refunded_quantity = n.refunded_quantity
    FROM (
        SELECT h.id, p.line_kind, p.product_id, p.sku, coalesce(p.title, h.title) AS title,
            p.quantity, p.unit_price::numeric(16, 4) AS unit_price,
            p.line_amount::numeric(16, 4) AS amount,
            coalesce(p.unit_cost, h.unit_cost) AS unit_cost,
            CASE WHEN p.unit_cost IS NULL THEN h.cost_currency ELSE '' END AS cost_currency,
            least(h.refunded_quantity, p.quantity) AS refunded_quantity
        FROM import_part p JOIN customers_orderline h ON h.id = p.line_id
    ) n
    WHERE l.id = n.id AND (l.kind, l.product_id, l.sku, l.title, l.quantity, l.unit_price,
            l.amount, l.unit_cost, l.cost_currency, l.refunded_quantity)
        IS DISTINCT FROM (n.line_kind, n.product_id, n.sku, n.title, n.quantity, n.unit_price,
            n.amount, n.unit_cost, n.cost_currency, n.refunded_quantity)
    RETURNING l.id
"""
CREATE = """
    INSERT INTO customers_orderline (order_id, line_key, kind, product_id, sku, title, quantity,
        unit_price, amount, unit_cost, cost_currency)
    SELECT p.order_id, p.line_key, p.line_kind, p.product_id, p.sku,
        coalesce(p.title, g.title, ''), p.quantity, p.unit_price, p.line_amount,
        CASE WHEN p.line_kind = 'product' THEN coalesce(p.unit_cost, g.unit_cost) END,
        CASE WHEN p.line_kind = 'product' AND p.unit_cost IS NULL
            THEN coalesce(g.cost_currency, '') ELSE '' END
    FROM import_part p LEFT JOIN customers_product g ON g.id = p.product_id
    WHERE p.line_id IS NULL
    ORDER BY p.row_number
    RETURNING id
"""
REFUNDS_GONE = """
    DELETE FROM customers_refund f USING import_part p
    WHERE p.back = 0 AND coalesce(p.refunded_quantity, 0) = 0 AND f.source_id = %(source)s
        AND f.external_id = p.number || '|line|' || p.line_key
    RETURNING f.line_id
"""
REFUNDS_IN = """
    INSERT INTO customers_refund (source_id, external_id, customer_id, order_id, line_id, kind,
        refunded_at, refunded_day, sku, quantity, currency, amount, amount_shop)
    SELECT %(source)s, p.number || '|line|' || p.line_key, o.customer_id, o.id, l.id, 'return',
        p.refunded_at, (p.refunded_at AT TIME ZONE %(zone)s)::date, p.sku,
        least(coalesce(p.refunded_quantity, h.quantity, 0), l.quantity), o.currency,
        p.back, round(p.back * o.exchange_rate, 4)
    FROM import_part p
    JOIN customers_order o ON o.id = p.order_id
    JOIN customers_orderline l ON l.order_id = p.order_id AND l.line_key = p.line_key
    LEFT JOIN customers_refund h ON h.source_id = %(source)s
        AND h.external_id = p.number || '|line|' || p.line_key
    WHERE p.back > 0 OR p.refunded_quantity > 0
    ON CONFLICT (source_id, external_id) DO UPDATE SET customer_id = excluded.customer_id,
        refunded_at = excluded.refunded_at, refunded_day = excluded.refunded_day,
        quantity = excluded.quantity, amount = excluded.amount, amount_shop = excluded.amount_shop
    WHERE (customers_refund.customer_id, customers_refund.refunded_at, customers_refund.quantity,
            customers_refund.amount, customers_refund.amount_shop)
        IS DISTINCT FROM (excluded.customer_id, excluded.refunded_at, excluded.quantity,
            excluded.amount, excluded.amount_shop)
    RETURNING line_id
"""
NEW = "line_id IS NULL"
CHANGED = "line_id = ANY(%(lines)s)"
ORDERS = """
    SELECT coalesce(array_agg(DISTINCT order_id)
        FILTER (WHERE line_id IS NULL OR line_id = ANY(%(lines)s)), '{}')
    FROM import_part
"""
MARKS = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT customer_id FROM customers_order
    WHERE id = ANY(%(orders)s) AND customer_id IS NOT NULL
"""


def write_lines(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the lines of a page; an order's total stays what the order said."""
    values = page.values(no_order=NO_ORDER)
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    cursor.execute(ORPHANS, values)
    counts.reject(page.kind, cursor.rowcount)
    page.keep(cursor, KEEP, HELD)
    find_categories(cursor, values)
    cursor.execute(PRODUCTS, values)
    cursor.execute(FIND, values)
    changed: set[int] = set()
    for statement in (UPDATE, CREATE, REFUNDS_GONE, REFUNDS_IN):
        cursor.execute(statement, values)
        changed.update(row[0] for row in cursor.fetchall())
    values["lines"] = sorted(changed)
    page.settle(cursor, counts, values, new=NEW, changed=CHANGED)
    cursor.execute(ORDERS, values)
    values["orders"] = cursor.fetchone()[0]
    for statement in (NET, FOLLOW, REFUNDED, MARKS):
        cursor.execute(statement, values)
    cursor.execute("DROP TABLE import_part")
