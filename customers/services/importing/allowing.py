"""What a platform's customers file says people allow, completed by what the owner declared."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from customers.connectors.presets import CONSENTS, CUSTOMERS, Record

NO_PROOF = gettext_noop("the file says yes, but nobody said since when and on what basis")


class Declared:
    """Joins yes and no of a row to its customer.

    A no counts at once. A yes counts with the day and the basis that the owner declared for the
    channel: without them it proves nothing, and is left out and counted.
    """

    def __init__(self, consent: Mapping[str, Mapping[str, str]], now: datetime) -> None:
        self._consent = consent
        self._now = now.isoformat()

    def join(self, records: Iterable[Record], remarks: Counter[str]) -> list[Record]:
        """Return the records, what customers allow in their own columns."""
        given = list(records)
        said = [record.cells for record in given if record.kind == CONSENTS]
        if not said or not any(record.kind == CUSTOMERS for record in given):
            return given
        allowed = self._columns(said, remarks)
        return [
            Record(record.kind, {**record.cells, **allowed}) if record.kind == CUSTOMERS else record
            for record in given
            if record.kind != CONSENTS
        ]

    def _columns(self, said: Sequence[Mapping[str, str]], remarks: Counter[str]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        proofs: list[str] = []
        for cells in said:
            channel, action = cells["channel"], cells["action"]
            declared = self._consent.get(channel)
            if action == "given" and declared is None:
                remarks[f"consent_{channel}: {NO_PROOF}"] += 1
                continue
            columns[f"consent_{channel}"] = action
            columns.setdefault("consent_at", self._now)
            proofs.append(cells["evidence"])
            if action == "given" and declared is not None:
                columns["consent_at"] = declared["at"]
                proofs.append(f"{declared['basis']}: {declared['evidence']}")
        if proofs:
            columns["consent_evidence"] = "; ".join(proofs)
        return columns
