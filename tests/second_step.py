"""A phone for tests: the codes an authenticator app would show."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

SET_UP, CODE, CODES = (f"/admin/second-step/{page}/" for page in ("set-up", "code", "codes"))


def code_of(secret: str, ahead: int = 0) -> str:
    """Return the code of now, or of so many half minutes later or earlier."""
    return format_hotp_value(hotp_value(secret.replace(" ", ""), int(time.time()) // 30 + ahead))


def other_code(secret: str) -> str:
    """Return a code that is wrong now."""
    near = {code_of(secret, ahead) for ahead in range(-3, 4)}
    return next(text for text in ("111111", "222222", "333333") if text not in near)


def set_up(client) -> tuple[str, list[str]]:
    """Set up the second step of who has just signed in; return the secret and the codes.

    The code that was typed is of the half minute before, so that that of now is still good.
    """
    secret = client.get(SET_UP).context["form"].secret
    answer = client.post(SET_UP, {"code": code_of(secret, -1)}, follow=True)
    return secret, answer.context["codes"]


def used_again(username: str) -> None:
    """Let the last code be good again: minutes have passed."""
    from django.core.cache import cache

    cache.clear()
    for row in Authenticator.objects.filter(user__username=username, type="totp"):
        row.data.pop("huike_last", None)
        row.save()
