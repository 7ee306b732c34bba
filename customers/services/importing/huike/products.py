"""Write products: what they are called and cost, where they lie, how many are left.

A unit cost goes into lines that come later; what was sold keeps the cost it was sold at.
"""

from typing import Any

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike.kind import Page
from customers.services.importing.huike.shelves import find_categories

PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.sku, v.*, h.id AS product_id, NULL::bigint AS category_id,
        coalesce(v.updated_at < h.source_updated_at, false) AS is_older
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(title text, category text, brand text,
        price numeric, currency text, unit_cost numeric, stock int, is_active boolean,
        updated_at timestamptz)
    LEFT JOIN customers_product h ON h.source_id = %(source)s AND h.sku = r.sku
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
"""
UPDATE = """
    UPDATE customers_product g
    SET title = n.title, category_id = n.category_id, price = n.price, currency = n.currency,
        unit_cost = n.unit_cost, cost_currency = n.cost_currency, stock = n.stock,
        is_active = n.is_active,
        attributes = n.attributes, source_updated_at = n.source_updated_at, updated_at = now()
    FROM (
        SELECT h.id, coalesce(p.title, h.title) AS title,
            coalesce(p.category_id, h.category_id) AS category_id,
            coalesce(p.price, h.price)::numeric(14, 4) AS price,
            coalesce(p.currency, nullif(h.currency, ''),
                CASE WHEN p.price IS NULL THEN '' ELSE %(currency)s END) AS currency,
            coalesce(p.unit_cost, h.unit_cost)::numeric(14, 4) AS unit_cost,
            CASE WHEN p.unit_cost IS NULL THEN h.cost_currency ELSE '' END AS cost_currency,
            coalesce(p.stock, h.stock) AS stock, coalesce(p.is_active, h.is_active) AS is_active,
            h.attributes || jsonb_strip_nulls(jsonb_build_object('brand', p.brand)) AS attributes,
            coalesce(p.updated_at, h.source_updated_at) AS source_updated_at
        FROM import_part p JOIN customers_product h ON h.id = p.product_id
    ) n
    WHERE g.id = n.id AND (g.title, g.category_id, g.price, g.currency, g.unit_cost,
            g.cost_currency, g.stock, g.is_active, g.attributes, g.source_updated_at)
        IS DISTINCT FROM (n.title, n.category_id, n.price, n.currency, n.unit_cost,
            n.cost_currency, n.stock, n.is_active, n.attributes, n.source_updated_at)
    RETURNING g.id
"""
KEEP = """
    UPDATE import_part p SET {column} = NULL FROM customers_product h
    WHERE h.id = p.product_id AND {held}
"""
HELD = {
    "title": "h.title <> ''",
    "category": "h.category_id IS NOT NULL",
    "price": "h.price IS NOT NULL",
    "unit_cost": "h.unit_cost IS NOT NULL",
    "stock": "h.stock IS NOT NULL",
}
CHANGED = "product_id = ANY(%(touched)s)"
CREATE = """
    INSERT INTO customers_product (source_id, sku, title, category_id, price, currency, unit_cost,
        stock, is_active, attributes, source_updated_at)
    SELECT %(source)s, p.sku, coalesce(p.title, ''), p.category_id, p.price,
        coalesce(p.currency, CASE WHEN p.price IS NULL THEN '' ELSE %(currency)s END),
        p.unit_cost, p.stock, coalesce(p.is_active, true),
        jsonb_strip_nulls(jsonb_build_object('brand', p.brand)), p.updated_at
    FROM import_part p WHERE p.product_id IS NULL
    ORDER BY p.row_number
"""


def write_products(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the products of a page, and the categories they name."""
    values = page.values()
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    cursor.execute("DELETE FROM import_part WHERE is_older")
    counts.settle(page.kind, created=0, updated=0, unchanged=cursor.rowcount)
    page.keep(cursor, KEEP, HELD)
    find_categories(cursor, values)
    cursor.execute(UPDATE, values)
    values["touched"] = [row[0] for row in cursor.fetchall()]
    cursor.execute(CREATE, values)
    page.settle(cursor, counts, values, new="product_id IS NULL", changed=CHANGED)
    cursor.execute("DROP TABLE import_part")
