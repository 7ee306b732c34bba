"""Who has a second step beside the password, and who must have one."""

from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from crm.core.models import AuditEntry, SignInPolicy

TOTP, CODES = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES


@dataclass(frozen=True)
class SecondStep:
    """A person's second step as their own page shows it."""

    is_required: bool
    since: datetime | None
    """When it was set up; None while it is off."""
    used_at: datetime | None
    codes_left: int

    @property
    def is_on(self) -> bool:
        return self.since is not None


def second_step_of(user_id: int) -> SecondStep:
    """Return a person's second step."""
    mine = {row.type: row for row in Authenticator.objects.filter(user_id=user_id)}
    phone, codes = mine.get(TOTP), mine.get(CODES)
    return SecondStep(
        is_required=is_second_step_required(),
        since=phone.created_at if phone else None,
        used_at=phone.last_used_at if phone else None,
        codes_left=codes_left(codes) if codes else 0,
    )


def codes_left(codes: Authenticator) -> int:
    """Return how many recovery codes still open the door; nothing is decrypted for it."""
    return int(app_settings.RECOVERY_CODE_COUNT - int(codes.data["used_mask"]).bit_count())


def has_second_step(user_id: int) -> bool:
    """Tell whether somebody's password alone no longer signs them in."""
    return bool(Authenticator.objects.filter(user_id=user_id, type=TOTP).exists())


def with_second_step(people: QuerySet[User]) -> QuerySet[User]:
    """Note for each of the people whether they have a second step."""
    theirs = Authenticator.objects.filter(user_id=OuterRef("pk"), type=TOTP)
    return people.annotate(has_second_step=Exists(theirs))


def is_second_step_required() -> bool:
    """Tell whether the owner requires a second step of everybody."""
    return SignInPolicy.objects.filter(second_step_required=True).exists()


def lacks_second_step(user_id: int) -> bool:
    """Tell whether somebody must set up a second step before anything else."""
    return is_second_step_required() and not has_second_step(user_id)


def reset_since(user_id: int, moment: datetime | None) -> AuditEntry | None:
    """Return the last reset of somebody's second step that they have not been told of."""
    entries = AuditEntry.objects.filter(
        object_type="auth.user", object_id=str(user_id), action="second_step.reset",
        at__gt=moment or datetime.min.replace(tzinfo=UTC),
    )  # fmt: skip
    return entries.select_related("actor").first()
