"""Explain why a back office's total of a month differs from the record's, to the cent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.enums import COUNTED_ORDER_STATUSES, OrderStatus
from customers.models import Reconciliation
from customers.selectors.shop import shop_settings

CENT = Decimal("0.01")
MOST_PARTS = 5
"""A difference that needs more causes than this at once is not explained by adding them up."""
# The likelier causes first: of explanations of one length the first is shown.
LABELS = {
    "refunded": gettext_noop("It counts what was refunded later"),
    "cancelled": gettext_noop("It counts cancelled orders"),
    "unpaid": gettext_noop("It counts unpaid orders"),
    "rejected": gettext_noop("It counts orders that were rejected on import"),
    "fees": gettext_noop("It leaves out the platform's fees"),
    "charges": gettext_noop("It leaves out postage and other charges"),
    "tax": gettext_noop("It leaves out tax"),
    "platform_discount": gettext_noop("It counts what the platform paid of discounts"),
    "tests": gettext_noop("It counts test orders"),
    "duplicate": gettext_noop("It counts rows that stand in a file twice"),
}
ZONE = "zone"
ZONE_LABEL = gettext_noop("Its month begins in another time zone")
SUMS = """
    SELECT
        coalesce(sum(total - refunded) FILTER (WHERE counts), 0), count(*) FILTER (WHERE counts),
        coalesce(sum(refunded) FILTER (WHERE counts), 0),
        count(*) FILTER (WHERE counts AND refunded > 0),
        coalesce(sum(total) FILTER (WHERE NOT is_test AND status = %(cancelled)s), 0),
        count(*) FILTER (WHERE NOT is_test AND status = %(cancelled)s),
        coalesce(sum(total) FILTER (WHERE NOT is_test AND status = %(pending)s), 0),
        count(*) FILTER (WHERE NOT is_test AND status = %(pending)s),
        coalesce(sum(platform_fee) FILTER (WHERE counts), 0),
        count(*) FILTER (WHERE counts AND platform_fee > 0),
        coalesce(sum(charges) FILTER (WHERE counts), 0),
        count(*) FILTER (WHERE counts AND charges > 0),
        coalesce(sum(tax) FILTER (WHERE counts), 0), count(*) FILTER (WHERE counts AND tax > 0),
        coalesce(sum(platform_discount) FILTER (WHERE counts), 0),
        count(*) FILTER (WHERE counts AND platform_discount > 0),
        coalesce(sum(total) FILTER (WHERE is_test), 0), count(*) FILTER (WHERE is_test)
    FROM (
        SELECT *, NOT is_test AND status = ANY(%(counted)s) AS counts FROM customers_order
        WHERE source_id = %(source)s AND currency = %(currency)s
            AND placed_at >= %(month)s::date::timestamp AT TIME ZONE %(zone)s
            AND placed_at < (%(month)s::date + interval '1 month') AT TIME ZONE %(zone)s
    ) of_month
"""
REJECTED = """
    SELECT coalesce(sum(r.amount) FILTER (WHERE NOT r.is_double AND o.id IS NULL), 0),
        count(*) FILTER (WHERE NOT r.is_double AND o.id IS NULL),
        coalesce(sum(r.amount) FILTER (WHERE r.is_double), 0), count(*) FILTER (WHERE r.is_double)
    FROM customers_rejectedorder r
    JOIN customers_importbatch b ON b.id = r.batch_id AND b.state = 'finished'
    LEFT JOIN customers_order o ON o.source_id = r.source_id AND o.external_id = r.external_id
    WHERE r.source_id = %(source)s AND r.currency = %(currency)s
        AND r.placed_at >= %(month)s::date::timestamp AT TIME ZONE %(zone)s
        AND r.placed_at < (%(month)s::date + interval '1 month') AT TIME ZONE %(zone)s
"""


@dataclass(frozen=True)
class Part:
    """A possible cause: what counting that way would add to the record's total."""

    code: str
    amount: Decimal
    orders: int

    @property
    def label(self) -> str:
        """Return the cause in the reader's language."""
        return _(LABELS.get(self.code, ZONE_LABEL))


@dataclass(frozen=True)
class Explained:
    """A month: the back office's total, the record's, the causes there are, and those that fit.

    ``fitting`` adds up to the difference to the cent, or is None when nothing does; ``others``
    counts further explanations that add up as well.
    """

    stated: Decimal
    ours: Decimal
    orders: int
    parts: list[Part]
    fitting: list[Part] | None
    others: int

    @property
    def gap(self) -> Decimal:
        """Return what the back office has more."""
        return self.stated - self.ours


@dataclass(frozen=True)
class _Month:
    """A month's sums by one zone."""

    net: Decimal
    orders: int
    parts: Mapping[str, Part]


def explain(row: Reconciliation) -> Explained:
    """Hold a back office's total against the record.

    The record's total is net of refunds and cancellations, postage and tax included, by the
    shop's days. A cause is a way of counting that differs from that; those that exist in the month
    are tried alone and together.
    """
    zone = shop_settings().zone
    here = _month(row, zone)
    there = here if row.zone == zone else _month(row, row.zone)
    shift = Part(ZONE, there.net - here.net, abs(there.orders - here.orders))
    parts = [*here.parts.values(), *([shift] if _cents(shift.amount) else [])]
    found = sorted(
        _fitting(here.parts, row.stated - here.net, []), key=lambda fit: (len(fit), _rank(fit))
    )
    if _cents(shift.amount):
        found += sorted(
            _fitting(there.parts, row.stated - there.net, [shift]),
            key=lambda fit: (len(fit), _rank(fit)),
        )
    found.sort(key=len)
    return Explained(
        stated=row.stated,
        ours=here.net,
        orders=here.orders,
        parts=parts,
        fitting=found[0] if found else None,
        others=max(len(found) - 1, 0),
    )


def _rank(parts: list[Part]) -> list[int]:
    order = [*LABELS, ZONE]
    return [order.index(part.code) for part in parts]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


def _fitting(parts: Mapping[str, Part], gap: Decimal, given: list[Part]) -> Iterator[list[Part]]:
    """Yield the causes that together make the gap, to the cent; none makes no gap."""
    likely = [part for part in parts.values() if _cents(part.amount)]
    for size in range(MOST_PARTS + 1):
        for chosen in combinations(likely, size):
            if _cents(sum((part.amount for part in chosen), Decimal(0)) - gap) == 0:
                yield [*chosen, *given]


def _month(row: Reconciliation, zone: str) -> _Month:
    values: dict[str, Any] = {
        "source": row.source_id,
        "currency": row.currency,
        "month": date(row.month.year, row.month.month, 1),
        "zone": zone,
        "counted": [str(status) for status in COUNTED_ORDER_STATUSES],
        "cancelled": str(OrderStatus.CANCELLED),
        "pending": str(OrderStatus.PENDING),
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS, values)
        net, orders, *sums = cursor.fetchone()
        cursor.execute(REJECTED, values)
        rejected = cursor.fetchone()
    names = (
        ("refunded", 1), ("cancelled", 1), ("unpaid", 1), ("fees", -1), ("charges", -1),
        ("tax", -1), ("platform_discount", 1), ("tests", 1), ("rejected", 1), ("duplicate", 1),
    )  # fmt: skip
    pairs = [*sums, *rejected]
    found = {
        name: Part(name, sign * pairs[2 * place], pairs[2 * place + 1])
        for place, (name, sign) in enumerate(names)
    }
    present = {name: found[name] for name in LABELS if found[name].orders}
    return _Month(net, orders, present)
