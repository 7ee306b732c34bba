"""The only door from tables to arrays: what a scoring run may see before its ``as_of_day``."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import connection
from psycopg import sql

from analytics.ml.run import (
    Costs,
    Deliveries,
    Operations,
    PurchaseDays,
    Ratings,
    Refunds,
    ScoringInput,
)
from analytics.ml.satisfaction import RATING_KINDS
from customers.enums import COUNTED_ORDER_STATUSES, LineKind, OrderStatus
from customers.selectors.recognition import unrecognising_sources
from customers.selectors.shop import shop_settings

EPOCH = date(1970, 1, 1)

PEOPLE = """
    SELECT id, (is_test OR is_wholesale)::int, (source_id = ANY(%(withheld)s))::int
    FROM customers_customer
    WHERE lifecycle = 'active' ORDER BY id
"""
# Purchases as they were made, and beside them what came back, with the day it was known: an order
# that was paid and later cancelled comes back whole. A refund that found no order (a hand-written
# credit, say) counts on its own day: where it undoes an order of that day the two cancel out, and
# a day without an order is no occasion anyway.
PURCHASES = """
    WITH bought AS NOT MATERIALIZED (
        SELECT id, customer_id, placed_day, total_shop, CASE WHEN status = %(cancelled)s
            THEN greatest((cancelled_at AT TIME ZONE %(zone)s)::date, placed_day) END AS undone
        FROM customers_order
        WHERE NOT is_test AND total_shop IS NOT NULL AND placed_day < %(as_of)s
            AND (status = ANY(%(counted)s) OR (status = %(cancelled)s AND paid_at < %(until)s))
    ), back AS (
        SELECT order_id, refunded_day, sum(amount_shop) AS amount FROM customers_refund
        WHERE order_id IS NOT NULL AND amount_shop IS NOT NULL GROUP BY 1, 2
    )
    SELECT m.customer_id, m.day - date '1970-01-01', m.known - date '1970-01-01',
        sum(m.amount)::float8
    FROM (
        SELECT customer_id, placed_day AS day, NULL::date AS known, total_shop AS amount FROM bought
        UNION ALL
        SELECT b.customer_id, b.placed_day, greatest(r.refunded_day, b.placed_day), r.amount
        FROM bought b JOIN back r ON r.order_id = b.id
        UNION ALL
        SELECT b.customer_id, b.placed_day, b.undone, b.total_shop - coalesce(r.amount, 0)
        FROM bought b LEFT JOIN (
            SELECT order_id, sum(amount) AS amount FROM back GROUP BY 1
        ) r ON r.order_id = b.id
        WHERE b.undone IS NOT NULL AND b.total_shop > coalesce(r.amount, 0)
        UNION ALL
        SELECT customer_id, refunded_day, refunded_day, amount_shop FROM customers_refund
        WHERE order_id IS NULL AND amount_shop IS NOT NULL
    ) m
    JOIN customers_customer c ON c.id = m.customer_id AND c.lifecycle = 'active'
    WHERE m.known IS NULL OR m.known < %(as_of)s
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# Of the purchases above those whose costs are all known, as they were placed: what came back later
# is not taken off, so that nobody looks ahead. Costs are converted as for the facts' margin.
COSTS = """
    SELECT b.customer_id, b.placed_day - date '1970-01-01',
        sum(b.total_shop)::float8, sum(b.fees + b.goods)::float8
    FROM (
        SELECT o.customer_id, o.placed_day, o.total_shop,
            (o.platform_fee + o.shipping_cost) * o.exchange_rate AS fees,
            sum(l.unit_cost * l.quantity * r.rate) AS goods
        FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
        LEFT JOIN customers_exchangerate x ON l.cost_currency NOT IN ('', %(currency)s)
            AND x.currency = l.cost_currency AND x.shop_currency = %(currency)s
            AND x.day = o.placed_day
        CROSS JOIN LATERAL (SELECT CASE WHEN l.cost_currency IN ('', %(currency)s) THEN 1
            WHEN l.cost_currency = o.currency THEN o.exchange_rate ELSE x.rate END AS rate) r
        WHERE NOT o.is_test AND o.total_shop > 0 AND o.placed_day < %(as_of)s
            AND (o.status = ANY(%(counted)s)
                OR (o.status = %(cancelled)s AND o.paid_at < %(until)s))
            AND l.kind = %(product)s AND l.quantity <> 0
        GROUP BY o.id HAVING count(*) = count(l.unit_cost * r.rate)
    ) b
    JOIN customers_customer c ON c.id = b.customer_id AND c.lifecycle = 'active'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
RATINGS = """
    SELECT customer_id, (at AT TIME ZONE %(zone)s)::date - date '1970-01-01', score, kind FROM (
        SELECT customer_id, written_at AS at, (rating - 1) / 4.0 AS score, %(review)s AS kind
        FROM customers_review WHERE rating IS NOT NULL AND customer_id IS NOT NULL
        UNION ALL
        SELECT customer_id, answered_at, CASE metric WHEN 'csat' THEN (value - 1) / 4.0
            WHEN 'nps' THEN value / 10.0 ELSE (7 - value) / 6.0 END,
            CASE metric WHEN 'csat' THEN %(csat)s WHEN 'nps' THEN %(nps)s ELSE %(ces)s END
        FROM customers_surveyresponse WHERE customer_id IS NOT NULL
    ) said WHERE at < %(until)s ORDER BY 1, 2, 3, 4
