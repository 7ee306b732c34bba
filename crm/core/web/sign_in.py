"""Sign-in from the web's side: the locked door, and which browser is whose."""

from collections.abc import Callable
from typing import Any

from axes.helpers import get_client_ip_address, get_cool_off
from django.contrib import admin
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.core.selectors.second_step import lacks_second_step
from crm.core.services.sign_ins import forget_sign_in, note_sign_in

SEEN = "huike_seen"
"""Where a session keeps when it was last written down, and under which key."""
LACKING = "huike_lacks_second_step"
"""Where a session keeps that nothing but the set-up of the second step is open to it."""
AGAIN_SECONDS = 300


def locked(request: HttpRequest, *args: Any) -> HttpResponse:
    """Say that the door is locked after too many wrong passwords, for how long, and who helps."""
    cool_off = get_cool_off(request)
    minutes = round(cool_off.total_seconds() / 60) if cool_off else 0
    context = {
        **admin.site.each_context(request),
        "title": _("Sign-in is locked"),
        "minutes": minutes,
    }
    return render(request, "core/locked.html", context, status=429)


def note(request: HttpRequest, user: Any) -> None:
    """Write down the browser of this request as one of somebody's, and what is open to it."""
    now = timezone.now()
    if request.session.session_key is None:
        request.session.create()
    key = str(request.session.session_key)
    note_sign_in(
        user_id=user.pk,
        session_key=key,
        device=request.headers.get("user-agent", ""),
        address=get_client_ip_address(request),
        now=now,
    )
    request.session[SEEN] = [key, now.timestamp()]
    if user.is_staff and lacks_second_step(user.pk):
        request.session[LACKING] = True


def signed_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Put a new browser on the list."""
    note(request, user)


def signed_out(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Take a browser off the list."""
    if request.session.session_key:
        forget_sign_in(session_key=request.session.session_key)


def connect() -> None:
    """Listen to sign-in and sign-out."""
    user_logged_in.connect(signed_in, dispatch_uid="crm.core.signed_in")
    user_logged_out.connect(signed_out, dispatch_uid="crm.core.signed_out")


class SeenMiddleware:
    """Write down now and then that a browser was seen; a page costs no query for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        # Whoever sent a key has no session; who changed the password has a new one.
        session = request.session
        if session.session_key and session.accessed and request.user.is_authenticated:
            key, at = session.get(SEEN, ["", 0.0])
            late = timezone.now().timestamp() - at > AGAIN_SECONDS
            if key != session.session_key or late:
                if key and key != session.session_key:
                    forget_sign_in(session_key=key)
                note(request, request.user)
        return answer
