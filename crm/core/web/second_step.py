"""The second step of the sign-in: a code of one's phone, or a recovery code, after the password."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.account.views._reauthenticate import ReauthenticateView
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from crm.core.errors import DomainError
from crm.core.selectors.audit import who_did
from crm.core.selectors.second_step import (
    CODES,
    TOTP,
    codes_left,
    is_second_step_required,
    lacks_second_step,
    reset_since,
)
from crm.core.services.sealing import unseal
from crm.core.services.second_step import begin_second_step, note_second_step, use_code
from crm.core.web.sign_in import LACKING, locked

BEHIND = ("/admin", "/api", "/setup")
OPEN = ("/admin/second-step/", "/admin/logout/")
MINE = reverse_lazy("my_settings:page")
CODE_FIELD = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}


# --- Signing in ----------------------------------------------------------------------------------
class PasswordView(LoginView):
    """After the right password allauth takes over: it signs in, or asks for the second step."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Go on to the second step, or to where somebody wanted to go."""
        user = form.get_user()
        if entry := reset_since(user.pk, user.last_login):
            when = date_format(localtime(entry.at), "DATETIME_FORMAT")
            messages.warning(
                self.request,
                _(
                    "%(who)s reset the second step of your sign-in on %(when)s. If you did not "
                    "ask for that, change your password and tell the owner. Set up the second "
                    "step again under “My settings”."
                )
                % {"who": who_did(entry), "when": when},
            )
        signing_in = Login(user=user, redirect_url=self.get_success_url())
        name = {"username": user.get_username()}
        return perform_password_login(self.request, name, signing_in)


@never_cache
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Show the admin's own door; only what follows the password differs."""
    site = admin.site
    if request.method == "GET" and site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    context = {
        **site.each_context(request),
        "title": _("Log in"),
        "subtitle": None,
        "app_path": request.get_full_path(),
        "username": request.user.get_username(),
    }
    if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
        context[REDIRECT_FIELD_NAME] = reverse("admin:index")
    request.current_app = site.name
    page = PasswordView.as_view(
        extra_context=context,
        authentication_form=site.login_form,
        template_name=site.login_template or "admin/login.html",
    )
    return page(request)


class SignInCodeForm(AuthenticateForm):
    """One code: of the phone, good once, or one of the recovery codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(gettext_lazy("Code of the app, or recovery code"))

    def clean_code(self) -> str:
        """Refuse what is wrong, and a phone's code that was used before."""
        try:
            code: str = super().clean_code()
        except DomainError as error:
            raise forms.ValidationError(
                _("%(reason)s Ask an owner to reset your second step.") % {"reason": error.message}
            ) from error
        if self.authenticator.type == TOTP:
            step = _step_of(unseal(self.authenticator.data["secret"]), code)
            if step is None or not use_code(authenticator_id=self.authenticator.pk, step=step):
                raise forms.ValidationError(
                    _("This code is wrong or was used before. Wait for the next one.")
                )
            # What allauth saves of it next must not forget that.
            self.authenticator.refresh_from_db()
        return code


class SecondStepView(AuthenticateView):
    """Ask for the code; who guesses is locked out as who guesses a password."""

    template_name = "core/second_step_code.html"
    form_class = SignInCodeForm

    def _build_forms(self) -> Any:
        """Check a code only where the door is not locked."""
        if self.request.method == "POST" and self._is_locked():
            return None
        return super()._build_forms()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Check the code, unless the door is locked or the person may no longer pass."""
        user = self.stage.login.user
        if not (user.is_active and user.is_staff):
            clear_login(request)
            return HttpResponseRedirect(reverse("account_login"))
        if self.form is None:
            return locked(request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> Any:
        """Sign in; write down what a recovery code was spent on."""
        answer = super().form_valid(form)
        used = form.authenticator
        if used.type == CODES:
            used.refresh_from_db()
            left = codes_left(used)
            note_second_step(user_id=used.user_id, action="second_step.code_used", left=left)
            messages.warning(
                self.request,
                _("You signed in with a recovery code; %(left)s are left. Under “My settings” "
                  "you can make new ones, or set up another phone.") % {"left": left},
            )  # fmt: skip
        return answer

    def form_invalid(self, form: Any) -> Any:
        """Count a wrong code beside wrong passwords."""
        if form.data.get("code", "").strip():
            AxesProxyHandler.user_login_failed(SecondStepView, self._name(), self._tried())
            if self._is_locked():
                return locked(self.request)
        return super().form_invalid(form)

    def _is_locked(self) -> bool:
        return bool(AxesProxyHandler.is_locked(self._tried(), self._name()))

    def _name(self) -> dict[str, str]:
        return {"username": self.stage.login.user.get_username()}

    def _tried(self) -> HttpRequest:
        """Return a request without what was typed: codes stay out of the record of tries."""
        tried = HttpRequest()
        tried.META, tried.path = self.request.META, self.request.path
        return tried

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Draw the page as the door is drawn."""
        context = {"form": self.auth_form, **admin.site.each_context(self.request)}
        return {**context, "title": _("Second step"), "name": self._name()["username"]}


