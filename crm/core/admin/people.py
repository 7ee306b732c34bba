"""People, roles, locked sign-ins, and where one is signed in."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.core.admin.base import ListAdmin, ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.models import SignIn
from crm.core.registry import registry
from crm.core.selectors.roles import role_name, role_names
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


def _names_for(request: Any) -> dict[int, str]:
    """Return what to call each group, looked up once for a page."""
    if not hasattr(request, "role_names"):
        request.role_names = role_names(Group.objects.all())
    found: dict[int, str] = request.role_names
    return found


class RoleChoice(forms.ModelMultipleChoiceField):
    """Groups to choose from, those of roles by their name in the reader's language."""

    @cached_property
    def names(self) -> dict[int, str]:
        return role_names(Group.objects.all())

    def label_from_instance(self, obj: Any) -> str:
        return self.names.get(obj.pk, str(obj))


class RoleFilter(admin.SimpleListFilter):
    """Keeps the people of one role or group."""

    title = gettext_lazy("role")
    parameter_name = "groups__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every group."""
        found = _names_for(request)
        return sorted(((str(pk), name) for pk, name in found.items()), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those in the group; of what is no group, nobody."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(groups=value) if value.isdecimal() else queryset.none()


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

    list_filter = ("is_staff", "is_superuser", "is_active", RoleFilter)

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = (
        "username",
        "first_name",
        "last_name",
        "role_words",
        "is_staff",
        "is_active",
        "second_step",
        "last_login",
    )
    actions = ("reset_second_step",)
    list_before_template = "core/people_before.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Head the list as the side bar calls it; say whether a second step is required."""
        told = {
            "heading": _("People"),
            "lone_page": True,
            "is_second_step_required": is_second_step_required(),
            "may_require": request.user.has_perm("core.change_signinpolicy"),
        }
        return super().changelist_view(request, {**told, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Read everybody's roles together, and whether they have a second step."""
        return with_second_step(super().get_queryset(request).prefetch_related("groups"))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name roles by what they are called now, looked up once for the whole list."""
        found = _names_for(request)

        @admin.display(description=_("roles"))
        def role_words(person: User) -> str:
            names = (found.get(group.pk, group.name) for group in person.groups.all())
            return ", ".join(sorted(names)) or "–"

        return [role_words if name == "role_words" else name for name in self.list_display]

    @admin.display(description=gettext_lazy("roles"))
    def role_words(self, person: User) -> str:
        names = role_names(person.groups.all())
        return ", ".join(sorted(names.values())) or "–"

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Offer roles by their name in the reader's language."""
        if db_field.name == "groups":
            kwargs["form_class"] = RoleChoice
        return super().formfield_for_manytomany(db_field, request, **kwargs)

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


class RoleForm(forms.ModelForm):
    """A group; a role's name is shown in the reader's language, and stays as it is stored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["name"] = role_name(self.instance)

    def clean_name(self) -> str:
        """Take the shown name for the stored one."""
        name: str = self.cleaned_data["name"]
        if self.instance.pk and name == self.initial.get("name"):
            return str(Group.objects.values_list("name", flat=True).get(pk=self.instance.pk))
        return name


@admin.register(Group)
class RoleAdmin(_UsefulPermissions, GroupAdmin, ModelAdmin):
    """Django's page for groups in our looks: the roles, and groups of one's own.

    Upper apps add fields by a slot.
    """

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Add the fields of the slot, as the role has them."""
        made = {entry.key: entry.make() for entry in registry.role_fields}
        for entry in registry.role_fields:
            made[entry.key].initial = entry.initial(obj.pk if obj else None)
        kwargs["form"] = type("RoleForm", (RoleForm,), made)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the slot's fields between the name and the permissions."""
        added = [entry.key for entry in registry.role_fields]
        return ((None, {"fields": ("name", *added, "permissions")}),)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hand what was changed in the slot's fields over to who put them there."""
        super().save_related(request, form, formsets, change)
        for entry in registry.role_fields:
            if entry.key in form.changed_data:
                entry.save(
                    group_id=form.instance.pk,
                    value=form.cleaned_data[entry.key],
                    user_id=request.user.pk,
                )

    form = RoleForm
    list_display = ("name",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Head the list as the side bar calls it."""
        told = {"heading": _("Roles"), "lone_page": True}
        return super().changelist_view(request, {**told, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Name roles in the reader's language, looked up once for the whole list."""
        found = _names_for(request)

        @admin.display(description=_("name"), ordering="name")
        def name(group: Group) -> str:
            return found.get(group.pk, group.name)

        return [name]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Let pages about a group call it as the list does."""
        group: Any = super().get_object(request, object_id, from_field)
        if group is not None:
            group.shown_name = role_name(group)
        return group


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
