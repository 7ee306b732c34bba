"""Net cancellations against the orders they undo.

A cancellation nets the latest earlier line of that customer and article with quantity left, and
spills over to the one before; what finds none is an unmatched refund.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.enums import RefundKind
from customers.models import ImportBatch, Refund
from customers.selectors.shop import shop_settings
from customers.services.facts import mark_dirty
from customers.services.importing import statistics
from customers.services.importing.counts import Counts

CUSTOMERS = 400

NEXT_CUSTOMERS = """
    SELECT DISTINCT customer_key FROM customers_importrow
    WHERE batch_id = %s AND is_cancellation AND customer_key > %s
    ORDER BY customer_key LIMIT %s
"""
CANCELLATIONS = """
    SELECT i.customer_id, r.sku, r.placed_at, -r.quantity, r.unit_price,
        r.order_number || '|' || r.sku || '|'
            || to_char(r.placed_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS') || '|' || r.quantity
            || '|' || r.unit_price || '|' || row_number() OVER (
                PARTITION BY r.order_number, r.sku, r.placed_at, r.quantity, r.unit_price
                ORDER BY r.row_number
            ) AS key
    FROM customers_importrow r
    LEFT JOIN customers_identity i
        ON i.issuer = %s AND i.kind = 'external_id' AND i.value = r.customer_key
    WHERE r.batch_id = %s AND r.is_cancellation AND r.customer_key = ANY(%s)
    ORDER BY i.customer_id, r.sku, r.placed_at, key
"""
HELD = """
    SELECT left(external_id, -2) FROM customers_refund
    WHERE source_id = %s AND external_id = ANY(%s)
"""
# By customer first, whatever the planner believes about tables that have just been filled.
LINES = """
    WITH placed AS MATERIALIZED (
        SELECT id, customer_id, placed_at FROM customers_order
        WHERE source_id = %s AND customer_id = ANY(%s)
    )
    SELECT o.customer_id, l.sku, o.placed_at, l.id, l.order_id,
        l.quantity - l.refunded_quantity
    FROM placed o JOIN customers_orderline l ON l.order_id = o.id
    WHERE l.quantity > l.refunded_quantity AND l.sku = ANY(%s)
    ORDER BY o.placed_at DESC, l.id DESC
"""
APPLY = """
    WITH given AS (
        SELECT * FROM unnest(%s::bigint[], %s::int[], %s::numeric[]) AS g(line, quantity, amount)
    ), lines AS (
        UPDATE customers_orderline l
        SET refunded_quantity = l.refunded_quantity + s.quantity,
            refunded_amount = l.refunded_amount + s.amount
        FROM (SELECT line, sum(quantity) AS quantity, sum(amount) AS amount
              FROM given GROUP BY line) s
        WHERE l.id = s.line
        RETURNING l.order_id, s.amount
    )
    UPDATE customers_order o
    SET refunded = o.refunded + s.amount,
        refunded_shop = o.refunded_shop + s.amount * o.exchange_rate, updated_at = now()
    FROM (SELECT order_id, sum(amount) AS amount FROM lines GROUP BY order_id) s
    WHERE o.id = s.order_id
"""


@dataclass
class _Line:
    """A line that may still give something back."""

    placed_at: datetime
    pk: int
    order_id: int
    left: int


@dataclass(frozen=True)
class _Cancellation:
    customer_id: int | None
    sku: str
    at: datetime
    quantity: int
    price: Decimal
    key: str


def net_cancellations(run: JobRun, batch: ImportBatch, after: str, counts: Counts) -> str | None:
    """Net the cancellations of the next customers; guests' come first, and find nothing to net.

    Returns the last customer's key, or None when all are done.
    """
    shop = shop_settings()
    # Two imports must not take the same piece back, nor count in two zones.
    type(shop).objects.select_for_update().get(pk=shop.pk)
    with connection.cursor() as cursor:
        if after == "":
            statistics.refresh(
                cursor, "customers_order", "customers_orderline", "customers_identity"
            )
        # "" is where the guests are, so the first step looks at them and at the first customers.
        cursor.execute(NEXT_CUSTOMERS, [batch.pk, after, CUSTOMERS])
        keys = [row[0] for row in cursor.fetchall()]
        if after == "":
            keys.insert(0, "")
        if not keys:
            return None
        cursor.execute(CANCELLATIONS, [batch.source.key, batch.pk, keys])
        found = [_Cancellation(*row) for row in cursor.fetchall()]
        cursor.execute(HELD, [batch.source_id, [f"{one.key}#1" for one in found]])
        held = {row[0] for row in cursor.fetchall()}
        fresh = [one for one in found if one.key not in held]
        lines = _open_lines(cursor, batch.source_id, fresh)
        refunds = _allocate(fresh, lines, batch.source_id, shop.currency, ZoneInfo(shop.zone))
        _apply(cursor, refunds)
    mark_dirty(one.customer_id for one in fresh)
    counts.created += len(fresh)
    counts.unchanged += len(found) - len(fresh)
    unmatched = [refund for refund in refunds if refund.order_id is None]
    netted = [refund for refund in refunds if refund.order_id is not None]
    counts.add_refunds(netted=netted, unmatched=unmatched)
    run.save(step=gettext_noop("Netting cancellations"))
    return keys[-1] or None


def _open_lines(
    cursor: Any, source_id: int, cancellations: Iterable[_Cancellation]
) -> dict[tuple[int, str], list[_Line]]:
    wanted = {(one.customer_id, one.sku) for one in cancellations if one.customer_id is not None}
    customers, articles = ({one[place] for one in wanted} for place in (0, 1))
    lines: dict[tuple[int, str], list[_Line]] = defaultdict(list)
    cursor.execute(LINES, [source_id, sorted(customers), sorted(articles)])
    for customer_id, sku, placed_at, pk, order_id, left in cursor:
        if (customer_id, sku) in wanted:
            lines[customer_id, sku].append(_Line(placed_at, pk, order_id, left))
    return lines


def _allocate(
    cancellations: Iterable[_Cancellation],
    lines: dict[tuple[int, str], list[_Line]],
    source_id: int,
    currency: str,
    zone: ZoneInfo,
) -> list[Refund]:
    """Spread each cancellation over earlier lines, latest first; the rest has no order."""
    refunds: list[Refund] = []
    for one in cancellations:
        rest = one.quantity
        parts: list[tuple[_Line | None, int]] = []
        if one.customer_id is not None:
            for line in lines.get((one.customer_id, one.sku), []):
                if rest and line.left and line.placed_at <= one.at:
                    taken = min(rest, line.left)
                    line.left -= taken
                    rest -= taken
                    parts.append((line, taken))
        if rest:
            parts.append((None, rest))
        for number, (line_or_none, quantity) in enumerate(parts, 1):
            amount = one.price * quantity
            refunds.append(
                Refund(
                    source_id=source_id,
                    external_id=f"{one.key}#{number}",
                    customer_id=one.customer_id,
                    order_id=line_or_none.order_id if line_or_none else None,
                    line_id=line_or_none.pk if line_or_none else None,
                    kind=RefundKind.CANCELLATION,
                    refunded_at=one.at,
                    refunded_day=one.at.astimezone(zone).date(),
                    sku=one.sku,
                    quantity=quantity,
                    currency=currency,
                    amount=amount,
                    amount_shop=amount,
                )
            )
    return refunds


def _apply(cursor: Any, refunds: list[Refund]) -> None:
    Refund.objects.bulk_create(refunds, batch_size=1000)
    matched = [refund for refund in refunds if refund.line_id is not None]
    if matched:
        cursor.execute(
            APPLY,
            [
                [refund.line_id for refund in matched],
                [refund.quantity for refund in matched],
                [refund.amount for refund in matched],
            ],
        )
