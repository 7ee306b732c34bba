"""Write orders: who placed them, what they came to, what was refunded without goods."""

from typing import Any

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike.kind import Page

PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.order_number AS number, v.*,
        (v.placed_at AT TIME ZONE %(zone)s)::date AS placed_day,
        o.id AS order_id, o.customer_id AS held_by, NULL::bigint AS customer_id,
        coalesce(v.updated_at < o.source_updated_at, false) AS is_older, false AS is_new
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(customer_key text,
        customer_name text, email text, phone text, placed_at timestamptz, status text,
        currency text, total numeric, charges numeric, shop_discount numeric,
        platform_discount numeric, tax numeric, platform_fee numeric, shipping_cost numeric,
        deposit numeric, deposit_paid_at timestamptz, paid_at timestamptz,
        promised_at timestamptz, delivered_at timestamptz, cancelled_at timestamptz,
        refunded_amount numeric, refunded_at timestamptz, country text, is_test boolean,
        updated_at timestamptz)
    LEFT JOIN customers_order o
        ON o.source_id = %(source)s AND o.external_id = r.order_number
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
"""
KEEP = """
    UPDATE import_part p SET {column} = NULL FROM customers_order h
    WHERE h.id = p.order_id AND {held}
"""
HELD = {
    "status": "true",
    "promised_at": "h.promised_at IS NOT NULL",
    "delivered_at": "h.delivered_at IS NOT NULL",
    "country": "h.country <> ''",
}
# A new id of somebody who is known by e-mail or phone, and has no id of this source yet.
RECOGNISE = """
    INSERT INTO customers_identity (customer_id, issuer, kind, value)
    SELECT DISTINCT ON (i.customer_id) i.customer_id, %(issuer)s, 'external_id', p.customer_key
    FROM import_part p
    JOIN customers_identity i ON i.issuer = ''
        AND ((i.kind = 'email' AND i.value = p.email) OR (i.kind = 'phone' AND i.value = p.phone))
    WHERE p.customer_key IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM customers_customer c
            WHERE c.source_id = %(source)s AND c.external_id = p.customer_key)
        AND NOT EXISTS (
            SELECT 1 FROM customers_identity h
            WHERE h.customer_id = i.customer_id AND h.issuer = %(issuer)s
                AND h.kind = 'external_id')
    ORDER BY i.customer_id, (i.kind = 'phone'), p.row_number
    ON CONFLICT (issuer, kind, value) DO NOTHING
"""
BY_KEY = """
    WITH wanted AS (
        SELECT DISTINCT ON (p.customer_key) p.customer_key, p.customer_name, p.country,
            p.placed_at
        FROM import_part p
        WHERE p.customer_key IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM customers_identity i WHERE i.issuer = %(issuer)s
                AND i.kind = 'external_id' AND i.value = p.customer_key)
        ORDER BY p.customer_key, p.placed_at, p.row_number
    ), made AS (
        INSERT INTO customers_customer (source_id, external_id, name, country)
        SELECT %(source)s, customer_key, coalesce(customer_name, ''), coalesce(country, '')
        FROM wanted
        ORDER BY placed_at, customer_key
        ON CONFLICT (source_id, external_id) DO UPDATE SET external_id = excluded.external_id
        RETURNING id, merged_into_id, external_id
    )
    INSERT INTO customers_identity (customer_id, issuer, kind, value)
    SELECT coalesce(merged_into_id, id), %(issuer)s, 'external_id', external_id FROM made
    ON CONFLICT (issuer, kind, value) DO NOTHING
