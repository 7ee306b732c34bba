"""Set up, use, reset and require the second step of the sign-in."""

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.errors import DomainError
from crm.core.models import SignIn, SignInPolicy
from crm.core.selectors.second_step import TOTP, has_second_step
from crm.core.services.audit import record_audit
from crm.core.services.sign_ins import end_other_sign_ins

LAST = "huike_last"
"""Where an authenticator keeps the half minute whose code was used last."""


class SecondStepError(DomainError):
    """There is no second step to reset, or the one who requires it of others has none."""

    code = "second_step"
    status = 409


def use_code(*, authenticator_id: int, step: int) -> bool:
    """Use up the code of a half minute; False when it, or a later one, was used before.

    The database remembers, so that a code is good once whichever process is asked.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator_id)
        if step <= row.data.get(LAST, -1):
            return False
        row.data[LAST] = step
        row.save(update_fields=["data"])
    return True


def begin_second_step(*, user_id: int, session_key: str) -> None:
    """Write down that somebody set it up, and end the sign-ins a password alone had opened."""
    with transaction.atomic():
        note_second_step(user_id=user_id, action="second_step.on")
        end_other_sign_ins(user_id=user_id, session_key=session_key)


def note_second_step(*, user_id: int, action: str, left: int | None = None) -> None:
    """Write down what somebody did to their own second step."""
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="auth.user",
        object_id=str(user_id),
        details={} if left is None else {"left": left},
    )


def reset_second_step(*, user_id: int, actor_id: int | None) -> None:
    """Take somebody's second step and codes away and end all their sign-ins.

    Raises SecondStepError when there is nothing to take.
    """
    with transaction.atomic():
        person = get_user_model()._default_manager.select_for_update().get(pk=user_id)
        name = person.get_username()
        if not Authenticator.objects.filter(user_id=user_id).delete()[0]:
            raise SecondStepError(_("“%(name)s” has no second step.") % {"name": name})
        _end_sign_ins([user_id])
        record_audit(
            actor_id=actor_id,
            action="second_step.reset",
            object_type="auth.user",
            object_id=str(user_id),
            details={"name": name},
        )


def require_second_step(*, is_required: bool, actor_id: int) -> None:
    """Require a second step of everybody, or leave it to them again.

    Who has none is signed out and led to the set-up at the next sign-in. Raises SecondStepError
    when the one who asks has none: nobody shuts themselves out.
    """
    with transaction.atomic():
        if is_required and not has_second_step(actor_id):
            raise SecondStepError(
                _("Set up your own second step first, under “My settings”; then require it.")
            )
        policy, _made = SignInPolicy.objects.select_for_update().get_or_create(pk=1)
        if policy.second_step_required == is_required:
            return
        policy.second_step_required = is_required
        policy.save(update_fields=["second_step_required", "updated_at"])
        if is_required:
            having = Authenticator.objects.filter(type=TOTP).values("user_id")
            lacking = SignIn.objects.exclude(user_id__in=having).values_list("user_id", flat=True)
            _end_sign_ins([*lacking.distinct()])
        record_audit(
            actor_id=actor_id,
            action="second_step.required" if is_required else "second_step.optional",
            object_type="core.signinpolicy",
            object_id="1",
        )


def reset_by_name(*, username: str, actor_id: int | None = None) -> None:
    """Reset the second step of the person of a name; raises SecondStepError."""
    people = get_user_model()._default_manager.filter(username=username)
    user_id = people.values_list("pk", flat=True).first()
    if user_id is None:
        raise SecondStepError(_("There is nobody named “%(name)s”.") % {"name": username})
    reset_second_step(user_id=user_id, actor_id=actor_id)


def _end_sign_ins(user_ids: list[int]) -> None:
    """End every sign-in of people."""
    theirs = SignIn.objects.filter(user_id__in=user_ids)
    keys = list(theirs.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    theirs.delete()
