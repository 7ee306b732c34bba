"""Secrets that must be used again, such as passwords of other hosts: never stored in clear."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from crm.core.errors import DomainError


class SealBrokenError(DomainError):
    """The secret was sealed under another SECRET_KEY, or tampered with."""

    code = "seal_broken"


def seal(text: str) -> str:
    """Return a secret encrypted under a key derived from SECRET_KEY."""
    return _sealer().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Return a sealed secret; raises SealBrokenError when SECRET_KEY has changed."""
    try:
        return _sealer().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBrokenError(_("The secret cannot be read; enter it anew.")) from None


def _sealer() -> MultiFernet:
    """Return what seals under today's key and opens under former ones, too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"huike sealed secrets 1")
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
