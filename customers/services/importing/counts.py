"""What became of the rows so far."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from customers.models import Refund


@dataclass
class Counts:
    """Rows by fate; ``done`` is what the progress bar shows.

    ``notes`` counts rows that were kept, though not all they name is known; the audit has words
    for each.
    """

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    netted_quantity: int = 0
    unmatched: int = 0
    unmatched_quantity: int = 0
    netted_amount: str = "0"
    unmatched_amount: str = "0"
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Staging is a third of the way; the rest is writing."""
        written = self.created + self.updated + self.unchanged + self.rejected
        return self.total // 3 + 2 * written // 3

    def add_refunds(self, *, netted: Sequence[Refund], unmatched: Sequence[Refund]) -> None:
        """Count what found an order and what found none."""
        self.unmatched += len(unmatched)
        self.netted_quantity += sum(refund.quantity for refund in netted)
        self.unmatched_quantity += sum(refund.quantity for refund in unmatched)
        self.netted_amount = _sum(self.netted_amount, netted)
        self.unmatched_amount = _sum(self.unmatched_amount, unmatched)

    def add_notes(self, **found: int) -> None:
        """Add to the notes."""
        for name, count in found.items():
            self.notes[name] = self.notes.get(name, 0) + count

    def as_dict(self) -> dict[str, Any]:
        """Return what a job's cursor keeps."""
        return asdict(self)

    def as_columns(self) -> dict[str, int]:
        """Return the values of an ImportBatch's columns."""
        names = ("total", "created", "updated", "unchanged", "rejected")
        return {f"rows_{name}": getattr(self, name) for name in names}


def _sum(before: str, refunds: Sequence[Refund]) -> str:
    return str(sum((refund.amount for refund in refunds), Decimal(before)))