"""
DELIVERIES = """
    SELECT customer_id, (delivered_at AT TIME ZONE %(zone)s)::date - date '1970-01-01',
        extract(epoch FROM delivered_at - promised_at) / 86400.0
    FROM customers_order
    WHERE delivered_at < %(until)s AND promised_at IS NOT NULL AND customer_id IS NOT NULL
        AND status = ANY(%(counted)s) AND NOT is_test
    ORDER BY 1, 2, 3
"""
# Per customer and day: orders placed, orders from which something came back for the first time,
# and tickets opened. A return counts from its own day on, as answers do.
OPERATIONS = """
    SELECT d.customer_id, d.day - date '1970-01-01', sum(d.placed), sum(d.returned), sum(d.opened)
    FROM (
        SELECT customer_id, placed_day AS day, 1 AS placed, 0 AS returned, 0 AS opened
        FROM customers_order
        WHERE status = ANY(%(counted)s) AND NOT is_test AND placed_day < %(as_of)s
        UNION ALL
        SELECT o.customer_id, greatest(r.day, o.placed_day), 0, 1, 0
        FROM customers_order o JOIN (
            SELECT order_id, min(refunded_day) AS day FROM customers_refund
            WHERE order_id IS NOT NULL AND refunded_day < %(as_of)s GROUP BY 1
        ) r ON r.order_id = o.id
        WHERE o.status = ANY(%(counted)s) AND NOT o.is_test AND o.placed_day < %(as_of)s
        UNION ALL
        SELECT customer_id, (opened_at AT TIME ZONE %(zone)s)::date, 0, 0, 1
        FROM customers_ticket WHERE opened_at < %(until)s
    ) d
    JOIN customers_customer c ON c.id = d.customer_id AND c.lifecycle = 'active'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
NEWEST = """
    SELECT max(placed_at) FROM customers_order
    WHERE status = ANY(%(counted)s) AND NOT is_test AND placed_day < %(as_of)s
"""
WITHOUT_RATE = """
    SELECT count(*) FROM customers_order
    WHERE status = ANY(%(counted)s) AND NOT is_test AND total_shop IS NULL
        AND placed_day < %(as_of)s
"""
BLOCK_BYTES = 8_000_000
HEADER_BYTES = 19
TRAILER_BYTES = 2
WIRE_BYTES = 8
NULL = "a frame has a null in a column of whole numbers"