# --- One's own second step -----------------------------------------------------------------------
class _OwnPage:
    """A page of the admin about one's own second step."""

    title: Any = ""
    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what every page of the admin has."""
        context = super().get_context_data(**kwargs)  # type: ignore[misc]  # a view beside it
        return {**context, **admin.site.each_context(self.request), "title": self.title}


class SetUpForm(ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(gettext_lazy("Code of the app"), numeric=True)


class SetUpView(_OwnPage, ActivateTOTPView):
    """Show the secret as a picture and as text, and take the first code."""

    title = gettext_lazy("Set up the second step")
    template_name = "core/second_step_set_up.html"
    form_class = SetUpForm
    success_url = reverse_lazy("mfa_view_recovery_codes")

    def get_success_url(self) -> str:
        """Go on to the recovery codes."""
        return str(self.success_url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Show the secret in groups of four, as it is typed."""
        context = super().get_context_data(**kwargs)
        secret = context["form"].secret
        grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return {**context, "secret": grouped, "is_required": is_second_step_required()}

    def form_valid(self, form: Any) -> Any:
        """Set it up, use up the code, and open the rest of the admin."""
        answer = super().form_valid(form)
        user = self.request.user
        row = user.authenticator_set.get(type=TOTP)  # type: ignore[union-attr]  # signed in
        step = _step_of(form.secret, form.cleaned_data["code"])
        if step is not None:
            use_code(authenticator_id=row.pk, step=step)
        begin_second_step(user_id=user.pk or 0, session_key=self.request.session.session_key or "")
        self.request.session.pop(LACKING, None)
        return answer


class RecoveryCodesView(_OwnPage, ViewRecoveryCodesView):
    """Show the recovery codes, once."""

    title = gettext_lazy("Recovery codes")
    template_name = "core/second_step_codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer the codes as a file, too: made of the page itself, so that nothing is kept."""
        context = super().get_context_data(**kwargs)
        codes = context["unused_codes"] if context["can_view_codes"] else []
        shown = [f"{code[:4]} {code[4:]}" for code in codes]
        words = _("Recovery codes of %(name)s for Huike. Each is good once.") % {
            "name": self.request.user.get_username()
        }
        file = quote("\r\n".join([words, "", *shown, ""]))
        return {**context, "codes": shown, "file": f"data:text/plain;charset=utf-8,{file}"}


class NewCodesView(_OwnPage, GenerateRecoveryCodesView):
    """Make new recovery codes; the old ones are good no more."""

    title = gettext_lazy("New recovery codes")
    template_name = "core/second_step_new_codes.html"

    def form_valid(self, form: Any) -> Any:
        """Make them, on record."""
        answer = super().form_valid(form)
        note_second_step(user_id=self.request.user.pk or 0, action="second_step.codes")
        return answer


class SwitchOffView(_OwnPage, DeactivateTOTPView):
    """Switch the second step off, where nobody requires it."""

    title = gettext_lazy("Switch off the second step")
    template_name = "core/second_step_off.html"
    success_url = MINE

    def form_valid(self, form: Any) -> Any:
        """Switch it off, on record."""
        answer = super().form_valid(form)
        note_second_step(user_id=self.request.user.pk or 0, action="second_step.off")
        messages.success(
            self.request, _("The second step is off: your password alone signs you in.")
        )
        return answer


class PasswordAgainForm(ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = forms.CharField(
            label=gettext_lazy("Your password"),
            strip=False,
            widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        )


class PasswordAgainView(_OwnPage, ReauthenticateView):
    """Ask for the password once more before a change that weighs."""

    title = gettext_lazy("Is it you?")
    template_name = "core/second_step_password.html"
    form_class = PasswordAgainForm


def own(view: Callable[..., Any]) -> Callable[..., Any]:
    """Open a page to everybody on the staff, and keep it out of every cache."""
    return admin.site.admin_view(sensitive_post_parameters()(view))


# --- Required of everybody -----------------------------------------------------------------------
class NeededMiddleware:
    """Lead who must set up the second step to it, and to nothing else; others cost no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.SESSION_COOKIE_NAME in request.COOKIES
            and request.path.startswith(BEHIND)
            and not request.path.startswith(OPEN)
            and request.session.get(LACKING)
        ):
            if lacks_second_step(request.user.pk or 0):
                return _refused(request)
            del request.session[LACKING]
        return self.get_response(request)


def _refused(request: HttpRequest) -> HttpResponse:
    """Lead a person to the set-up; tell a program."""
    words = _("Set up the second step of your sign-in first: it is required of everybody.")
    if not request.path.startswith("/api"):
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
    told = {
        "type": "urn:huike:problem:second_step_needed",
        "title": "Forbidden",
        "status": 403,
        "code": "second_step_needed",
        "detail": words,
    }
    return JsonResponse(told, status=403, content_type="application/problem+json")


def _code_field(label: Any, *, numeric: bool = False) -> forms.CharField:
    attrs = {**CODE_FIELD, "autofocus": True, **({"inputmode": "numeric"} if numeric else {})}
    return forms.CharField(
        label=label, max_length=40, widget=UnfoldAdminTextInputWidget(attrs=attrs)
    )


def _step_of(secret: str, code: str) -> int | None:
    """Return the half minute a code belongs to, of those that are accepted now."""
    typed = "".join(sign for sign in code if sign.isdigit())
    return next(
        (step for step in yield_hotp_counters_from_time()
         if format_hotp_value(hotp_value(secret, step)) == typed),
        None,
    )  # fmt: skip
