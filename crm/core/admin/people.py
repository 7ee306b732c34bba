"""People, roles, locked sign-ins, and where one is signed in."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.core.admin.base import ListAdmin, ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.models import SignIn
from crm.core.selectors.second_step import is_second_step_required, with_second_step
from crm.core.services import second_step, sign_ins

BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("MicroMessenger", "WeChat"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip

PAGELESS = ("account", "mfa")
# allauth's own lists would show sealed secrets to no use.
for stock in (
    User, Group, AccessAttempt, AccessLog, AccessFailureLog, Authenticator, EmailAddress,
):  # fmt: skip
    admin.site.unregister(stock)


class _UsefulPermissions:
    """A choice of permissions without those of tables that have no page."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Leave allauth's out: giving them would change nothing."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]  # an admin beside it
        if db_field.related_model is Permission:
            field.queryset = field.queryset.exclude(content_type__app_label__in=PAGELESS)
        return field


@admin.register(User)
class PersonAdmin(_UsefulPermissions, UserAdmin, ModelAdmin):
    """Django's page for people in our looks."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username", "first_name", "last_name", "is_staff", "is_active", "second_step", "last_login",
    )  # fmt: skip
    actions = ("reset_second_step",)
    list_before_template = "core/people_before.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return with_second_step(super().get_queryset(request))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say whether a second step is required, and let the owner change that."""
        told = {
            "is_second_step_required": is_second_step_required(),
            "may_require": request.user.has_perm("core.change_signinpolicy"),
        }
        return super().changelist_view(request, {**told, **(extra_context or {})})

    @admin.display(description=gettext_lazy("second step"), boolean=True)
    def second_step(self, person: Any) -> bool:
        return bool(person.has_second_step)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Tell who may let people in again who lost their phone."""
        return bool(request.user.has_perm("auth.change_user"))

    @admin.action(description=gettext_lazy("Reset the second step"), permissions=["reset"])
    def reset_second_step(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Take the second step of the chosen people away; they are told at the next sign-in."""
        for person in queryset.order_by("username"):
            try:
                second_step.reset_second_step(user_id=person.pk, actor_id=request.user.pk)
            except DomainError as error:
                messages.warning(request, error.message)
            else:
                messages.success(
                    request,
                    _(
                        "The second step of “%(name)s” is reset. They are signed out everywhere "
                        "and sign in by the password alone until they set it up again."
                    )
                    % {"name": person.username},
                )

    def get_urls(self) -> list[URLPattern]:
        """Add the switch that requires a second step of everybody."""
        switch = self.admin_site.admin_view(require_POST(self.require_second_step))
        return [path("second-step/", switch, name="auth_user_second_step"), *super().get_urls()]

    def require_second_step(self, request: HttpRequest) -> HttpResponse:
        """Require a second step of everybody, or leave it to them."""
        if not request.user.has_perm("core.change_signinpolicy"):
            raise PermissionDenied
        is_required = request.POST.get("required") == "1"
        try:
            second_step.require_second_step(is_required=is_required, actor_id=request.user.pk or 0)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(
                request,
                _("A second step is required now. Who has none was signed out and sets it up.")
                if is_required
                else _("A second step is everybody's own choice again."),
            )
        return HttpResponseRedirect(reverse("admin:auth_user_changelist"))


@admin.register(Group)
class RoleAdmin(_UsefulPermissions, GroupAdmin, ModelAdmin):
    """Django's page for groups in our looks: the roles, and groups of one's own."""


@admin.register(AccessAttempt)
class LockedSignInAdmin(ReadOnlyAdmin):
    list_display = ("username", "ip_address", "failures_since_start", "state", "attempt_time")
    list_display_links = ("username",)
    fields = ("username", "ip_address", "failures_since_start", "state", "attempt_time")
    readonly_fields = ("state",)
    actions = ("unlock",)
    empty_words = gettext_lazy("Nobody has mistyped a password of late.")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Head the list by what it is for."""
        told = {"heading": _("Locked sign-ins"), "lone_page": True}
        return super().changelist_view(request, {**told, **(extra_context or {})})

    @admin.display(description=gettext_lazy("state"))
    def state(self, attempt: AccessAttempt) -> str:
        if attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT:
            return _("Locked")
        return _("Wrong passwords")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Tell who may let people in again."""
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @admin.action(description=gettext_lazy("Unlock"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let the chosen people try again at once."""
        for attempt in queryset:
            sign_ins.unlock_sign_in(
                username=attempt.username or "",
                address=attempt.ip_address,
                user_id=request.user.pk or 0,
            )
        messages.success(request, _("The chosen people may try again."))


@admin.register(SignIn)
class SignInAdmin(ListAdmin):
    """One's own browsers, for everybody on the staff; nobody sees those of others."""

    list_display = ("what", "address", "created_at", "seen_at", "here")
    list_display_links = ("what",)
    fields = ("what", "device", "address", "created_at", "seen_at")
    readonly_fields = ("what",)
    list_before_template = "core/sign_ins_before.html"

    @admin.display(description=gettext_lazy("device"))
    def what(self, sign_in: SignIn) -> str:
        return device_words(sign_in.device)

    @admin.display(description=gettext_lazy("this one"), boolean=True)
    def here(self, sign_in: Any) -> bool:
        return bool(sign_in.is_here)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignIn]:
        """Keep one's own that still open a door."""
        from django.db.models import BooleanField, Case, Value, When

        living = sign_ins.living_keys(user_id=request.user.pk or 0, now=timezone.now())
        here = When(session_key=request.session.session_key, then=Value(True))
        return (
            super()
            .get_queryset(request)
            .filter(user_id=request.user.pk, session_key__in=living)
            .annotate(is_here=Case(here, default=Value(False), output_field=BooleanField()))
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let everybody on the staff look: the rows are their own anyhow."""
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the way out of all other browsers."""
        others = self.admin_site.admin_view(require_POST(self.end_others))
        return [path("others/", others, name="core_signin_others"), *super().get_urls()]

    def end_others(self, request: HttpRequest) -> HttpResponse:
        """Sign out everywhere but here."""
        if not request.user.is_authenticated or request.session.session_key is None:
            raise PermissionDenied
        ended = sign_ins.end_other_sign_ins(
            user_id=request.user.pk, session_key=request.session.session_key
        )
        messages.success(
            request,
            ngettext(
                "Signed out on %(count)d other device.",
                "Signed out on %(count)d other devices.",
                ended,
            )
            % {"count": ended},
        )
        return HttpResponseRedirect(reverse("admin:core_signin_changelist"))


def device_words(agent: str) -> str:
    """Say which browser on which system sent ``agent``, as far as it tells."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "")
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")
