"""Keys for integrations: made, checked, revoked."""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.core.enums import ApiScope
from crm.core.errors import DomainError, NotFoundError
from crm.core.models import ApiKey
from crm.core.services.audit import record_audit

_ALPHABET = string.ascii_letters + string.digits
_TOKEN = re.compile(r"hk_([0-9a-z]{12})_([0-9A-Za-z]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)
_NO_HASH = hashlib.sha256(b"").hexdigest()


class ApiKeyRefusedError(DomainError):
    """The key opens nothing: unknown, expired, revoked, or its person has left."""

    code = "invalid_api_key"
    status = 401


class UnknownScopeError(DomainError):
    code = "unknown_scope"


def create_api_key(
    *,
    name: str,
    user_id: int,
    scopes: Sequence[str],
    expires_at: datetime | None,
    now: datetime,
    actor_id: int | None = None,
    request_id: str = "",
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret text, which is stored nowhere."""
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(ApiScope.values):
        raise UnknownScopeError(
            _("Choose one or more of these scopes: %(scopes)s.")
            % {"scopes": ", ".join(ApiScope.values)}
        )
    if expires_at is not None and expires_at <= now:
        raise DomainError(_("The key would already have expired. Choose a later time."))
    prefix = secrets.token_hex(6)
    secret = "".join(secrets.choice(_ALPHABET) for _unused in range(43))
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            secret_hash=_hashed(secret),
            scopes=wanted,
            user_id=user_id,
            expires_at=expires_at,
        )
        key.refresh_from_db()
        record_audit(
            actor_id=actor_id or user_id,
            action="api_key.created",
            object_type="core.apikey",
            object_id=key.public_id,
            details={"name": name, "scopes": wanted, "acts_as": user_id},
            request_id=request_id,
        )
    return key, f"hk_{prefix}_{secret}"


def revoke_api_key(
    *, key_id: int, now: datetime, actor_id: int | None = None, request_id: str = ""
) -> ApiKey:
    """Close a key for good; revoking it again changes nothing."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
        if key is None:
            raise NotFoundError(_("There is no such key."))
        if key.revoked_at is not None:
            return key
        key.revoked_at = now
        key.save(update_fields=["revoked_at", "updated_at"])
        record_audit(
            actor_id=actor_id,
            action="api_key.revoked",
            object_type="core.apikey",
            object_id=key.public_id,
            details={"name": key.name},
            request_id=request_id,
        )
    return key


def check_api_key(*, token: str, now: datetime) -> ApiKey:
    """Return the key a token opens, noting its use once a minute; raises ApiKeyRefusedError.

    Why a key is refused is told only to who knows its secret.
    """
    match = _TOKEN.fullmatch(token)
    key = None
    if match:
        key = ApiKey.objects.select_related("user").filter(prefix=match.group(1)).first()
    stored = key.secret_hash if key else _NO_HASH
    offered = _hashed(match.group(2)) if match else _hashed("")
    if not hmac.compare_digest(stored, offered) or key is None or match is None:
        raise ApiKeyRefusedError(_("This API key is not known. Check that it is complete."))
    if key.revoked_at is not None:
        raise _refused("revoked_api_key", _("This API key was revoked. Ask for a new one."))
    if key.expires_at is not None and key.expires_at <= now:
        raise _refused("expired_api_key", _("This API key has expired. Ask for a new one."))
    if not key.user.is_active:
        raise _refused("inactive_user", _("The person this API key acts as is no longer active."))
    _note_use(key, now)
    return key


def _note_use(key: ApiKey, now: datetime) -> None:
    """Store when the key was last used, at most once a minute."""
    before = now - _USE_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=before)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _refused(code: str, message: str) -> ApiKeyRefusedError:
    error = ApiKeyRefusedError(message)
    error.code = code
    return error


def _hashed(secret: str) -> str:
    """Hash a secret of 256 random bits; such a secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
