"""The statement that says what happened to each customer by day, and those that use it.

As with facts, the refresh writes what ``COMPUTE`` returns and the nightly rebuild compares it with
what is stored. Nothing here depends on today: whoever reads chooses the day.

Purchases stand as they were made, and beside them what came back, with the day it was known: an
order that was paid and later cancelled comes back whole. A refund that found no order (a
hand-written credit, say) counts on its own day: where it undoes an order of that day the two cancel
out, and a day without an order is no occasion anyway. An order is said to have been returned once,
on the day of its first refund. Costs are those of orders as they were placed: what came back later
is not taken off, so that nobody looks ahead.
"""

from customers.enums import ANSWER_KINDS, COUNTED_ORDER_STATUSES, Lifecycle, LineKind, OrderStatus
from customers.models import CustomerDays

COLUMNS = tuple(
    str(field.column)
    for field in CustomerDays._meta.concrete_fields
    if field.column != "customer_id"
)
_REVIEW, _CSAT, _NPS, _CES = range(len(ANSWER_KINDS))
_COUNTED = ", ".join(f"'{status}'" for status in COUNTED_ORDER_STATUSES)


def _local(moment: str) -> str:
    return f"({moment} AT TIME ZONE %(zone)s)::date"


def _since_epoch(day: str) -> str:
    return f"({day} - date '1970-01-01')"


def _arrays(order: str, **columns: str) -> str:
    return ", ".join(
        f"array_agg({value} ORDER BY {order}) AS {name}" for name, value in columns.items()
    )


