"""How django-allauth behaves here: no sign-up, no mails, secrets sealed, refusals in our words."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.core.selectors.second_step import is_second_step_required
from crm.core.services.sealing import seal, unseal

FRESH = ("mfa_activate_totp", "mfa_view_recovery_codes")
"""Pages for which a sign-in of a moment ago is proof enough: they only add."""


class AccountAdapter(DefaultAccountAdapter):
    """People are made by the owner, in the list of people."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_password": _("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let nobody sign up."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: our pages say it themselves."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask for the password again, but not of who has just typed it and only adds."""
        match = self.request.resolver_match
        if match is None or match.url_name not in FRESH:
            return True
        records = get_authentication_records(self.request, self.request.user)
        since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        return not any(record["at"] > since for record in records)


class SecondStepAdapter(DefaultMFAAdapter):
    """Secrets are stored sealed, as those of saved imports are."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong or was used before. Wait for the next one."),
        "cannot_delete_authenticator": _(
            "The owner requires a second step of everybody: it cannot be switched off."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret; raises SealBrokenError when SECRET_KEY has changed."""
        return unseal(encrypted_text)

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        """Name a person as they sign in; the shop's host tells one Huike from another."""
        return f"{user.get_username()}@{self._get_site_name()}"

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Refuse to switch off what is required of everybody."""
        return not is_second_step_required()
