"""Write refunds: each nets its order, and the order's lines of the article it names.

One whose order is unknown is kept as unmatched; it finds the order when the row comes again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike import people
from customers.services.importing.huike.kind import Page
from customers.services.importing.huike.netting import NET
from customers.services.importing.huike.orders import FOLLOW, REFUNDED

OTHER_CURRENCY = gettext_noop("not the order's currency; write the amount in that one")
TOO_MUCH = gettext_noop("more refunded than sold")

PART = people.fill("""
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.sku AS key, coalesce(v.sku, h.sku, '') AS sku,
        coalesce(v.quantity, h.quantity, 0) AS quantity, v.amount::numeric(16, 4) AS amount,
        coalesce(v.kind, h.kind, CASE WHEN v.quantity > 0 THEN 'return' ELSE 'refund_only' END)
            AS kind,
        v.refunded_at, (v.refunded_at AT TIME ZONE %(zone)s)::date AS refunded_day,
        coalesce(v.currency, o.currency, h.currency, %(currency)s) AS currency,
        o.id AS order_id, o.exchange_rate AS order_rate,
        v.currency IS NOT NULL AND v.currency <> o.currency AS is_other_currency,
        CASE WHEN o.id IS NULL THEN coalesce({found}, h.customer_id) ELSE o.customer_id END
            AS customer_id,
        v.customer_key IS NOT NULL AND {found} IS NULL AS names_nobody,
        h.id AS held_id, h.customer_id AS held_by, h.order_id AS held_order
    FROM customers_importrow r
    CROSS JOIN LATERAL (
        SELECT x.*, NULL::text AS email, NULL::text AS phone
        FROM jsonb_to_record(r.parsed) AS x(order_id text, sku text, quantity int, amount numeric,
            currency text, kind text, refunded_at timestamptz, customer_key text)
    ) v
    LEFT JOIN customers_refund h ON h.source_id = %(source)s AND h.external_id = r.sku
    LEFT JOIN customers_order n ON n.source_id = %(source)s AND n.external_id = v.order_id
    LEFT JOIN customers_order o ON o.id = coalesce(n.id, h.order_id)
    {joins}
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
""")
WANTED = """
    SELECT p.row_number, p.order_id, p.sku, p.amount,
        CASE WHEN p.kind = 'refund_only' THEN 0 ELSE p.quantity END, p.is_other_currency,
        h.order_id, h.sku, coalesce(h.amount, 0),
        CASE WHEN h.kind = 'refund_only' THEN 0 ELSE coalesce(h.quantity, 0) END
    FROM import_part p LEFT JOIN customers_refund h ON h.id = p.held_id
    WHERE p.order_id IS NOT NULL
    ORDER BY p.row_number
"""
PAID = """
    SELECT o.id, o.total, coalesce(sum(f.amount), 0)
    FROM customers_order o LEFT JOIN customers_refund f ON f.order_id = o.id
    WHERE o.id IN (SELECT order_id FROM import_part)
    GROUP BY o.id
"""
SOLD = """
    WITH sold AS (
        SELECT order_id, sku, sum(quantity) AS quantity FROM customers_orderline
        WHERE order_id IN (SELECT order_id FROM import_part) GROUP BY order_id, sku
    ), back AS (
        SELECT f.order_id, coalesce(l.sku, f.sku) AS sku, sum(f.quantity) AS quantity
        FROM customers_refund f LEFT JOIN customers_orderline l ON l.id = f.line_id
        WHERE f.order_id IN (SELECT order_id FROM import_part) AND f.kind <> 'refund_only'
        GROUP BY 1, 2
    )
    SELECT order_id, sku, sold.quantity, coalesce(back.quantity, 0)
    FROM sold LEFT JOIN back USING (order_id, sku)
"""
REJECT = """
    WITH told AS (
        SELECT * FROM unnest(%(rows)s::bigint[], %(reasons)s::text[]) AS g(row_number, reason)
    ), gone AS (
        DELETE FROM import_part p USING told WHERE p.row_number = told.row_number
    )
    UPDATE customers_importrow r SET reason = told.reason
    FROM told
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = told.row_number
"""
# In the order's currency a refund goes back at the order's rate, otherwise at its own day's.
RATED = """
    SELECT p.*, round(p.amount * CASE
        WHEN p.order_id IS NOT NULL THEN p.order_rate
        WHEN p.currency = %(currency)s THEN 1
        ELSE x.rate END, 4) AS amount_shop
    FROM import_part p
    LEFT JOIN customers_exchangerate x ON x.currency = p.currency
        AND x.shop_currency = %(currency)s AND x.day = p.refunded_day
