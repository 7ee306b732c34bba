"""Speak a person's language on every device."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import i18n

from crm.core.errors import DomainError
from crm.core.selectors.languages import language_of
from crm.core.services.languages import remember_language

TOLD = "person_language"


def set_language(request: HttpRequest) -> Any:
    """Change this device's language as Django does, and keep the choice of who is signed in."""
    response = i18n.set_language(request)
    if request.method == "POST" and request.user.is_authenticated:
        try:
            remember_language(user_id=request.user.pk, language=request.POST.get("language", ""))
        except DomainError:
            # Django has left the language as it was, and so does this.
            return response
    return response


def note_language(sender: Any, request: HttpRequest | None, user: Any, **more: Any) -> None:
    """At a sign-in, tell the middleware which language the person once chose."""
    if request is not None and (language := language_of(user.pk)):
        setattr(request, TOLD, language)


class PersonLanguageMiddleware:
    """After a sign-in, let the device speak the person's language; one question a sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if language := getattr(request, TOLD, None):
            keep_language(response, language)
        return response


def keep_language(response: HttpResponse, language: str) -> None:
    """Write the language into the device's cookie, as Django's own choice does."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
