"""Why a place does not give its files, in words for staff."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from customers.errors import PlaceError

WORDS = {
    "folder_not_allowed": gettext_lazy(
        "The folder %(folder)s does not lie below one that this server may read; the setting "
        "IMPORT_FOLDERS lists those."
    ),
    "folder_missing": gettext_lazy("There is no folder %(folder)s that can be read."),
    "file_unreadable": gettext_lazy("The file %(file)s cannot be read."),
    "file_changed": gettext_lazy(
        "The file %(file)s changed while it was read; somebody still writes it."
    ),
    "too_large": gettext_lazy("The file %(file)s has more than %(most)s bytes. Split it."),
    "no_room": gettext_lazy("This server has no room left for the file."),
    "too_slow": gettext_lazy("The file was not here after %(seconds)s seconds."),
    "address_invalid": gettext_lazy(
        "Give an address such as https://files.example.com/orders.csv, with nothing before the "
        "host's name."
    ),
    "host_unknown": gettext_lazy("There is no host “%(host)s”."),
    "host_not_public": gettext_lazy(
        "The host %(host)s is not on the public internet; the setting IMPORT_ALLOWED_NETWORKS "
        "lists the networks of one's own that may be asked."
    ),
    "unreachable": gettext_lazy("The host %(host)s does not answer, or broke off."),
    "certificate": gettext_lazy("The host %(host)s has no certificate that can be trusted."),
    "redirected": gettext_lazy(
        "The host %(host)s sends on to another address, which is not followed; give the file's own."
    ),
    "refused": gettext_lazy("The host %(host)s refused to give the file (status %(status)s)."),
    "host_key_unconfirmed": gettext_lazy(
        "Nobody has confirmed the key of the host %(host)s yet: compare its fingerprint and "
        "confirm it on this page."
    ),
    "host_key_changed": gettext_lazy(
        "The host %(host)s shows another key than the one that was confirmed. Somebody may stand "
        "in between; ask its owner, then confirm the new key."
    ),
    "login_refused": gettext_lazy("The host %(host)s refused the user name or the secret."),
    "key_unreadable": gettext_lazy(
        "The private key cannot be read; paste it whole, without a passphrase."
    ),
    "secret_unreadable": gettext_lazy(
        "The secret cannot be read, because SECRET_KEY has changed. Enter it anew."
    ),
}  # fmt: skip


def problem(reason: str, **parameters: object) -> PlaceError:
    """Return the refusal of one reason, worded in the current language."""
    told = {name: str(value) for name, value in parameters.items()}
    return PlaceError(problem_words(reason, told), reason, **told)


def problem_words(reason: str, parameters: Mapping[str, Any]) -> str:
    """Word a stored reason; an unknown one says its own name."""
    return str(WORDS[reason]) % dict(parameters) if reason in WORDS else reason
