"""What customers allow: an append-only log; the newest line counts."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from django.utils.translation import gettext as _

from customers.enums import Channel, ConsentAction, SuppressionReason
from customers.errors import ConsentEvidenceError
from customers.models import Consent, Suppression
from customers.services.identities import normalise_email, normalise_phone


def record_consent(
    *,
    customer_id: int,
    channel: Channel,
    action: ConsentAction,
    at: datetime,
    source_id: int,
    evidence: str,
    topic: str = "marketing",
) -> Consent:
    """Add a line to the log; the same line twice is one.

    Raises ConsentEvidenceError when nothing says where and how it was given.
    """
    if not evidence.strip():
        raise ConsentEvidenceError(
            _("Say where and how consent was given: without evidence there is none.")
        )
    line, _created = Consent.objects.get_or_create(
        customer_id=customer_id,
        channel=channel,
        topic=topic,
        at=at,
        action=action,
        defaults={"source_id": source_id, "evidence": evidence.strip()},
    )
    return line


def consented(
    *, customer_ids: Collection[int], channel: Channel, topic: str = "marketing"
) -> set[int]:
    """Return those of ``customer_ids`` whose newest line says yes, in one query."""
    lines = Consent.objects.filter(
        customer_id__in=customer_ids, channel=channel, topic=topic
    ).latest_per_channel()
    return {line.customer_id for line in lines if line.action == ConsentAction.GIVEN}


def suppress(
    *, channel: Channel, address: str, reason: SuppressionReason, now: datetime
) -> Suppression:
    """Block an address for good; a second reason does not replace the first."""
    row, _created = Suppression.objects.get_or_create(
        channel=channel,
        address_hash=address_hash(channel, address),
        defaults={"reason": reason, "at": now},
    )
    return row


def is_suppressed(*, channel: Channel, address: str) -> bool:
    """Tell whether an address is blocked."""
    return Suppression.objects.filter(
        channel=channel, address_hash=address_hash(channel, address)
    ).exists()


def address_hash(channel: Channel, address: str) -> str:
    """Hash the normalised address: the block outlives the erasure of the address itself."""
    normal = normalise_email(address) if channel == Channel.EMAIL else normalise_phone(address)
    return hashlib.sha256(f"{channel}:{normal}".encode()).hexdigest()
