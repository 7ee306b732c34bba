"""How well a source tells its customers apart: without that, nobody can be seen coming back."""

from dataclasses import dataclass

from django.db import connection

from customers.enums import COUNTED_ORDER_STATUSES

LEAST_KEYED_SHARE = 0.5
"""Below this share of orders that name their buyer, a source's customers are not scored."""
RECOGNITION = """
    SELECT s.id, s.key, s.name, coalesce(o.orders, 0), coalesce(o.keyed, 0),
        coalesce(b.customers, 0), coalesce(b.once, 0)
    FROM customers_source s
    LEFT JOIN (
        SELECT source_id, count(*) AS orders, count(customer_id) AS keyed FROM customers_order
        WHERE status = ANY(%(counted)s) AND NOT is_test GROUP BY source_id
    ) o ON o.source_id = s.id
    LEFT JOIN (
        SELECT source_id, count(*) AS customers, count(*) FILTER (WHERE orders = 1) AS once
        FROM (
            SELECT source_id, customer_id, count(*) AS orders FROM customers_order
            WHERE status = ANY(%(counted)s) AND NOT is_test AND customer_id IS NOT NULL
            GROUP BY source_id, customer_id
        ) each_one GROUP BY source_id
    ) b ON b.source_id = s.id
    WHERE %(source)s::bigint IS NULL OR s.id = %(source)s
    ORDER BY s.id
"""


@dataclass(frozen=True)
class Recognition:
    """A source's paid orders, how many name their buyer by a stable key, and who came once."""

    source_id: int
    key: str
    name: str
    orders: int
    keyed: int
    customers: int
    once: int

    @property
    def keyed_share(self) -> float | None:
        """Return the share of orders with a known buyer, 0–1; None without orders."""
        return self.keyed / self.orders if self.orders else None

    @property
    def once_share(self) -> float | None:
        """Return the share of buyers with one order only, 0–1; None without buyers."""
        return self.once / self.customers if self.customers else None

    @property
    def is_enough(self) -> bool:
        """Tell whether this source's customers may be scored."""
        return self.keyed_share is None or self.keyed_share >= LEAST_KEYED_SHARE


def recognition_of(source_id: int) -> Recognition:
    """Return how well one source tells its customers apart."""
    return _read(source_id)[0]


def unrecognising_sources() -> list[Recognition]:
    """Return the sources whose customers are not scored."""
    return [found for found in _read(None) if not found.is_enough]


def _read(source_id: int | None) -> list[Recognition]:
    values = {
        "counted": [str(status) for status in COUNTED_ORDER_STATUSES],
        "source": source_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECOGNITION, values)
        return [Recognition(*row) for row in cursor.fetchall()]
