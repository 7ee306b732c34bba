"""The statements that read rows as Huike's own files have them, column by column.

Each selects the columns of its format in their order. A person is named by the id this source
gave them and by keys that are theirs alone: who is brought in again is found again. Erased people
have no keys, so nothing names them.
"""

# Joined to a customer ``c`` in a statement about the rows of source %(source)s.
PERSON = """
    LEFT JOIN LATERAL (
        SELECT CASE WHEN c.source_id = %(source)s AND position('*' IN c.external_id) = 0
                THEN c.external_id END AS own,
            min(i.value) FILTER (WHERE i.kind = 'external_id' AND i.issuer = %(issuer)s) AS other,
            coalesce(min(i.value) FILTER (WHERE i.kind = 'email' AND i.value = c.email),
                min(i.value) FILTER (WHERE i.kind = 'email')) AS email,
            coalesce(min(i.value) FILTER (WHERE i.kind = 'phone' AND i.value = c.phone),
                min(i.value) FILTER (WHERE i.kind = 'phone')) AS phone
        FROM customers_identity i
        WHERE i.customer_id = c.id
    ) k ON c.id IS NOT NULL
"""
WHO = "coalesce(k.own, k.other)"


def _fill(statement: str) -> str:
    """Put in how a person is named."""
    return statement.replace("{who}", WHO).replace("{person}", PERSON)


CUSTOMERS = """
    SELECT t.external_id, t.name, t.email, t.phone, t.country, t.city, t.language, t.zone,
        t.birthday, t.is_test, t.is_wholesale, s.email, s.sms, s.at, s.evidence,
        t.source_updated_at, t.attributes, g.ids
    FROM customers_customer t
    LEFT JOIN LATERAL (
        -- The newest word, and what else was said with it.
        SELECT max(l.action) FILTER (WHERE l.channel = 'email') AS email,
            max(l.action) FILTER (WHERE l.channel = 'sms') AS sms, w.at,
            -- Who sees some sources only is told what was said, not where and how elsewhere.
            CASE WHEN %(sources)s::bigint[] IS NULL
                OR bool_and(w.source_id = ANY(%(sources)s::bigint[]))
                THEN w.evidence ELSE '' END AS evidence
        FROM (
            SELECT DISTINCT ON (n.channel) n.channel, n.action, n.at, n.evidence
            FROM customers_consent n
            WHERE n.customer_id = t.id AND n.topic = 'marketing' AND n.channel IN ('email', 'sms')
            ORDER BY n.channel, n.at DESC, n.id DESC
        ) l
        JOIN LATERAL (
            SELECT n.at, n.evidence, n.source_id FROM customers_consent n
            WHERE n.customer_id = t.id AND n.topic = 'marketing' AND n.channel IN ('email', 'sms')
            ORDER BY n.at DESC, n.id DESC LIMIT 1
        ) w ON (w.at, w.evidence) = (l.at, l.evidence)
        GROUP BY w.at, w.evidence
    ) s ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(f.name, f.value) AS ids FROM (
            SELECT i.kind || ':' || i.issuer AS name, min(i.value) AS value
            FROM customers_identity i
            WHERE i.customer_id = t.id AND i.kind IN ('user_id', 'marketplace', 'messenger')
            GROUP BY 1
        ) f
    ) g ON true
    WHERE t.id = ANY(%(ids)s) AND t.lifecycle = 'active'
    ORDER BY t.id
"""
ORDERS = _fill("""
    SELECT t.external_id, {who}, CASE WHEN c.lifecycle = 'active' THEN c.name END, k.email,
        k.phone, t.placed_at, t.status, t.currency, t.total, t.charges, t.shop_discount,
        t.platform_discount, t.tax, t.platform_fee, t.shipping_cost, t.deposit,
        t.deposit_paid_at, t.paid_at, t.promised_at, t.delivered_at, t.cancelled_at,
        f.amount, f.refunded_at, t.country, t.is_test, t.source_updated_at
    FROM customers_order t
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    LEFT JOIN customers_refund f
        ON f.source_id = t.source_id AND f.external_id = t.external_id || '|order'
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
# What was told in another currency than the shop counts in now has no column.
LINES = """
    SELECT o.external_id, t.line_key, t.kind, t.sku, t.title, g.external_id, t.quantity,
        t.unit_price, t.amount,
        CASE WHEN t.cost_currency IN ('', %(currency)s) THEN t.unit_cost END,
        f.quantity, f.amount, f.refunded_at
    FROM customers_orderline t
    JOIN customers_order o ON o.id = t.order_id
    LEFT JOIN customers_product p ON p.id = t.product_id
    LEFT JOIN customers_category g ON g.id = p.category_id AND g.source_id = o.source_id
    LEFT JOIN customers_refund f ON f.source_id = o.source_id
        AND f.external_id = o.external_id || '|line|' || t.line_key
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
"""
PRODUCTS = """
    SELECT t.sku, t.title, g.external_id, t.attributes->>'brand', t.price, t.currency,
        CASE WHEN t.cost_currency IN ('', %(currency)s) THEN t.unit_cost END, t.stock,
        t.is_active, t.source_updated_at
    FROM customers_product t
    LEFT JOIN customers_category g ON g.id = t.category_id AND g.source_id = t.source_id
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
"""
CATEGORIES = """
    SELECT t.external_id, t.name, u.external_id
    FROM customers_category t
    LEFT JOIN customers_category u ON u.id = t.parent_id AND u.source_id = t.source_id
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
"""
REFUNDS = _fill("""
    SELECT t.external_id, o.external_id, t.sku, t.quantity, t.amount, t.currency, t.kind,
        t.refunded_at, {who}
    FROM customers_refund t
    LEFT JOIN customers_order o ON o.id = t.order_id AND o.source_id = t.source_id
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
REVIEWS = _fill("""
    SELECT t.external_id, {who}, k.email, k.phone, p.sku, o.external_id, t.rating, t.text,
        t.written_at
    FROM customers_review t
    LEFT JOIN customers_product p ON p.id = t.product_id AND p.source_id = t.source_id
    LEFT JOIN customers_order o ON o.id = t.order_id AND o.source_id = t.source_id
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
ANSWERS = _fill("""
    SELECT t.external_id, {who}, k.email, k.phone, o.external_id, t.metric, t.value, t.comment,
        t.answered_at
    FROM customers_surveyresponse t
    LEFT JOIN customers_order o ON o.id = t.order_id AND o.source_id = t.source_id
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
TICKETS = _fill("""
    SELECT t.external_id, {who}, k.email, k.phone, o.external_id, t.subject, t.body, t.state,
        t.opened_at, t.closed_at
    FROM customers_ticket t
    LEFT JOIN customers_order o ON o.id = t.order_id AND o.source_id = t.source_id
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
CONSENTS = _fill("""
    SELECT {who}, k.email, k.phone, t.channel, t.topic, t.action, t.at, t.evidence
    FROM customers_consent t
    LEFT JOIN customers_customer c ON c.id = t.customer_id
    {person}
    WHERE t.id = ANY(%(ids)s)
    ORDER BY t.id
""")