def scoring_input(as_of_day: date) -> ScoringInput:
    """Return everything a run may see: rows of the local days before ``as_of_day``."""
    shop = shop_settings()
    values = _values(as_of_day)
    values["withheld"] = [found.source_id for found in unrecognising_sources()]
    people = _columns(PEOPLE, values, [np.int64, np.int64, np.int64])
    # One statement, so that a purchase and its refund are of one moment.
    customer, day, known, amount = _columns(
        PURCHASES, values, [np.int64, np.int64, np.float64, np.float64]
    )
    came_back = np.isfinite(known)
    bought = PurchaseDays(customer, day, amount).where(~came_back)
    refunds = Refunds(
        customer[came_back],
        day[came_back],
        known[came_back].astype(np.int64),
        amount[came_back],
    )
    return ScoringInput(
        as_of_day=(as_of_day - EPOCH).days,
        customer_ids=people[0],
        purchases=bought,
        refunds=refunds,
        costs=Costs(*_columns(COSTS, values, [np.int64, np.int64, np.float64, np.float64])),
        ratings=Ratings(*_columns(RATINGS, values, [np.int64, np.int64, np.float64, np.int8])),
        deliveries=Deliveries(*_columns(DELIVERIES, values, [np.int64, np.int64, np.float64])),
        operations=Operations(*_columns(OPERATIONS, values, [np.int64] * 5)),
        horizon_days=shop.horizon_days,
        discount_rate=float(shop.discount_rate),
        engine=settings.CLV_ENGINE,
        excluded_from_fit=people[0][people[1] == 1],
        withheld=people[0][people[2] == 1],
    )


def newest_order(as_of_day: date) -> datetime | None:
    """Return when the newest counted order before ``as_of_day`` was placed."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, _values(as_of_day))
        row = cursor.fetchone()
    return row[0] if row else None


def orders_without_rate(as_of_day: date) -> int:
    """Return how many paid orders no score can see: nobody told what their currency was worth."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_RATE, _values(as_of_day))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _values(as_of_day: date) -> dict[str, Any]:
    zone = shop_settings().zone
    kinds = {name: RATING_KINDS.index(name) for name in ("review", "csat", "nps", "ces")}
    return {
        "as_of": as_of_day,
        "until": datetime.combine(as_of_day, time(), ZoneInfo(zone)),
        "zone": zone,
        "counted": [str(status) for status in COUNTED_ORDER_STATUSES],
        "cancelled": str(OrderStatus.CANCELLED),
        "product": str(LineKind.PRODUCT),
        "currency": shop_settings().currency,
        **kinds,
    }


def _columns(query: str, values: dict[str, Any], types: Iterable[Any]) -> list[Any]:
    """Read a query into one array a column, in Postgres' binary format; a null is not a number.

    All columns travel as eight bytes, so every row has the same length and no number becomes an
    object of Python's on its way: a tenth of the processor time of fetching rows.
    """
    kinds = [np.dtype(kind) for kind in types]
    wires = ["float8" if kind.kind == "f" else "int8" for kind in kinds]
    names = [f"c{place}" for place, _ in enumerate(kinds)]
    wanted = ", ".join(
        f"coalesce({name}::float8, 'NaN')" if wire == "float8" else f"{name}::int8"
        for name, wire in zip(names, wires, strict=True)
    )
    row = np.dtype(
        [("fields", ">i2")]
        + [
            (f"{part}{name}", kind)
            for name, wire in zip(names, wires, strict=True)
            for part, kind in (("length", ">i4"), ("", ">f8" if wire == "float8" else ">i8"))
        ]
    )
    statement = sql.SQL("COPY (SELECT {} FROM ({}) q ({})) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(wanted), sql.SQL(query), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    parts: list[list[Any]] = [[np.empty(0, kind)] for kind in kinds]
    with connection.cursor() as cursor, cursor.copy(statement, values) as copy:
        for rows in _records(copy, row):
            for place, name in enumerate(names):
                if (rows[f"length{name}"] != WIRE_BYTES).any():
                    raise ValueError(NULL)
                parts[place].append(rows[name].astype(kinds[place]))
    return [np.concatenate(part) for part in parts]


def _records(copy: Iterable[Any], row: "np.dtype[Any]") -> Iterator[Any]:
    """Yield the rows of a binary COPY, some megabytes at a time."""
    held = bytearray()
    begun = False
    for piece in copy:
        held += piece
        if not begun and len(held) >= HEADER_BYTES:
            del held[:HEADER_BYTES]
            begun = True
        if begun and len(held) > BLOCK_BYTES:
            whole = len(held) // row.itemsize * row.itemsize
            yield np.frombuffer(bytes(held[:whole]), row)
            del held[:whole]
    rest = len(held) - TRAILER_BYTES
    if rest % row.itemsize:
        raise ValueError(NULL)
    yield np.frombuffer(bytes(held[:rest]), row)
