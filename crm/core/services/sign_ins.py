"""Remember where people are signed in, sign them out elsewhere, let locked ones in again."""

from datetime import datetime

from axes.utils import reset
from django.contrib.sessions.models import Session
from django.db import transaction

from crm.core.models import SignIn
from crm.core.services.audit import record_audit

LONGEST_DEVICE = 255


def note_sign_in(
    *, user_id: int, session_key: str, device: str, address: str | None, now: datetime
) -> SignIn:
    """Write down a browser that somebody signed in with, or that was seen again."""
    seen, _created = SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user_id": user_id,
            "device": device[:LONGEST_DEVICE],
            "address": address,
            "seen_at": now,
        },
    )
    return seen


def forget_sign_in(*, session_key: str) -> None:
    """Take a browser off the list: somebody signed out there."""
    SignIn.objects.filter(session_key=session_key).delete()


def end_other_sign_ins(*, user_id: int, session_key: str) -> int:
    """Sign somebody out everywhere but here; return how many browsers that were."""
    with transaction.atomic():
        others = SignIn.objects.filter(user_id=user_id).exclude(session_key=session_key)
        keys = list(others.values_list("session_key", flat=True))
        ended = Session.objects.filter(session_key__in=keys).delete()[0]
        others.delete()
        if ended:
            record_audit(
                actor_id=user_id,
                action="session.ended",
                object_type="auth.user",
                object_id=str(user_id),
                details={"count": ended},
            )
    return ended


def living_keys(*, user_id: int, now: datetime) -> list[str]:
    """Return the sessions of somebody that still open a door; the others are taken off the list."""
    mine = SignIn.objects.filter(user_id=user_id)
    keys = list(mine.values_list("session_key", flat=True))
    living = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    found = list(living.values_list("session_key", flat=True))
    mine.exclude(session_key__in=found).delete()
    return found


def unlock_sign_in(*, username: str, address: str | None, user_id: int) -> None:
    """Let somebody try again who was locked out by wrong passwords."""
    reset(ip=address, username=username)
    record_audit(
        actor_id=user_id,
        action="sign_in.unlocked",
        object_type="auth.user",
        object_id=username[:64],
        details={"name": username},
    )