# Names of columns and of enums are put in here, never anything a person typed.
COMPUTE = f"""
chosen AS MATERIALIZED (
    SELECT id AS customer_id FROM customers_customer
    WHERE id = ANY(%(ids)s) AND lifecycle = '{Lifecycle.ACTIVE}'
),
stood AS MATERIALIZED (
    SELECT o.* FROM chosen JOIN customers_order o USING (customer_id) WHERE NOT o.is_test
),
counted AS MATERIALIZED (
    SELECT id, customer_id, placed_day, delivered_at, promised_at FROM stood
    WHERE status IN ({_COUNTED})
),
sold AS MATERIALIZED (
    SELECT id, customer_id, placed_day, total_shop, currency, exchange_rate,
        (platform_fee + shipping_cost) * exchange_rate AS fees,
        CASE WHEN status = '{OrderStatus.CANCELLED}'
            THEN greatest(placed_day, {_local("paid_at")}) ELSE placed_day END AS seen,
        CASE WHEN status = '{OrderStatus.CANCELLED}'
            THEN greatest({_local("cancelled_at")}, placed_day) END AS undone
    FROM stood WHERE total_shop IS NOT NULL AND (status IN ({_COUNTED})
        OR (status = '{OrderStatus.CANCELLED}' AND paid_at IS NOT NULL))
),
refunded AS MATERIALIZED (
    SELECT r.order_id, r.refunded_day, sum(r.amount_shop) AS amount
    FROM sold s JOIN customers_refund r ON r.order_id = s.id
    WHERE r.amount_shop IS NOT NULL GROUP BY 1, 2
),
moved AS (
    SELECT customer_id, placed_day AS day, seen AS known, true AS is_sale, total_shop AS amount
    FROM sold
    UNION ALL
    SELECT s.customer_id, s.placed_day, greatest(r.refunded_day, s.seen), false, r.amount
    FROM sold s JOIN refunded r ON r.order_id = s.id
    UNION ALL
    SELECT s.customer_id, s.placed_day, greatest(s.undone, s.seen), false,
        s.total_shop - coalesce(r.amount, 0)
    FROM sold s LEFT JOIN (
        SELECT order_id, sum(amount) AS amount FROM refunded GROUP BY 1
    ) r ON r.order_id = s.id
    WHERE s.undone IS NOT NULL AND s.total_shop > coalesce(r.amount, 0)
    UNION ALL
    SELECT customer_id, refunded_day, refunded_day, false, amount_shop
    FROM chosen JOIN customers_refund USING (customer_id)
    WHERE order_id IS NULL AND amount_shop IS NOT NULL
),
summed AS MATERIALIZED (
    SELECT customer_id, is_sale, {_since_epoch("day")} AS day, {_since_epoch("known")} AS known,
        sum(amount)::float8 AS amount
    FROM moved GROUP BY customer_id, is_sale, day, known
),
sales AS (
    SELECT customer_id,
        {_arrays("day, known", bought_on="day", bought_known_on="known", bought="amount")}
    FROM summed WHERE is_sale GROUP BY customer_id
),
backs AS (
    SELECT customer_id,
        {_arrays("day, known", back_of="day", back_known_on="known", back="amount")}
    FROM summed WHERE NOT is_sale GROUP BY customer_id
),
costed AS (
    SELECT s.customer_id, s.placed_day, s.seen, s.total_shop, s.fees + g.goods AS cost
    FROM sold s JOIN (
        SELECT s.id, sum(l.unit_cost * l.quantity * r.rate) AS goods
        FROM sold s JOIN customers_orderline l ON l.order_id = s.id
        LEFT JOIN customers_exchangerate x ON l.cost_currency NOT IN ('', %(currency)s)
            AND x.currency = l.cost_currency AND x.shop_currency = %(currency)s
            AND x.day = s.placed_day
        CROSS JOIN LATERAL (SELECT CASE WHEN l.cost_currency IN ('', %(currency)s) THEN 1
            WHEN l.cost_currency = s.currency THEN s.exchange_rate ELSE x.rate END AS rate) r
        WHERE s.total_shop > 0 AND l.kind = '{LineKind.PRODUCT}' AND l.quantity <> 0
        GROUP BY s.id HAVING count(*) = count(l.unit_cost * r.rate)
    ) g USING (id)
),
costs AS (
    SELECT customer_id, {
    _arrays(
        "day, known",
        costed_on="day",
        costed_known_on="known",
        revenue="paid",
        cost="spent",
    )
}
    FROM (
        SELECT customer_id, {_since_epoch("placed_day")} AS day, {_since_epoch("seen")} AS known,
            sum(total_shop)::float8 AS paid, sum(cost)::float8 AS spent
        FROM costed GROUP BY 1, 2, 3
    ) daily GROUP BY customer_id
),
said AS (
    SELECT customer_id, written_at AS at, ((rating - 1) / 4.0)::float8 AS score, {
    _REVIEW
}::smallint AS kind
    FROM chosen JOIN customers_review USING (customer_id) WHERE rating IS NOT NULL
    UNION ALL
    SELECT customer_id, answered_at, (CASE metric WHEN 'csat' THEN (value - 1) / 4.0
            WHEN 'nps' THEN value / 10.0 ELSE (7 - value) / 6.0 END)::float8,
        (CASE metric WHEN 'csat' THEN {_CSAT} WHEN 'nps' THEN {_NPS} ELSE {_CES} END)::smallint
    FROM chosen JOIN customers_surveyresponse USING (customer_id)
),
answers AS (
    SELECT customer_id,
        {_arrays("day, score, kind", answered_on="day", answered="score", answer_kind="kind")}
    FROM (
        SELECT customer_id, {_since_epoch(_local("at"))} AS day, score, kind FROM said
    ) dated GROUP BY customer_id
),
deliveries AS (
    SELECT customer_id, {_arrays("day, late", delivered_on="day", delay="late")}
    FROM (
        SELECT customer_id, {_since_epoch(_local("delivered_at"))} AS day,
            (extract(epoch FROM delivered_at - promised_at) / 86400.0)::float8 AS late
        FROM counted WHERE delivered_at IS NOT NULL AND promised_at IS NOT NULL
    ) came GROUP BY customer_id
),
events AS (
    SELECT customer_id, placed_day AS day, 1 AS placed, 0 AS returned, 0 AS opened FROM counted
    UNION ALL
    SELECT c.customer_id, greatest(r.day, c.placed_day), 0, 1, 0
    FROM counted c JOIN (
        SELECT f.order_id, min(f.refunded_day) AS day
        FROM counted JOIN customers_refund f ON f.order_id = counted.id GROUP BY 1
    ) r ON r.order_id = c.id
    UNION ALL
    SELECT customer_id, {_local("opened_at")}, 0, 0, 1
    FROM chosen JOIN customers_ticket USING (customer_id)
),
operations AS (
    SELECT customer_id,
        {_arrays("day", done_on="day", placed="p", returned="r", opened="o")}
    FROM (
        SELECT customer_id, {_since_epoch("day")} AS day, sum(placed)::int AS p,
            sum(returned)::int AS r, sum(opened)::int AS o
        FROM events GROUP BY 1, 2
    ) daily GROUP BY customer_id
),
computed AS MATERIALIZED (
    SELECT customer_id, {", ".join(f"coalesce({name}, '{{}}') AS {name}" for name in COLUMNS)}
    FROM chosen LEFT JOIN sales USING (customer_id) LEFT JOIN backs USING (customer_id)
        LEFT JOIN costs USING (customer_id)
        LEFT JOIN answers USING (customer_id) LEFT JOIN deliveries USING (customer_id)
        LEFT JOIN operations USING (customer_id)
)
"""  # noqa: S608 - enum values and column names only

_NAMES = ", ".join(COLUMNS)
_STORED = ", ".join(f"d.{name}" for name in COLUMNS)
_FOUND = ", ".join(f"c.{name}" for name in COLUMNS)
_UPSERT = f"""
    INSERT INTO customers_customerdays AS d (customer_id, {_NAMES})
    SELECT customer_id, {_NAMES} FROM computed ORDER BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
    WHERE ({_STORED}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
"""  # noqa: S608 - column names only

WRITE = f"WITH {COMPUTE} {_UPSERT}"

COMPARE_AND_WRITE = f"""
WITH {COMPUTE},
drifted AS MATERIALIZED (
    SELECT c.customer_id FROM computed c LEFT JOIN customers_customerdays d USING (customer_id)
    WHERE ({_STORED}) IS DISTINCT FROM ({_FOUND})
        AND NOT EXISTS (SELECT FROM customers_factsmark k WHERE k.customer_id = c.customer_id)
),
written AS ({_UPSERT})
SELECT u.public_id, ARRAY['days'] FROM drifted
JOIN customers_customer u ON u.id = drifted.customer_id ORDER BY u.id
"""  # noqa: S608 - column names only

DROP_INACTIVE = f"""
DELETE FROM customers_customerdays d USING customers_customer c
WHERE c.id = d.customer_id AND c.id = ANY(%(ids)s) AND c.lifecycle <> '{Lifecycle.ACTIVE}'
"""  # noqa: S608 - enum values only
