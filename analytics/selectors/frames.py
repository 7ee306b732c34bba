"""The only door from tables to arrays: what a scoring run may see before its ``as_of_day``."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, LiteralString

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
from customers.enums import ANSWER_KINDS, COUNTED_ORDER_STATUSES, Lifecycle
from customers.models import Customer
from customers.selectors.recognition import unrecognising_sources
from customers.selectors.shop import shop_settings

EPOCH = date(1970, 1, 1)

PEOPLE = """
    SELECT d.customer_id, (c.is_test OR c.is_wholesale)::int, (c.source_id = ANY(%(withheld)s))::int
    FROM {days} d JOIN customers_customer c ON c.id = d.customer_id AND c.lifecycle = 'active'
"""
# One statement, so that a purchase and its refund are of one moment.
PURCHASES = """
    SELECT customer_id, day, known, amount FROM (
        SELECT customer_id, unnest(bought_on) AS day, NULL::int AS known,
            unnest(bought_known_on) AS seen, unnest(bought) AS amount
        FROM {days}
        UNION ALL
        SELECT customer_id, unnest(back_of), unnest(back_known_on), unnest(back_known_on),
            unnest(back)
        FROM {days}
    ) rows WHERE day < %(as_of)s AND seen < %(as_of)s
"""
COSTS = """
    SELECT customer_id, day, revenue, cost FROM (
        SELECT customer_id, unnest(costed_on) AS day, unnest(costed_known_on) AS known,
            unnest(revenue) AS revenue, unnest(cost) AS cost
        FROM {days}
    ) rows WHERE day < %(as_of)s AND known < %(as_of)s
"""
RATINGS = """
    SELECT customer_id, day, score, kind FROM (
        SELECT customer_id, unnest(answered_on) AS day, unnest(answered) AS score,
            unnest(answer_kind) AS kind
        FROM {days}
    ) rows WHERE day < %(as_of)s
"""
DELIVERIES = """
    SELECT customer_id, day, delay FROM (
        SELECT customer_id, unnest(delivered_on) AS day, unnest(delay) AS delay
        FROM {days} WHERE NOT %(answered)s OR answered_on <> '{{}}'
    ) rows WHERE day < %(as_of)s
"""
OPERATIONS = """
    SELECT customer_id, day, placed, returned, opened FROM (
        SELECT customer_id, unnest(done_on) AS day, unnest(placed) AS placed,
            unnest(returned) AS returned, unnest(opened) AS opened
        FROM {days} WHERE NOT %(answered)s OR answered_on <> '{{}}'
    ) rows WHERE day < %(as_of)s
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
_FRAMES: tuple[tuple[LiteralString, list[Any]], ...] = (
    (PEOPLE, [np.int64] * 3),
    (PURCHASES, [np.int64, np.int64, np.float64, np.float64]),
    (COSTS, [np.int64, np.int64, np.float64, np.float64]),
    (RATINGS, [np.int64, np.int64, np.float64, np.int64]),
    (DELIVERIES, [np.int64, np.int64, np.float64]),
    (OPERATIONS, [np.int64] * 5),
)
# How scores number the kinds of answers that the record numbers otherwise.
_KINDS = np.array([RATING_KINDS.index(kind) for kind in ANSWER_KINDS], dtype=np.int8)
DAYS = "customers_customerdays"
PARTITIONS = 16
CUSTOMERS_OF_A_PART = 65_536
BLOCK_BYTES = 8_000_000
HEADER_BYTES = 19
TRAILER_BYTES = 2
WIRE_BYTES = 8
NULL = "a frame has a null in a column of whole numbers"


def scoring_input(
    as_of_day: date, *, withheld: Sequence[int], part: int = 0, of: int = 1
) -> ScoringInput:
    """Return what a run may see of one part of the customers: what happened before ``as_of_day``.

    ``of`` is a divisor of ``PARTITIONS``; every customer is in one part, by a hash of the id.
    ``withheld`` are the sources whose customers are neither learned from nor scored.
    """
    return _read(as_of_day, _part(part, of), withheld, is_fit=False)


def fitting_input(as_of_day: date, *, withheld: Sequence[int]) -> ScoringInput:
    """Return what a fit may see of all customers.

    Deliveries and operations are those of customers who answered: of others nothing is learned.
    """
    return _read(as_of_day, _part(0, 1), withheld, is_fit=True)


def withheld_sources() -> list[int]:
    """Return the sources that hardly tell their buyers apart; it takes a look at all orders."""
    return [found.source_id for found in unrecognising_sources()]


def parts_for(customers: int) -> int:
    """Return into how many parts so many customers are divided."""
    parts = 1
    while parts < PARTITIONS and customers > parts * CUSTOMERS_OF_A_PART:
        parts *= 2
    return parts


def _part(part: int, of: int) -> sql.Composable:
    """Return the table of a part's customers."""
    if of == 1:
        return sql.Identifier(DAYS)
    tables = (sql.Identifier(f"{DAYS}_{number}") for number in range(part, PARTITIONS, of))
    chosen = sql.SQL(" UNION ALL ").join(sql.SQL("SELECT * FROM {}").format(t) for t in tables)
    return sql.SQL("({})").format(chosen)


def _read(
    as_of_day: date, days: sql.Composable, withheld: Sequence[int], *, is_fit: bool
) -> ScoringInput:
    shop = shop_settings()
    values: dict[str, Any] = {
        "as_of": (as_of_day - EPOCH).days,
        "answered": is_fit,
        "withheld": list(withheld),
    }
    people, moved, costs, ratings, deliveries, operations = (
        _columns(sql.SQL(query).format(days=days), values, kinds) for query, kinds in _FRAMES
    )
    customer, day, known, amount = moved
    came_back = np.isfinite(known)
    return ScoringInput(
        as_of_day=values["as_of"],
        customer_ids=people[0],
        purchases=PurchaseDays(customer, day, amount).where(~came_back),
        refunds=Refunds(
            customer[came_back],
            day[came_back],
            known[came_back].astype(np.int64),
            amount[came_back],
        ),
        costs=Costs(*costs),
        ratings=Ratings(ratings[0], ratings[1], ratings[2], _KINDS[ratings[3]]),
        deliveries=Deliveries(*deliveries),
        operations=Operations(*operations),
        horizon_days=shop.horizon_days,
        discount_rate=float(shop.discount_rate),
        engine=settings.CLV_ENGINE,
        excluded_from_fit=people[0][people[1] == 1],
        withheld=people[0][people[2] == 1],
    )


def count_people() -> int:
    """Return how many customers want a score."""
    return Customer.objects.filter(lifecycle=Lifecycle.ACTIVE).count()


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
    return {"as_of": as_of_day, "counted": [str(status) for status in COUNTED_ORDER_STATUSES]}


def _columns(query: sql.Composable, values: dict[str, Any], types: Iterable[Any]) -> list[Any]:
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
        sql.SQL(wanted), query, sql.SQL(", ").join(map(sql.Identifier, names))
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
