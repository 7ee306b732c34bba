"""What is different about a header, by the names of its columns."""

from collections.abc import Sequence
from typing import Any

from customers.connectors.presets import folded

NAMED = 30


def header_change(former: Sequence[str], header: Sequence[str]) -> dict[str, Any]:
    """Return the columns that came, went or stand elsewhere among those that stayed."""
    old, new = [folded(name) for name in former], [folded(name) for name in header]
    stayed = [name for name in old if name in new]
    now = [name for name in new if name in old]
    moved = {after for before, after in zip(stayed, now, strict=False) if before != after}
    return {
        "came": [name for name in header if folded(name) not in old][:NAMED],
        "went": [name for name in former if folded(name) not in new][:NAMED],
        "moved": [name for name in header if folded(name) in moved][:NAMED],
    }
