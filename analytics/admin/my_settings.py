"""What a person sets for themselves: the second step of the sign-in, the mail of Monday."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from analytics.models import DigestChoice, DigestMail
from analytics.services import digest
from crm.core.errors import DomainError
from crm.core.selectors.languages import languages_of
from crm.core.selectors.reach import may_open
from crm.core.selectors.second_step import second_step_of
from customers.selectors.shop import shop_settings

SHOWN = 8


class DigestForm(forms.Form):
    """Whether the mail of Monday is wanted, and in which language."""

    wanted = forms.BooleanField(
        label=gettext_lazy("Mail me on Monday morning"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the mail"),
        choices=settings.LANGUAGES,
        widget=UnfoldAdminSelectWidget,
    )


def page(request: HttpRequest) -> HttpResponse:
    """Show and store a person's own settings; the mail is of the whole shop, for who sees it."""
    has_mail = may_open(request.user, "my_settings:preview")
    if request.method == "POST" and not has_mail:
        raise PermissionDenied
    choice = _choice(request)
    initial = {
        "wanted": bool(choice and choice.wanted_since),
        "language": _language(request, choice),
    }
    form = DigestForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        digest.choose(user_id=_reader(request), now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("Your settings are stored."))
        return HttpResponseRedirect(reverse("my_settings:page"))
    shop = shop_settings()
    mails = DigestMail.objects.filter(user_id=_reader(request))[:SHOWN]
    return _shown(
        request,
        "analytics/my_settings.html",
        _("My settings"),
        form=form,
        second_step=second_step_of(_reader(request)),
        has_mail=has_mail,
        mails=list(mails),
        zone=shop.zone,
        is_armed=shop.sending_armed,
        hour=f"{digest.HOUR}:00",
    )


def preview(request: HttpRequest) -> HttpResponse:
    """Show this week's mail as it would be sent."""
    choice = _choice(request)
    letter = digest.compose(
        user=request.user, language=_language(request, choice), now=timezone.now()
    )
    return _shown(request, "analytics/digest_preview.html", _("Monday mail"), letter=letter)


def test_mail(request: HttpRequest) -> HttpResponse:
    """Send this week's mail to oneself, marked as a test."""
    choice = _choice(request)
    try:
        digest.send_test(user=request.user, language=_language(request, choice), now=timezone.now())
        messages.success(request, _("The test mail was handed to the mail server."))
    except DomainError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(reverse("my_settings:page"))


def _reader(request: HttpRequest) -> int:
    """Return who is signed in; these pages open for nobody else."""
    return request.user.pk or 0


def _choice(request: HttpRequest) -> DigestChoice | None:
    return DigestChoice.objects.filter(user_id=_reader(request)).first()


def _language(request: HttpRequest, choice: DigestChoice | None) -> str:
    """Return the language of one's mail: as chosen for it, else as one is spoken to."""
    if choice is not None:
        return choice.language
    person = _reader(request)
    return languages_of([person]).get(person) or get_language() or settings.LANGUAGE_CODE


def _shown(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, template, whole)
