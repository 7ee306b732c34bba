"""How many rows of each table a simulation wrote."""

from collections import Counter

TABLES = (
    "customers", "identities", "consents", "orders", "lines", "refunds", "reviews", "answers",
    "tickets",
)  # fmt: skip


def add(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    """Return the sums, table by table."""
    return dict(Counter(left) + Counter(right))


def rows(counts: dict[str, int]) -> int:
    """Return the rows of all tables."""
    return sum(counts.get(name, 0) for name in TABLES)
