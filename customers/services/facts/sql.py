"""The one statement that computes facts, and the two that use it.

``COMPUTE`` is the definition of every column: the refresh writes what it returns, and the nightly
rebuild compares it with what is stored, so that the two can never mean different things. Each
table is read once, by an index on the chosen customers.
"""

from customers.enums import COUNTED_ORDER_STATUSES, Lifecycle, LineKind, OrderStatus, TicketState
from customers.models import CustomerFacts

NOT_COMPARED = ("customer_id", "as_of_day", "computed_at")
COLUMNS = tuple(
    str(field.column)
    for field in CustomerFacts._meta.concrete_fields
    if field.column not in NOT_COMPARED
)
"""The columns whose values make a row right or wrong."""

WINDOWS = (30, 90, 365)

# When a row of day d enters (d + 1) or leaves (d + n + 1) what a day's facts look at.
_ORDER_AGES = ",\n".join(
    f"min(placed_day + {days} + 1) FILTER (WHERE counted AND net <> 0"
    f" AND placed_day + {days} + 1 > %(as_of)s)"
    for days in (*WINDOWS, "%(window)s")
)
_REFUND_AGES = ",\n".join(
    f"min(refunded_day + {days} + 1) FILTER (WHERE refunded_day + {days} + 1 > %(as_of)s)"
    for days in WINDOWS
)
_ORDER_WINDOWS = "".join(
    f"""
    count(*) FILTER (WHERE kept AND placed_day >= %(as_of)s::date - {days}) AS orders_{days}d,
    sum(net) FILTER (WHERE counted AND placed_day >= %(as_of)s::date - {days}) AS spend_{days}d,"""
    for days in WINDOWS
)
_REFUND_WINDOWS = "".join(
    f"""
    sum(amount_shop) FILTER (WHERE refunded_day < %(as_of)s
        AND refunded_day >= %(as_of)s::date - {days}) AS back_{days}d,"""
    for days in WINDOWS
)

