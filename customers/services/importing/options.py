"""What staff may say about a file before it is read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from customers.connectors.values import Rules
from customers.enums import Channel
from customers.errors import InvalidOptionsError

KEEPABLE = (
    "name", "email", "phone", "country", "city", "language", "time_zone", "birthday", "status",
    "promised_at", "delivered_at", "title", "unit_cost", "category", "price", "stock",
)  # fmt: skip
"""Columns that may be kept as they are held; keys, amounts and times of orders are the file's."""
CONSENT_CHANNELS = (Channel.EMAIL, Channel.SMS)


@dataclass(frozen=True)
class GivenConsent:
    """What the owner declares about everybody in a file, for one channel."""

    at: str
    basis: str
    evidence: str


@dataclass(frozen=True)
class Options:
    """How a file's rows meet what is held.

    ``keep`` names columns whose held value a file never overwrites; ``consent`` says per channel
    what everybody in the file agreed to, when, on which legal basis and how it can be proved;
    ``rules`` says how cells are read where that differs from what was guessed.
    """

    keep: tuple[str, ...] = ()
    consent: Mapping[str, GivenConsent] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads."""
        consent = {channel: asdict(given) for channel, given in self.consent.items()}
        return {"keep": list(self.keep), "consent": consent, "rules": dict(self.rules)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Options":
        """Return checked options; raises InvalidOptionsError that says what to correct."""
        unknown = sorted(set(given) - {"keep", "consent", "rules"})
        if unknown:
            raise InvalidOptionsError(
                _("There are no options %(names)s.") % {"names": ", ".join(unknown)}
            )
        keep = tuple(map(str, given.get("keep", ())))
        if strange := sorted(set(keep) - set(KEEPABLE)):
            raise InvalidOptionsError(
                _("These columns cannot be kept: %(names)s. Choose from: %(all)s.")
                % {"names": ", ".join(strange), "all": ", ".join(KEEPABLE)}
            )
        try:
            Rules.from_json(given.get("rules", {}))
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidOptionsError(
                _("The rules cannot be read: %(error)s.") % {"error": error}
            ) from error
        consent = given.get("consent", {})
        return cls(keep, {name: _consent(name, told) for name, told in consent.items()},
                   dict(given.get("rules", {})))  # fmt: skip


def _consent(channel: str, told: Mapping[str, Any]) -> GivenConsent:
    if channel not in CONSENT_CHANNELS:
        raise InvalidOptionsError(
            _("Consent can be declared for: %(names)s.") % {"names": ", ".join(CONSENT_CHANNELS)}
        )
    texts = {name: str(told.get(name, "")).strip() for name in ("at", "basis", "evidence")}
    if not all(texts.values()):
        raise InvalidOptionsError(
            _("Consent needs the day it was given, the legal basis and the evidence.")
        )
    try:
        at = datetime.fromisoformat(texts["at"])
    except ValueError:
        raise InvalidOptionsError(
            _("“%(text)s” is no date; write it as 2026-03-31.") % {"text": texts["at"]}
        ) from None
    return GivenConsent(at.isoformat(), texts["basis"][:200], texts["evidence"][:700])
