"""Doing a call's work once, however often the call arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm.core.enums import IdempotencyState
from crm.core.errors import DomainError, WrongStateError
from crm.core.models import IdempotencyRecord

KEPT_FOR = timedelta(hours=24)
CLAIM_LASTS = timedelta(minutes=15)
"""Longer than any request may run. A claim's work commits together with its answer, so that an
old claim without an answer belongs to a process that died and left nothing behind."""
_PURGED_AT_ONCE = 100


class KeyReusedError(DomainError):
    code = "idempotency_key_reused"


class CallInProgressError(WrongStateError):
    code = "call_in_progress"


@dataclass(frozen=True)
class Claim:
    """The right to do a call's work now, or, with an answer, the news that it was done."""

    record_id: int
    claimed_at: datetime
    answer: "StoredAnswer | None" = None


@dataclass(frozen=True)
class StoredAnswer:
    status_code: int
    body: Any
    headers: Mapping[str, str]


def claim_call(*, user_id: int, key: str, fingerprint: str, now: datetime) -> Claim:
    """Claim a call, or return its stored answer.

    Raises KeyReusedError when the key came with another call, and CallInProgressError while the
    first one is still being answered. Commits at once, so that others see the claim.
    """
    _purge(now)
    try:
        with transaction.atomic():
            record = IdempotencyRecord.objects.create(
                user_id=user_id,
                key=key,
                fingerprint=fingerprint,
                created_at=now,
                claimed_at=now,
            )
        return Claim(record.pk, now)
    except IntegrityError:
        return _claim_again(user_id=user_id, key=key, fingerprint=fingerprint, now=now)


def store_answer(*, claim: Claim, status_code: int, body: Any, headers: Mapping[str, str]) -> None:
    """Keep a claimed call's answer; call it in the transaction that does the work."""
    stored = IdempotencyRecord.objects.filter(
        pk=claim.record_id, state=IdempotencyState.RUNNING, claimed_at=claim.claimed_at
    ).update(state=IdempotencyState.DONE, status_code=status_code, body=body, headers=dict(headers))
    if not stored:
        raise CallInProgressError(_("This call took too long and was started again."))


def release_call(*, claim: Claim) -> None:
    """Give a claim back after a refusal, so that the corrected call may use the same key."""
    IdempotencyRecord.objects.filter(
        pk=claim.record_id, state=IdempotencyState.RUNNING, claimed_at=claim.claimed_at
    ).delete()


def _claim_again(*, user_id: int, key: str, fingerprint: str, now: datetime) -> Claim:
    """Decide about a key that is taken: answered, in progress, expired or left by the dead."""
    with transaction.atomic():
        record = (
            IdempotencyRecord.objects.select_for_update().filter(user_id=user_id, key=key).first()
        )
        if record is None:
            raise CallInProgressError(_("The same call was just being answered. Send it again."))
        is_expired = record.created_at <= now - KEPT_FOR
        is_abandoned = (
            record.state == IdempotencyState.RUNNING and record.claimed_at <= now - CLAIM_LASTS
        )
        if not is_expired and record.fingerprint != fingerprint:
            raise KeyReusedError(
                _("This Idempotency-Key came with another call before. Use a new key.")
            )
        if is_expired or is_abandoned:
            record.fingerprint = fingerprint
            record.state = IdempotencyState.RUNNING
            record.status_code = None
            record.created_at = now
            record.claimed_at = now
            record.save()
            return Claim(record.pk, now)
        if record.state == IdempotencyState.RUNNING:
            raise CallInProgressError(
                _("The same call is still being answered. Send it again in a few seconds.")
            )
        answer = StoredAnswer(record.status_code or 200, record.body, record.headers)
        return Claim(record.pk, record.claimed_at, answer)


def _purge(now: datetime) -> None:
    """Remove some of what is older than a day; each call takes its share of the work."""
    old = IdempotencyRecord.objects.made_before(now - KEPT_FOR).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:_PURGED_AT_ONCE])
    if ids:
        IdempotencyRecord.objects.made_before(now - KEPT_FOR).filter(pk__in=ids).delete()