# Names of columns and numbers of days are put in here, never anything a person typed.
COMPUTE = f"""
chosen AS MATERIALIZED (
    SELECT id AS customer_id FROM customers_customer
    WHERE id = ANY(%(ids)s) AND lifecycle = '{Lifecycle.ACTIVE}'
),
bound AS MATERIALIZED (
    SELECT %(as_of)s::date::timestamp AT TIME ZONE %(zone)s AS moment
),
stood AS (
    SELECT o.*, o.status IN ({", ".join(f"'{status}'" for status in COUNTED_ORDER_STATUSES)})
        AS paid_for
    FROM chosen JOIN customers_order o USING (customer_id)
    WHERE NOT o.is_test
),
placed AS MATERIALIZED (
    SELECT id, customer_id, placed_at, placed_day, currency, exchange_rate, total_shop,
        refunded_shop,
        total_shop - refunded_shop AS net,
        paid_for AND total_shop IS NOT NULL AND placed_day < %(as_of)s AS counted,
        paid_for AND total_shop > refunded_shop AND placed_day < %(as_of)s AS kept,
        paid_for AND total_shop IS NULL AND placed_day < %(as_of)s AS unscored,
        status = '{OrderStatus.CANCELLED}' AND placed_day < %(as_of)s AS cancelled,
        round((platform_fee + shipping_cost) * exchange_rate, 4) AS costs,
        delivered_at, extract(epoch FROM delivered_at - promised_at) / 86400 AS delay
    FROM stood
),
orders AS (
    SELECT customer_id,
        count(*) FILTER (WHERE kept) AS order_count,
        count(DISTINCT placed_day) FILTER (WHERE kept) AS occasion_count,
        count(*) FILTER (WHERE cancelled) AS cancelled_count,
        count(*) FILTER (WHERE unscored) AS unscored_count,
        sum(total_shop) FILTER (WHERE counted) AS gross,
        sum(refunded_shop) FILTER (WHERE counted) AS refunded,
        sum(costs) FILTER (WHERE counted) AS costs,
        sum(net) FILTER (WHERE counted AND placed_day >= %(as_of)s::date - %(window)s)
            AS provisional,
        min(placed_at) FILTER (WHERE kept) AS first_order_at,
        max(placed_at) FILTER (WHERE kept) AS last_order_at,
        min(placed_day) FILTER (WHERE kept) AS first_order_day,
        max(placed_day) FILTER (WHERE kept) AS last_order_day,{_ORDER_WINDOWS}
        count(*) FILTER (WHERE counted AND delay > 0 AND delivered_at < moment) AS late_count,
        round(avg(delay) FILTER (WHERE counted AND delivered_at < moment), 6) AS delay_days,
        least({_ORDER_AGES},
            min(placed_day + 1) FILTER (WHERE placed_day >= %(as_of)s),
            min((delivered_at AT TIME ZONE %(zone)s)::date + 1)
                FILTER (WHERE counted AND delivered_at >= moment)) AS ages_on
    FROM placed CROSS JOIN bound GROUP BY customer_id
),
goods AS (
    SELECT p.customer_id,
        sum(l.quantity - l.refunded_quantity) FILTER (WHERE p.kept) AS item_count,
        count(DISTINCT l.product_id) FILTER (WHERE p.kept AND l.quantity > l.refunded_quantity)
            + count(DISTINCT l.sku) FILTER (WHERE p.kept AND l.quantity > l.refunded_quantity
                AND l.product_id IS NULL AND l.sku <> '') AS product_count,
        sum(l.unit_cost * r.rate * (l.quantity - l.refunded_quantity)) AS cost,
        count(*) FILTER (WHERE l.quantity <> l.refunded_quantity
            AND (l.unit_cost IS NULL OR r.rate IS NULL)) AS unknown_costs,
        count(DISTINCT p.id) FILTER (WHERE p.kept) AS orders_with_goods
    FROM placed p JOIN customers_orderline l ON l.order_id = p.id
    LEFT JOIN customers_exchangerate x ON l.cost_currency NOT IN ('', %(currency)s)
        AND x.currency = l.cost_currency AND x.shop_currency = %(currency)s
        AND x.day = p.placed_day
    CROSS JOIN LATERAL (SELECT CASE WHEN l.cost_currency IN ('', %(currency)s) THEN 1
        WHEN l.cost_currency = p.currency THEN p.exchange_rate ELSE x.rate END AS rate) r
    WHERE p.counted AND l.kind = '{LineKind.PRODUCT}'
    GROUP BY p.customer_id
),
matched AS (
    SELECT p.customer_id,
        count(*) FILTER (WHERE r.refunded_day < %(as_of)s) AS refund_count,
        min(r.refunded_day + 1) FILTER (WHERE r.refunded_day >= %(as_of)s) AS ages_on
    FROM placed p JOIN customers_refund r ON r.order_id = p.id
    WHERE p.counted AND r.amount_shop IS NOT NULL
    GROUP BY p.customer_id
),
unmatched AS (
    SELECT customer_id,
        count(*) FILTER (WHERE refunded_day < %(as_of)s) AS refund_count,{_REFUND_WINDOWS}
        sum(amount_shop) FILTER (WHERE refunded_day < %(as_of)s) AS total,
        least({_REFUND_AGES},
            min(refunded_day + 1) FILTER (WHERE refunded_day >= %(as_of)s)) AS ages_on
    FROM chosen JOIN customers_refund USING (customer_id)
    WHERE order_id IS NULL AND amount_shop IS NOT NULL
    GROUP BY customer_id
),
reviews AS (
    SELECT customer_id, count(*) FILTER (WHERE written_at < moment) AS review_count,
        round(avg(rating) FILTER (WHERE written_at < moment), 6) AS rating_mean,
        min((written_at AT TIME ZONE %(zone)s)::date + 1) FILTER (WHERE written_at >= moment)
            AS ages_on
    FROM chosen JOIN customers_review USING (customer_id) CROSS JOIN bound GROUP BY customer_id
),
answers AS (
    SELECT customer_id, count(*) FILTER (WHERE answered_at < moment) AS survey_count,
        min((answered_at AT TIME ZONE %(zone)s)::date + 1) FILTER (WHERE answered_at >= moment)
            AS ages_on
    FROM chosen JOIN customers_surveyresponse USING (customer_id) CROSS JOIN bound
    GROUP BY customer_id
),
tickets AS (
    SELECT customer_id, count(*) FILTER (WHERE opened_at < moment) AS ticket_count,
        count(*) FILTER (WHERE opened_at < moment AND state <> '{TicketState.CLOSED}')
            AS open_ticket_count,
        min((opened_at AT TIME ZONE %(zone)s)::date + 1) FILTER (WHERE opened_at >= moment)
            AS ages_on
    FROM chosen JOIN customers_ticket USING (customer_id) CROSS JOIN bound GROUP BY customer_id
),
computed AS MATERIALIZED (
    SELECT c.customer_id,
        least(o.ages_on, m.ages_on, u.ages_on, v.ages_on, a.ages_on, t.ages_on) AS ages_on,
        coalesce(o.order_count, 0)::int AS order_count,
        coalesce(o.occasion_count, 0)::int AS occasion_count,
        coalesce(o.cancelled_count, 0)::int AS cancelled_count,
        coalesce(o.unscored_count, 0)::int AS unscored_count,
        coalesce(g.item_count, 0)::int AS item_count,
        coalesce(g.product_count, 0)::int AS product_count,
        coalesce(o.gross, 0)::numeric(16, 4) AS gross_spend,
        (coalesce(o.refunded, 0) + coalesce(u.total, 0))::numeric(16, 4) AS refund_total,
        (coalesce(m.refund_count, 0) + coalesce(u.refund_count, 0))::int AS refund_count,
        (coalesce(o.gross, 0) - coalesce(o.refunded, 0) - coalesce(u.total, 0))::numeric(16, 4)
            AS total_spend,
        coalesce(o.provisional, 0)::numeric(16, 4) AS provisional_spend,
        CASE WHEN o.order_count > 0 AND g.unknown_costs = 0
                AND g.orders_with_goods = o.order_count
            THEN (o.gross - o.refunded - coalesce(u.total, 0) - o.costs - coalesce(g.cost, 0))
                ::numeric(16, 4) END AS margin,
        o.first_order_at, o.last_order_at, o.first_order_day, o.last_order_day,
        coalesce(o.orders_30d, 0)::int AS orders_30d,
        coalesce(o.orders_90d, 0)::int AS orders_90d,
        coalesce(o.orders_365d, 0)::int AS orders_365d,
        (coalesce(o.spend_30d, 0) - coalesce(u.back_30d, 0))::numeric(16, 4) AS spend_30d,
        (coalesce(o.spend_90d, 0) - coalesce(u.back_90d, 0))::numeric(16, 4) AS spend_90d,
        (coalesce(o.spend_365d, 0) - coalesce(u.back_365d, 0))::numeric(16, 4) AS spend_365d,
        coalesce(o.late_count, 0)::int AS late_delivery_count,
        o.delay_days::float8 AS delivery_delay_days,
        coalesce(v.review_count, 0)::int AS review_count,
        v.rating_mean::float8 AS rating_mean,
        coalesce(a.survey_count, 0)::int AS survey_count,
        coalesce(t.ticket_count, 0)::int AS ticket_count,
        coalesce(t.open_ticket_count, 0)::int AS open_ticket_count
    FROM chosen c
        LEFT JOIN orders o USING (customer_id)
        LEFT JOIN goods g USING (customer_id)
        LEFT JOIN matched m USING (customer_id)
        LEFT JOIN unmatched u USING (customer_id)
        LEFT JOIN reviews v USING (customer_id)
        LEFT JOIN answers a USING (customer_id)
        LEFT JOIN tickets t USING (customer_id)
)
"""  # noqa: S608 - enum values and column names only