"""
UPDATE = """
    UPDATE customers_refund f
    SET customer_id = n.customer_id, order_id = n.order_id, kind = n.kind,
        refunded_at = n.refunded_at, refunded_day = n.refunded_day, sku = n.sku,
        quantity = n.quantity, currency = n.currency, amount = n.amount,
        amount_shop = n.amount_shop
    FROM ({rated}) n
    WHERE f.id = n.held_id AND (f.customer_id, f.order_id, f.kind, f.refunded_at, f.refunded_day,
            f.sku, f.quantity, f.currency, f.amount, f.amount_shop)
        IS DISTINCT FROM (n.customer_id, n.order_id, n.kind, n.refunded_at, n.refunded_day,
            n.sku, n.quantity, n.currency, n.amount, n.amount_shop)
    RETURNING f.id
""".replace("{rated}", RATED)
CREATE = """
    INSERT INTO customers_refund (source_id, external_id, customer_id, order_id, kind,
        refunded_at, refunded_day, sku, quantity, currency, amount, amount_shop)
    SELECT %(source)s, n.key, n.customer_id, n.order_id, n.kind, n.refunded_at, n.refunded_day,
        n.sku, n.quantity, n.currency, n.amount, n.amount_shop
    FROM ({rated}) n WHERE n.held_id IS NULL
    ORDER BY n.row_number
""".replace("{rated}", RATED)
CHANGED = "held_id = ANY(%(changed)s)"
NAMED = """
    SELECT count(*) FILTER (WHERE order_id IS NULL),
        count(*) FILTER (WHERE order_id IS NULL AND names_nobody),
        count(*) FILTER (WHERE order_id IS NOT NULL AND sku <> '' AND NOT EXISTS (
            SELECT 1 FROM customers_orderline l
            WHERE l.order_id = import_part.order_id AND l.sku = import_part.sku))
    FROM import_part
"""
TOUCHED = """
    SELECT coalesce(array_agg(DISTINCT t.id) FILTER (WHERE t.id IS NOT NULL), '{}')
    FROM import_part p CROSS JOIN LATERAL (VALUES (p.order_id), (p.held_order)) AS t(id)
    WHERE p.held_id IS NULL OR p.held_id = ANY(%(changed)s)
"""
MARKS = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT b.customer_id FROM import_part p
    CROSS JOIN LATERAL (VALUES (p.customer_id), (p.held_by)) AS b(customer_id)
    WHERE b.customer_id IS NOT NULL AND (p.held_id IS NULL OR p.held_id = ANY(%(changed)s))
    UNION
    SELECT customer_id FROM customers_order
    WHERE id = ANY(%(orders)s) AND customer_id IS NOT NULL
"""


def write_refunds(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the refunds of a page; reject what would give back more than was sold."""
    values = page.values()
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    rejected = dict(_refused(cursor))
    values |= {"rows": list(rejected), "reasons": list(rejected.values())}
    cursor.execute(REJECT, values)
    counts.reject(page.kind, len(rejected))
    cursor.execute(UPDATE, values)
    values["changed"] = sorted(row[0] for row in cursor.fetchall())
    cursor.execute(CREATE, values)
    page.settle(cursor, counts, values, new="held_id IS NULL", changed=CHANGED)
    cursor.execute(NAMED)
    unmatched, nobody, unknown = cursor.fetchone()
    cursor.execute(TOUCHED, values)
    values["orders"] = cursor.fetchone()[0]
    for statement in (NET, FOLLOW, REFUNDED, MARKS):
        cursor.execute(statement, values)
    cursor.execute("DROP TABLE import_part")
    counts.add_notes(
        unmatched_refunds=unmatched, unknown_customers=nobody, unknown_products=unknown
    )


@dataclass
class _Limit:
    """How much there was, and how much of it has gone back."""

    most: Decimal
    back: Decimal

    def allows(self, more: Decimal) -> bool:
        """Tell whether so much more may go back; less is always possible."""
        return more <= 0 or self.back + more <= self.most


def _refused(cursor: Any) -> Iterator[tuple[int, str]]:
    """Yield the rows that cannot be, with the reason.

    Row after row, as if each came alone: what a page holds must not decide which row is refused.
    """
    cursor.execute(PAID)
    paid = {order: _Limit(total, back) for order, total, back in cursor.fetchall()}
    cursor.execute(SOLD)
    sold = {(order, sku): _Limit(*limit) for order, sku, *limit in cursor.fetchall()}
    cursor.execute(WANTED)
    for row in cursor.fetchall():
        number, order, sku, amount, quantity, is_other, held_order, held_sku, held, pieces = row
        if is_other:
            yield number, f"currency: {OTHER_CURRENCY}"
            continue
        # What the row gave back so far is taken out of both limits, and what it says put in.
        moves = (
            (paid, order, amount, held_order, held, "amount"),
            (sold, (order, sku), quantity, (held_order, held_sku), pieces, "quantity"),
        )
        over = ""
        for limits, target, new, before, old, column in moves:
            more = new - old if target == before else new
            if target in limits and not limits[target].allows(more):
                over = over or f"{column}: {TOO_MUCH}"
        if over:
            yield number, over
            continue
        for limits, target, new, before, old, _column in moves:
            for place, change in ((before, -old), (target, new)):
                if place in limits:
                    limits[place].back += change
