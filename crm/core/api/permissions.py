"""What a caller may do: the key's scope and the permissions of the person behind it."""

from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed, NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm.core.enums import ApiScope
from crm.core.models import ApiKey
from crm.core.selectors.reach import may_open

VERBS = {
    "GET": "view",
    "HEAD": "view",
    "OPTIONS": "view",
    "POST": "add",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "delete",
}


class ScopedModelPermissions(BasePermission):
    """Let a call through only with a sign-in, the key's scope and the model's permission.

    A view names its model by ``queryset``; ``action_verbs`` says which permission an extra action
    needs when it is not the one of its method.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse with the reason: no key, wrong scope, missing permission."""
        if not may_enter(request):
            return False
        check_scope(request)
        require(request, permission_needed(request, view))
        return True


class SignedInPermission(BasePermission):
    """Let any usable key, or a member of staff, read what describes the API itself."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse anonymous callers and customers' sessions."""
        if not may_enter(request):
            return False
        check_scope(request)
        return True


def may_enter(request: Request) -> bool:
    """Tell whether somebody is there: a key's user, or a member of staff with a session.

    Raises NotFound where nothing is for somebody whose rights end at some rows.
    """
    user = request.user
    if not user or not user.is_authenticated:
        return False
    if not (isinstance(request.auth, ApiKey) or bool(getattr(user, "is_staff", False))):
        return False
    match = request.resolver_match
    if match is not None and not may_open(user, match.view_name):
        raise NotFound
    return True


def check_scope(request: Request) -> None:
    """Refuse what the key's scopes do not cover."""
    if not isinstance(request.auth, ApiKey):
        return
    needed = ApiScope.READ if request.method in SAFE_METHODS else ApiScope.WRITE
    if needed not in request.auth.scopes:
        raise PermissionDenied(
            _("This key lacks the scope “%(scope)s”. Use a key that has it.") % {"scope": needed},
            code="missing_scope",
        )


def require(request: Request, permission: str) -> None:
    """Refuse unless the caller holds ``permission``, such as ``customers.view_customer``."""
    if not request.user.has_perm(permission):
        raise PermissionDenied(
            _("The person this call acts as lacks the permission “%(permission)s”.")
            % {"permission": permission},
            code="missing_permission",
        )


def permission_needed(request: Request, view: Any) -> str:
    """Return the permission a call needs; raises MethodNotAllowed for methods without one."""
    method = request.method or ""
    if method not in VERBS:
        raise MethodNotAllowed(method)
    action = getattr(view, "action", None)
    verb = getattr(view, "action_verbs", {}).get(action, VERBS[method])
    model: type[Model] = view.queryset.model
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"
