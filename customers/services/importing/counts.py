"""What became of the rows so far."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from customers.models import Refund

FATES = ("created", "updated", "unchanged", "rejected")


@dataclass
class Counts:
    """Rows by fate; ``done`` is what the progress bar shows.

    ``total`` counts rows of the file, ``records`` what they tell of: a row may tell of an order
    and of its first line. Until the end, the fates count records. ``notes`` counts rows that were
    kept, though not all they name is known: the audit has words for each. ``remarks`` counts,
    each in its own words, cells that were left empty. ``left_at`` is where the rest of the file
    begins, when a dry run did not stage all of it.
    """

    total: int = 0
    records: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    netted_quantity: int = 0
    unmatched: int = 0
    unmatched_quantity: int = 0
    netted_amount: str = "0"
    unmatched_amount: str = "0"
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    left_at: dict[str, Any] = field(default_factory=dict)

    def add_remarks(self, remarks: Mapping[str, int]) -> None:
        """Count what was left empty though the file said something."""
        for remark, times in remarks.items():
            self.remarks[remark] = self.remarks.get(remark, 0) + times

    def settle(self, kind: str, *, created: int, updated: int, unchanged: int) -> None:
        """Count what became of records that were written."""
        self.created += created
        self.updated += updated
        self.unchanged += unchanged
        self.of(kind).update(
            created=self.of(kind)["created"] + created,
            updated=self.of(kind)["updated"] + updated,
            unchanged=self.of(kind)["unchanged"] + unchanged,
        )

    def reject(self, kind: str, count: int) -> None:
        """Count records that go back."""
        self.rejected += count
        self.of(kind)["rejected"] += count

    def of(self, kind: str) -> dict[str, int]:
        """Return the fates of one kind of record."""
        return self.kinds.setdefault(kind, dict.fromkeys(FATES, 0))

    @property
    def done(self) -> int:
        """Staging is a third of the way; the rest is writing."""
        written = self.created + self.updated + self.unchanged + self.rejected
        return self.total // 3 + 2 * self.total * written // (3 * max(self.records, 1))

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
