"""The mail of Monday: chosen by each person, made for them, handed over once.

A row is claimed and committed before a mail is handed over. A worker that dies in between leaves
it without an end: it is said to be unknown, and never sent again by itself.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from analytics.enums import DigestState
from analytics.errors import DigestRefusedError
from analytics.models import DigestChoice, DigestMail
from analytics.selectors.digest import weekly_digest
from crm.core.selectors.reach import is_limited
from crm.core.services.alerts import public_address
from crm.core.services.audit import record_audit
from customers.selectors.shop import shop_settings

log = structlog.get_logger(__name__)

HOUR = 8
"""Monday's mails go out from this hour on, in the shop's zone, until that day is over."""
UNSEEN = timedelta(minutes=20)
"""A mail whose end was not seen for so long has none: no task may run that long."""


@dataclass(frozen=True)
class Letter:
    """A mail as it will be read."""

    subject: str
    text: str
    html: str
    body: str
    language: str


def choose(*, user_id: int, wanted: bool, language: str, now: datetime) -> DigestChoice:
    """Store whether a person wants the mail and in which language."""
    if language not in dict(settings.LANGUAGES):
        raise DigestRefusedError(_("This language is not offered."))
    with transaction.atomic():
        DigestChoice.objects.get_or_create(user_id=user_id, defaults={"language": language})
        choice = DigestChoice.objects.select_for_update().get(user_id=user_id)
        was_wanted = choice.wanted_since is not None
        choice.language = language
        if wanted != was_wanted:
            choice.wanted_since = now if wanted else None
            record_audit(
                actor_id=user_id,
                action="digest.chosen" if wanted else "digest.refused",
                object_type="analytics.digestchoice",
                object_id=str(user_id),
            )
        choice.save()
    return choice


def compose(*, user: Any, language: str, now: datetime) -> Letter | None:
    """Make the mail of this week's Monday for a person; None where they may see none of it.

    Its figures are of the whole shop: there is none for whose roles are limited to sources.
    """
    if is_limited(user):
        return None
    shop = shop_settings()
    zone = ZoneInfo(shop.zone)
    monday = monday_of(now.astimezone(zone).date())
    with override(language), timezone.override(zone):
        digest = weekly_digest(user=user, shop=shop, monday=monday)
        if not digest.has_anything:
            return None
        context = {"digest": digest, "base": public_address(), "made_at": now, "language": language}
        return Letter(
            digest.title,
            render_to_string("analytics/digest.txt", context).strip() + "\n",
            render_to_string("analytics/digest.html", context),
            render_to_string("analytics/digest_body.html", context),
            language,
        )


def send_test(*, user: Any, language: str, now: datetime) -> None:
    """Send a person this week's mail now, marked as a test; it does not take the place of any."""
    if not user.email:
        raise DigestRefusedError(_("Your account has no e-mail address."))
    letter = compose(user=user, language=language, now=now)
    if letter is None:
        raise DigestRefusedError(_("You may see nothing of what the mail would say."))
    with override(language):
        subject = _("Test: %(subject)s") % {"subject": letter.subject}
    try:
        _message(letter, user.email, subject).send()
    except (OSError, SMTPException) as error:
        log.exception("digest_test_failed", user=user.pk)
        raise DigestRefusedError(_("The mail server did not take the mail.")) from error


def send_digests(*, now: datetime, limit: int) -> int:
    """Send the mails of this Monday that are due, each once; return how many were begun."""
    give_up(now=now)
    people = due(now=now)[:limit]
    if not people:
        return 0
    mailer = get_connection()
    try:
        # A mail server that is away is found out before anything is claimed: the next tick retries.
        mailer.open()
    except (OSError, SMTPException):
        log.exception("digest_no_mail_server")
        return 0
    begun = 0
    week = monday_of(now.astimezone(ZoneInfo(shop_settings().zone)).date())
    try:
        for choice in people:
            begun += _send_one(choice, week, mailer, now)
    finally:
        mailer.close()
    return begun


def due(*, now: datetime) -> list[DigestChoice]:
    """Return who is to get this Monday's mail and has not; nobody on other days and hours.

    Who chose it after the hour gets the next one. A shop that is not armed, such as a restored
    copy, mails nobody.
    """
    shop = shop_settings()
    local = now.astimezone(ZoneInfo(shop.zone))
    if not shop.sending_armed or local.weekday() or local.hour < HOUR:
        return []
    hour = datetime.combine(local.date(), time(HOUR), local.tzinfo)
    begun = DigestMail.objects.filter(user=OuterRef("user"), week=local.date())
    rows = DigestChoice.objects.filter(
        ~Exists(begun), wanted_since__lt=hour, user__is_active=True, user__is_staff=True
    )
    return list(rows.exclude(user__email="").select_related("user").order_by("user_id"))


def give_up(*, now: datetime) -> int:
    """Call mails unknown that were begun and whose end nobody saw; return how many."""
    lost = DigestMail.objects.filter(state=DigestState.CLAIMED, claimed_at__lt=now - UNSEEN)
    return lost.update(state=DigestState.UNKNOWN, ended_at=now)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def _send_one(choice: DigestChoice, week: date, mailer: Any, now: datetime) -> bool:
    """Claim, hand over, record; return whether this worker claimed it."""
    user = get_user_model()._default_manager.get(pk=choice.user_id)
    letter = compose(user=user, language=choice.language, now=now)
    if letter is None:
        return False
    try:
        with transaction.atomic():
            mail = DigestMail.objects.create(user_id=user.pk, week=week, claimed_at=now)
    except IntegrityError:
        return False  # another worker was faster
    state = DigestState.UNKNOWN
    try:
        _message(letter, user.email, letter.subject, mailer).send()
        state = DigestState.SENT
    except (SMTPRecipientsRefused, SMTPResponseException):
        log.exception("digest_refused", user=user.pk)
        state = DigestState.REFUSED
    except Exception:
        log.exception("digest_unknown", user=user.pk)
    DigestMail.objects.filter(pk=mail.pk, state=DigestState.CLAIMED).update(
        state=state, ended_at=timezone.now()
    )
    return True


def _message(
    letter: Letter, address: str, subject: str, mailer: Any = None
) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        " ".join(subject.split())[:200], letter.text, to=[address], connection=mailer
    )
    message.attach_alternative(letter.html, "text/html")
    return message
