"""What became of the rows so far."""

from dataclasses import asdict, dataclass


@dataclass
class Counts:
    """Rows by fate; ``done`` is what the progress bar shows."""

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    netted_quantity: int = 0
    unmatched: int = 0
    unmatched_quantity: int = 0

    @property
    def done(self) -> int:
        """Staging is a third of the way; the rest is writing."""
        written = self.created + self.updated + self.unchanged + self.rejected
        return self.total // 3 + 2 * written // 3

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    def as_columns(self) -> dict[str, int]:
        """Return the values of an ImportBatch's columns."""
        names = ("total", "created", "updated", "unchanged", "rejected")
        return {f"rows_{name}": getattr(self, name) for name in names}
