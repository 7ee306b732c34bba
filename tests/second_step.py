"""A phone for tests: the codes an authenticator app would show."""

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

SET_UP, CODE, CODES = (f"/admin/second-step/{page}/" for page in ("set-up", "code", "codes"))


def code_of(secret: str, ahead: int = 0) -> str:
    """Return the code of now, or of so many half minutes later or earlier."""
    return format_hotp_value(hotp_value(secret.replace(" ", ""), int(time.time()) // 30 + ahead))


def next_code(secret: str) -> str:
    """Return a code that is good after the set-up."""
    return code_of(secret, 1)


def other_code(secret: str) -> str:
    """Return a code that is wrong now."""
    near = {code_of(secret, ahead) for ahead in range(-3, 4)}
    return next(text for text in ("111111", "222222", "333333") if text not in near)


def set_up(client) -> tuple[str, list[str]]:
    """Set up the second step of who has just signed in; return the secret and the codes.

    It is typed in with the code of now: from then on the code of the half minute after is good,
    also when that has begun meanwhile.
    """
    secret = client.get(SET_UP).context["form"].secret
    answer = client.post(SET_UP, {"code": code_of(secret)}, follow=True)
    return secret, answer.context["codes"]
