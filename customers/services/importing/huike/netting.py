"""What came back of each line of an order, from all refunds the record holds of it."""

# A refund of a line counts on it. One that names an order and an article fills the order's lines
# of that article in the order of their ids, each up to what it came to: whatever came first, the
# same refunds give the same lines. Money without goods takes no pieces back.
NET = """
    WITH line AS (
        SELECT l.id, l.order_id, l.sku, l.line_key, l.quantity, l.amount,
            least(coalesce(sum(f.quantity) FILTER (WHERE f.kind <> 'refund_only'), 0), l.quantity)
                AS own_quantity,
            coalesce(sum(f.amount), 0) AS own_amount
        FROM customers_orderline l LEFT JOIN customers_refund f ON f.line_id = l.id
        WHERE l.order_id = ANY(%(orders)s)
        GROUP BY l.id
    ), room AS (
        SELECT id, order_id, sku, own_quantity, own_amount, quantity - own_quantity AS quantity,
            greatest(amount - own_amount, 0) AS amount,
            sum(quantity - own_quantity) OVER before AS quantity_so_far,
            sum(greatest(amount - own_amount, 0)) OVER before AS amount_so_far
        FROM line WINDOW before AS (PARTITION BY order_id, sku ORDER BY line_key)
    ), pool AS (
        SELECT order_id, sku, sum(amount) AS amount,
            coalesce(sum(quantity) FILTER (WHERE kind <> 'refund_only'), 0) AS quantity
        FROM customers_refund
        WHERE order_id = ANY(%(orders)s) AND line_id IS NULL AND sku <> ''
        GROUP BY order_id, sku
    ), back AS (
        SELECT r.id, r.own_quantity + greatest(least(r.quantity,
                coalesce(p.quantity, 0) - (r.quantity_so_far - r.quantity)), 0) AS quantity,
            r.own_amount + greatest(least(r.amount,
                coalesce(p.amount, 0) - (r.amount_so_far - r.amount)), 0) AS amount
        FROM room r LEFT JOIN pool p USING (order_id, sku)
    )
    UPDATE customers_orderline l SET refunded_quantity = b.quantity, refunded_amount = b.amount
    FROM back b
    WHERE l.id = b.id AND (l.refunded_quantity, l.refunded_amount)
        IS DISTINCT FROM (b.quantity::int, b.amount)
"""