"""
# %(kind)s is “email” or “phone”: those who gave no id are known by it.
BY_CONTACT = """
    WITH wanted AS (
        SELECT DISTINCT ON (p.{kind}) p.{kind} AS contact, p.customer_name, p.country,
            p.placed_at
        FROM import_part p
        WHERE p.customer_key IS NULL AND {alone} AND p.{kind} IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM customers_identity i
            WHERE i.issuer = '' AND i.kind = '{kind}' AND i.value = p.{kind})
        ORDER BY p.{kind}, p.placed_at, p.row_number
    ), made AS (
        INSERT INTO customers_customer (source_id, {kind}, name, country)
        SELECT %(source)s, contact, coalesce(customer_name, ''), coalesce(country, '') FROM wanted
        ORDER BY placed_at, contact
        RETURNING id, {kind} AS contact
    )
    INSERT INTO customers_identity (customer_id, issuer, kind, value)
    SELECT id, '', '{kind}', contact FROM made
"""
FIND = """
    UPDATE import_part p SET customer_id = coalesce(
        (SELECT i.customer_id FROM customers_identity i WHERE i.issuer = %(issuer)s
            AND i.kind = 'external_id' AND i.value = p.customer_key),
        (SELECT i.customer_id FROM customers_identity i WHERE p.customer_key IS NULL
            AND i.issuer = '' AND i.kind = 'email' AND i.value = p.email),
        (SELECT i.customer_id FROM customers_identity i WHERE p.customer_key IS NULL
            AND p.email IS NULL AND i.issuer = '' AND i.kind = 'phone' AND i.value = p.phone))
"""
# A contact that is nobody's becomes the buyer's; the profile takes it where it has none.
LEARN = """
    WITH learned AS (
        INSERT INTO customers_identity (customer_id, issuer, kind, value)
        SELECT DISTINCT ON ({kind}) customer_id, '', '{kind}', {kind} FROM import_part
        WHERE customer_id IS NOT NULL AND {kind} IS NOT NULL
        ORDER BY {kind}, row_number
        ON CONFLICT (issuer, kind, value) DO NOTHING
        RETURNING customer_id, value
    )
    UPDATE customers_customer c SET {kind} = l.value, updated_at = now()
    FROM learned l WHERE c.id = l.customer_id AND c.{kind} = ''
"""
UPDATE = """
    UPDATE customers_order o
    SET customer_id = n.customer_id, status = n.status, placed_at = n.placed_at,
        placed_day = n.placed_day, paid_at = n.paid_at, promised_at = n.promised_at,
        delivered_at = n.delivered_at, cancelled_at = n.cancelled_at, currency = n.currency,
        exchange_rate = n.rate, total = n.total, total_shop = round(n.total * n.rate, 4),
        refunded_shop = round(o.refunded * coalesce(n.rate, 0), 4), charges = n.charges,
        shop_discount = n.shop_discount, platform_discount = n.platform_discount, tax = n.tax,
        platform_fee = n.platform_fee, shipping_cost = n.shipping_cost, deposit = n.deposit,
        deposit_paid_at = n.deposit_paid_at, country = n.country, is_test = n.is_test,
        source_updated_at = n.source_updated_at, updated_at = now()
    FROM (
        SELECT h.id, coalesce(p.customer_id, h.customer_id) AS customer_id,
            coalesce(p.status, h.status) AS status, p.placed_at, p.placed_day,
            coalesce(p.paid_at, h.paid_at) AS paid_at,
            coalesce(p.promised_at, h.promised_at) AS promised_at,
            coalesce(p.delivered_at, h.delivered_at) AS delivered_at,
            coalesce(p.cancelled_at, h.cancelled_at) AS cancelled_at,
            coalesce(p.currency, h.currency) AS currency,
            CASE WHEN coalesce(p.currency, h.currency) = %(currency)s THEN 1
                WHEN coalesce(p.currency, h.currency) = h.currency AND h.placed_day = p.placed_day
                    THEN coalesce(x.rate, h.exchange_rate)
                ELSE x.rate END::numeric(20, 10) AS rate,
            p.total::numeric(16, 4) AS total, coalesce(p.charges, h.charges) AS charges,
            coalesce(p.shop_discount, h.shop_discount) AS shop_discount,
            coalesce(p.platform_discount, h.platform_discount) AS platform_discount,
            coalesce(p.tax, h.tax) AS tax, coalesce(p.platform_fee, h.platform_fee) AS platform_fee,
            coalesce(p.shipping_cost, h.shipping_cost) AS shipping_cost,
            coalesce(p.deposit, h.deposit) AS deposit,
            coalesce(p.deposit_paid_at, h.deposit_paid_at) AS deposit_paid_at,
            coalesce(p.country, h.country) AS country, coalesce(p.is_test, h.is_test) AS is_test,
            coalesce(p.updated_at, h.source_updated_at) AS source_updated_at
        FROM import_part p JOIN customers_order h ON h.id = p.order_id
        LEFT JOIN customers_exchangerate x ON x.currency = coalesce(p.currency, h.currency)
            AND x.shop_currency = %(currency)s AND x.day = p.placed_day
        WHERE NOT p.is_older
    ) n
    WHERE o.id = n.id AND (o.customer_id, o.status, o.placed_at, o.placed_day, o.paid_at,
            o.promised_at, o.delivered_at, o.cancelled_at, o.currency, o.exchange_rate, o.total,
            o.charges, o.shop_discount, o.platform_discount, o.tax, o.platform_fee,
            o.shipping_cost, o.deposit, o.deposit_paid_at, o.country, o.is_test,
            o.source_updated_at)
        IS DISTINCT FROM (n.customer_id, n.status, n.placed_at, n.placed_day, n.paid_at,
            n.promised_at, n.delivered_at, n.cancelled_at, n.currency, n.rate, n.total,
            n.charges, n.shop_discount, n.platform_discount, n.tax, n.platform_fee,
            n.shipping_cost, n.deposit, n.deposit_paid_at, n.country, n.is_test,
            n.source_updated_at)
    RETURNING o.id