_NAMES = ", ".join(COLUMNS)
_UPSERT = f"""
    INSERT INTO customers_customerfacts (customer_id, as_of_day, computed_at, {_NAMES})
    SELECT customer_id, %(as_of)s::date, %(now)s::timestamptz, {_NAMES}
    FROM computed ORDER BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET as_of_day = excluded.as_of_day,
        computed_at = excluded.computed_at, {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({", ".join(f"customers_customerfacts.{c}" for c in COLUMNS)})
        IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""  # noqa: S608 - column names only

WRITE = f"WITH {COMPUTE} {_UPSERT}"

COMPARE_AND_WRITE = f"""
WITH {COMPUTE},
drifted AS MATERIALIZED (
    SELECT c.customer_id, CASE WHEN f.customer_id IS NULL THEN ARRAY['missing row']
        ELSE array_remove(ARRAY[
            {", ".join(f"CASE WHEN f.{c} IS DISTINCT FROM c.{c} THEN '{c}' END" for c in COLUMNS)}
        ], NULL) END AS columns
    FROM computed c LEFT JOIN customers_customerfacts f USING (customer_id)
    WHERE ({", ".join(f"f.{c}" for c in COLUMNS)})
            IS DISTINCT FROM ({", ".join(f"c.{c}" for c in COLUMNS)})
        AND (f.ages_on IS NULL OR f.ages_on > %(as_of)s)
        AND NOT EXISTS (SELECT FROM customers_factsmark k WHERE k.customer_id = c.customer_id)
),
written AS ({_UPSERT})
SELECT u.public_id, d.columns FROM drifted d JOIN customers_customer u ON u.id = d.customer_id
ORDER BY d.customer_id
"""  # noqa: S608 - column names only

DROP_INACTIVE = f"""
DELETE FROM customers_customerfacts f USING customers_customer c
WHERE c.id = f.customer_id AND c.id = ANY(%(ids)s) AND c.lifecycle <> '{Lifecycle.ACTIVE}'
"""  # noqa: S608 - enum values only

TAKE_MARKS = """
DELETE FROM customers_factsmark WHERE id IN (
    SELECT id FROM customers_factsmark WHERE customer_id IN (
        SELECT customer_id FROM customers_factsmark ORDER BY id LIMIT %(limit)s
    ) FOR UPDATE SKIP LOCKED
) RETURNING customer_id
"""
