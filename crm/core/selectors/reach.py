"""How far a person's rights reach: which rows are there for them, and which addresses.

Somebody without a limit is not asked twice: one query in a request, kept on the person.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.apps import apps
from django.db.models import QuerySet

from crm.core.registry import OpenRoute, ReachRule, registry

KEPT = "_huike_reach"
ROUTES: Mapping[str, Mapping[str, str]] = {
    "home": {},
    "favicon": {},
    "livez": {},
    "readyz": {},
    "set_language": {},
    "terms": {},
    "account_login": {},
    "account_reauthenticate": {},
    "mfa_index": {},
    "mfa_authenticate": {},
    "mfa_activate_totp": {},
    "mfa_view_recovery_codes": {},
    "mfa_generate_recovery_codes": {},
    "mfa_deactivate_totp": {},
    "admin:index": {},
    "admin:login": {},
    "admin:logout": {},
    "admin:jsi18n": {},
    "admin:password_change": {},
    "admin:password_change_done": {},
    "admin:core_signin_changelist": {},
    "admin:core_signin_others": {},
    "admin:core_job_changelist": {},
    "admin:core_job_change": {"object_id": "core.job"},
    "admin:core_job_live": {"pk": "core.job"},
    "admin:core_job_cancel": {"pk": "core.job"},
    "api:job-list": {},
    "api:job-detail": {},
    "api:job-cancel": {},
    "api:job-error-file": {},
    "api:schema": {},
    "api-docs": {},
}
"""The addresses that limited persons may open, and whose rows their parts name."""
T = TypeVar("T", bound=QuerySet[Any])


def limit_of(user: Any) -> Any:
    """Return where a person's rights end; None for nowhere, and for nobody in particular."""
    if user is None or not user.is_authenticated:
        return None
    kept = getattr(user, KEPT, None)
    if kept is None:
        found = next((reach.limit_of(user) for reach in registry.reach), None)
        kept = (found,)
        setattr(user, KEPT, kept)
    return kept[0]


def fill() -> None:
    """Open what is of no source: oneself, one's own jobs, the words."""
    for key, rows in ROUTES.items():
        registry.open_routes.register(OpenRoute(key, rows))
    # Colleagues are known to each other; whose browsers are shown, the list itself says.
    for label in ("auth.user", "core.signin"):
        registry.reach_rules.register(ReachRule(label, lambda rows, limit, user: rows))
    # What others call their views may name what is out of somebody's reach.
    registry.reach_rules.register(
        ReachRule("core.savedview", lambda rows, limit, user: rows.filter(owner=user.pk))
    )
    registry.reach_rules.register(
        ReachRule("core.job", lambda rows, limit, user: rows.filter(created_by=user.pk))
    )


def is_limited(user: Any) -> bool:
    """Tell whether somebody's rights end somewhere."""
    return limit_of(user) is not None


def reached(rows: T, user: Any) -> T:
    """Keep the rows that are there for a person: all, or what the limit leaves of this model."""
    limit = limit_of(user)
    if limit is None:
        return rows
    key = rows.model._meta.label_lower
    if key not in registry.reach_rules:
        return rows.none()
    kept: T = registry.reach_rules.get(key).within(rows, limit, user)
    return kept


def may_open(user: Any, name: str, parts: Mapping[str, Any] | None = None) -> bool:
    """Tell whether an address is there for a person, and the rows that its parts name.

    Whoever has no limit may; what the page itself asks for is not asked here.
    """
    if not is_limited(user):
        return True
    if name not in registry.open_routes:
        return False
    return all(
        _is_there(label, (parts or {}).get(part), user)
        for part, label in registry.open_routes.get(name).rows.items()
        if parts is not None and part in parts
    )


def _is_there(label: str, value: Any, user: Any) -> bool:
    rows = reached(apps.get_model(label)._default_manager.all(), user)
    text = str(value)
    # An id that is none finds nothing: the page answers as it answers everybody.
    return not text.isdecimal() or len(text) > 18 or rows.filter(pk=int(text)).exists()