"""
CREATE = """
    WITH made AS (
        INSERT INTO customers_order (source_id, external_id, customer_id, status, placed_at,
            placed_day, paid_at, promised_at, delivered_at, cancelled_at, currency, exchange_rate,
            total, total_shop, charges, shop_discount, platform_discount, tax, platform_fee,
            shipping_cost, deposit, deposit_paid_at, country, is_test, source_updated_at)
        SELECT %(source)s, p.number, p.customer_id, coalesce(p.status, 'paid'), p.placed_at,
            p.placed_day, p.paid_at, p.promised_at, p.delivered_at, p.cancelled_at, u.currency,
            u.rate, p.total, round(p.total * u.rate, 4), coalesce(p.charges, 0),
            coalesce(p.shop_discount, 0), coalesce(p.platform_discount, 0), coalesce(p.tax, 0),
            coalesce(p.platform_fee, 0), coalesce(p.shipping_cost, 0), coalesce(p.deposit, 0),
            p.deposit_paid_at, coalesce(p.country, ''), coalesce(p.is_test, false), p.updated_at
        FROM import_part p
        CROSS JOIN LATERAL (
            SELECT coalesce(p.currency, %(currency)s) AS currency,
                CASE WHEN coalesce(p.currency, %(currency)s) = %(currency)s THEN 1
                    ELSE (SELECT x.rate FROM customers_exchangerate x WHERE x.currency = p.currency
                        AND x.shop_currency = %(currency)s AND x.day = p.placed_day)
                END AS rate
        ) u
        WHERE p.order_id IS NULL
        ORDER BY p.row_number
        RETURNING id, external_id
    )
    UPDATE import_part p SET order_id = made.id, is_new = true
    FROM made WHERE p.number = made.external_id
"""
REFUNDS_GONE = """
    DELETE FROM customers_refund f USING import_part p
    WHERE p.refunded_amount = 0 AND NOT p.is_older AND f.source_id = %(source)s
        AND f.external_id = p.number || '|order'
    RETURNING p.order_id
