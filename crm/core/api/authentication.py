"""Who is calling: an API key, named in one header."""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crm.core.models import ApiKey
from crm.core.services import keys


class ApiKeyAuthentication(BaseAuthentication):
    """Read ``Authorization: Bearer hk_<prefix>_<secret>``; other headers are not looked at."""

    realm = "huike"

    def authenticate(self, request: Request) -> tuple[object, ApiKey] | None:
        """Return the key's user and the key; None without a header of this kind."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(
                _("Only “Authorization: Bearer hk_…” is understood."), code="invalid_api_key"
            )
        try:
            key = keys.check_api_key(token=token.strip(), now=timezone.now())
        except keys.ApiKeyRefusedError as error:
            raise AuthenticationFailed(error.message, code=error.code) from error
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a refusal is a 401."""
        return f'Bearer realm="{self.realm}"'
