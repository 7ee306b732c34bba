"""The first page of all: who owns this shop, and how it counts."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model, login, password_validation
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from crm.core.errors import DomainError
from crm.core.tasks import queue_job
from crm.core.web.languages import keep_language
from customers.models import Customer
from customers.selectors.shop import shop_settings
from customers.services import setup

SIGNED_IN_BY = "django.contrib.auth.backends.ModelBackend"
TRIES = {"username": "set-up code"}
"""Under this name wrong codes are counted, beside those who mistype a password."""
CURRENCIES = {
    "CNY": _("Chinese yuan"),
    "EUR": _("Euro"),
    "USD": _("US dollar"),
    "GBP": _("Pound sterling"),
    "HKD": _("Hong Kong dollar"),
    "TWD": _("New Taiwan dollar"),
    "MOP": _("Macanese pataca"),
    "JPY": _("Japanese yen"),
    "KRW": _("South Korean won"),
    "SGD": _("Singapore dollar"),
    "MYR": _("Malaysian ringgit"),
    "THB": _("Thai baht"),
    "INR": _("Indian rupee"),
    "AUD": _("Australian dollar"),
    "CAD": _("Canadian dollar"),
    "CHF": _("Swiss franc"),
    "SEK": _("Swedish krona"),
    "PLN": _("Polish złoty"),
    "BRL": _("Brazilian real"),
    "MXN": _("Mexican peso"),
}


class SetupForm(forms.Form):
    """All that the first start asks for; there is no default password."""

    code = forms.CharField(
        label=_("Set-up code"),
        max_length=64,
        help_text=_("Only who can open the server may do this: manage.py setup_code prints it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    shop_name = forms.CharField(
        label=_("Shop name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        help_text=_("A day is a day in this zone. Type a city to search."),
        widget=forms.TextInput(
            attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        min_length=3,
        help_text=_("Three letters, such as CNY or EUR: what the shop counts in."),
        widget=forms.TextInput(
            attrs={"list": "currencies", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    language = forms.ChoiceField(
        label=_("Your language"),
        choices=settings.LANGUAGES,
        help_text=_("For the pages, and for mails to you."),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[get_user_model().username_validator],
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("What needs attention is mailed here."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=password_validation.password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label=_("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    SECTIONS = (
        (_("Who may do this"), ("code",)),
        (_("The shop"), ("shop_name", "zone", "currency")),
        (_("You, the owner"), ("username", "email", "language", "password", "password_again")),
    )

    def __init__(self, *args: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*args, **more)
        self.request = request

    @property
    def sections(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return the fields in the order in which they are asked for, under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.SECTIONS]

    def clean_code(self) -> str:
        """Refuse a wrong code; after some the code is asked for later, as a password would be."""
        code: str = self.cleaned_data["code"]
        # What was typed into the other fields stays out of the record of tries.
        tried = HttpRequest()
        tried.META, tried.path = self.request.META, self.request.path
        if AxesProxyHandler.is_locked(tried, TRIES):
            raise forms.ValidationError(
                gettext("Too many wrong codes. Wait a quarter of an hour, then try again.")
            )
        if not setup.is_setup_code(code):
            AxesProxyHandler.user_login_failed(SetupForm, TRIES, tried)
            raise forms.ValidationError(
                gettext("This is not the set-up code. Run manage.py setup_code on the server.")
            )
        return code

    def clean_zone(self) -> str:
        """Refuse what is no time zone."""
        zone: str = self.cleaned_data["zone"].strip()
        if zone not in available_timezones():
            raise forms.ValidationError(
                gettext("“%(zone)s” is not a time zone. Choose one such as Asia/Shanghai.")
                % {"zone": zone}
            )
        return zone

    def clean_currency(self) -> str:
        """Refuse what is no code of a currency."""
        currency: str = self.cleaned_data["currency"].upper()
        if not (currency.isascii() and currency.isalpha()):
            raise forms.ValidationError(gettext("A currency is three letters, such as CNY."))
        return currency

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is weak, or that was mistyped."""
        told: dict[str, Any] = super().clean() or {}
        password, again = told.get("password"), told.get("password_again")
        if password and again and password != again:
            self.add_error("password_again", gettext("The two passwords differ."))
        elif password:
            person = get_user_model()(
                username=told.get("username", ""), email=told.get("email", "")
            )
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return told


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def first_start(request: HttpRequest) -> HttpResponse:
    """Ask for the owner and the shop while there is no user; afterwards lead to the admin."""
    if setup.is_set_up():
        return HttpResponseRedirect(reverse("admin:index"))
    form = SetupForm(request.POST or None, request=request, initial=_guesses(request))
    if request.method == "POST" and form.is_valid():
        told = {**form.cleaned_data}
        for name in ("code", "password_again"):
            del told[name]
        try:
            with transaction.atomic():
                owner, job = setup.set_up(**told)
                if job is not None:
                    queue_job(job.pk)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            login(request, owner, backend=SIGNED_IN_BY)
            response = HttpResponseRedirect(reverse("setup-next"))
            keep_language(response, told["language"])
            return response
    context = {
        "form": form,
        "zones": sorted(available_timezones()),
        "currencies": CURRENCIES.items(),
        "languages": settings.LANGUAGES,
        "here": request.get_full_path(),
    }
    return _page(request, "customers/setup.html", context)


@never_cache
@require_safe
def what_next(request: HttpRequest) -> HttpResponse:
    """Offer the owner of an empty shop what to begin with."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(reverse("admin:index"))
    if not request.user.is_superuser:
        raise PermissionDenied
    if Customer.objects.exists():
        return HttpResponseRedirect(reverse("admin:index"))
    return _page(request, "customers/setup_next.html", {"shop": shop_settings()})


def _guesses(request: HttpRequest) -> dict[str, str]:
    """Return what the form begins with: the code of the link, and what the environment says."""
    return {
        "code": request.GET.get("code", "")[:64],
        "zone": settings.SHOP_ZONE,
        "currency": settings.SHOP_CURRENCY,
        "language": get_language() or settings.LANGUAGE_CODE,
    }


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Draw a page without the frame of the admin, which would count as the shop's first use."""
    return TemplateResponse(
        request, template, {"site_title": settings.UNFOLD["SITE_TITLE"], **context}
    )


class SetupMiddleware:
    """Lead whoever comes to the door to the first start while there is nobody to sign in.

    Who is signed in proves that there is somebody, and costs no question.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_door = request.path == "/" or request.path.startswith("/admin")
        if is_door and not request.user.is_authenticated and not setup.is_set_up():
            return HttpResponseRedirect(reverse("setup"))
        return self.get_response(request)