"""
REFUNDS_IN = """
    INSERT INTO customers_refund (source_id, external_id, customer_id, order_id, kind,
        refunded_at, refunded_day, currency, amount, amount_shop)
    SELECT %(source)s, p.number || '|order', o.customer_id, o.id, 'refund_only',
        p.refunded_at, (p.refunded_at AT TIME ZONE %(zone)s)::date, o.currency,
        p.refunded_amount, round(p.refunded_amount * o.exchange_rate, 4)
    FROM import_part p JOIN customers_order o ON o.id = p.order_id
    WHERE p.refunded_amount > 0 AND NOT p.is_older
    ON CONFLICT (source_id, external_id) DO UPDATE SET customer_id = excluded.customer_id,
        refunded_at = excluded.refunded_at, refunded_day = excluded.refunded_day,
        currency = excluded.currency, amount = excluded.amount, amount_shop = excluded.amount_shop
    WHERE (customers_refund.customer_id, customers_refund.refunded_at, customers_refund.currency,
            customers_refund.amount, customers_refund.amount_shop)
        IS DISTINCT FROM (excluded.customer_id, excluded.refunded_at, excluded.currency,
            excluded.amount, excluded.amount_shop)
    RETURNING order_id
"""
# What came back of an order follows it to its buyer, at its rate.
FOLLOW = """
    UPDATE customers_refund f
    SET customer_id = o.customer_id, amount_shop = round(f.amount * o.exchange_rate, 4)
    FROM customers_order o
    WHERE o.id = ANY(%(orders)s) AND f.order_id = o.id AND f.currency = o.currency
        AND (f.customer_id, f.amount_shop)
            IS DISTINCT FROM (o.customer_id, round(f.amount * o.exchange_rate, 4))
"""
REFUNDED = """
    UPDATE customers_order o
    SET refunded = s.amount, refunded_shop = coalesce(round(s.amount * o.exchange_rate, 4), 0),
        updated_at = now()
    FROM (
        SELECT g.id, coalesce(sum(f.amount), 0) AS amount
        FROM unnest(%(orders)s::bigint[]) AS g(id)
        LEFT JOIN customers_refund f ON f.order_id = g.id GROUP BY g.id
    ) s
    WHERE o.id = s.id AND o.refunded <> s.amount
"""
CHANGED = "order_id = ANY(%(orders)s)"
MARKS = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT b.customer_id
    FROM import_part p JOIN customers_order o ON o.id = p.order_id
    CROSS JOIN LATERAL (VALUES (o.customer_id), (p.held_by)) AS b(customer_id)
    WHERE b.customer_id IS NOT NULL AND (p.is_new OR o.id = ANY(%(orders)s))
"""


def write_orders(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the orders of a page, their buyers, and refunds without goods."""
    values = page.values()
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    page.keep(cursor, KEEP, HELD)
    _find_buyers(cursor, values)
    page.take_consent(cursor)
    changed: set[int] = set()
    cursor.execute(UPDATE, values)
    changed.update(row[0] for row in cursor.fetchall())
    cursor.execute(CREATE, values)
    for statement in (REFUNDS_GONE, REFUNDS_IN):
        cursor.execute(statement, values)
        changed.update(row[0] for row in cursor.fetchall())
    values["orders"] = sorted(changed)
    cursor.execute(FOLLOW, values)
    cursor.execute(REFUNDED, values)
    page.settle(cursor, counts, values, new="is_new", changed=CHANGED)
    cursor.execute(MARKS, values)
    cursor.execute("DROP TABLE import_part")


def _find_buyers(cursor: Any, values: dict[str, Any]) -> None:
    """Find or make the customer of each order; an order without id and contact is a guest's.

    What one row of the page tells about a person, the others know.
    """
    learn = [LEARN.format(kind=kind) for kind in ("email", "phone")]
    by_email = BY_CONTACT.format(kind="email", alone="true")
    by_phone = BY_CONTACT.format(kind="phone", alone="p.email IS NULL")
    known = (FIND, *learn)
    by_key = (RECOGNISE, BY_KEY)
    for statement in (*known, by_email, *known, *by_key, *known, by_phone, FIND):
        cursor.execute(statement, values)
