"""Hand answers over to the mail server: claim, hand over outside any transaction, record.

An answer is handed over once for each time that somebody asked for it: a claim is committed before
the mail server hears of it, and a claim that nobody closes is never taken up again.
"""

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from customers.enums import DeliveryState, TicketState
from customers.errors import AnswerRefusedError, InvalidIdentityError
from customers.models import Ticket, TicketMessage
from customers.selectors.shop import shop_settings
from customers.services.tickets.answering import address_of, earlier_ids
from customers.services.tickets.working import locked, move

log = structlog.get_logger(__name__)

LATEST = timedelta(days=1)
"""An answer that waited longer is not sent by itself: the customer may know better by now."""
LOST_AFTER = timedelta(minutes=10)
"""Longer than the mail server may take for all steps, each within EMAIL_TIMEOUT."""
LIMIT = 100


@dataclass(frozen=True)
class _Claim:
    pk: int
    attempt: int
    email: EmailMessage


def send_next(*, now: datetime) -> bool:
    """Send the oldest answer that waits; return whether there was one.

    While the shop's sending is not armed nothing is taken. Two workers never take the same.
    """
    if not shop_settings().sending_armed:
        return False
    with transaction.atomic():
        rows = TicketMessage.objects.queued().select_for_update(skip_locked=True, of=("self",))
        message = rows.select_related("ticket__customer").order_by("pk").first()
        if message is None:
            return False
        claim = _claim(message, now)
    if claim is not None:
        delivery, error = _hand_over(claim.email)
        _record(claim, delivery=delivery, error=error, now=now)
    return True


def note_lost(*, now: datetime) -> int:
    """Say of answers whose worker was lost that nobody knows whether they were sent."""
    lost = TicketMessage.objects.begun_before(now - LOST_AFTER)
    count = 0
    for pk in list(lost.order_by("pk").values_list("pk", flat=True)[:LIMIT]):
        with transaction.atomic():
            message = lost.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if message is None:
                continue
            _end(message, DeliveryState.UNKNOWN, "worker_lost", now)
            count += 1
    return count


def _claim(message: TicketMessage, now: datetime) -> _Claim | None:
    """Record that a locked answer is handed over now, or that it cannot be."""
    try:
        if message.queued_at is None or message.queued_at < now - LATEST:
            raise AnswerRefusedError("", "too_late")
        address = address_of(message.ticket.customer)
        email = _email(message.ticket, message, address)
        email.message()
    except AnswerRefusedError as error:
        _end(message, DeliveryState.FAILED, error.reason, now)
        return None
    except InvalidIdentityError:
        _end(message, DeliveryState.FAILED, "no_address", now)
        return None
    except ValueError as error:
        # What Django refuses to write, such as a line break in a head.
        log.warning("answer_unwritable", message=message.public_id, error=type(error).__name__)
        _end(message, DeliveryState.FAILED, "unwritable", now)
        return None
    message.delivery, message.begun_at = DeliveryState.SENDING, now
    message.attempts += 1
    message.save(update_fields=["delivery", "begun_at", "attempts", "updated_at"])
    return _Claim(message.pk, message.attempts, email)


def _email(ticket: Ticket, message: TicketMessage, address: str) -> EmailMessage:
    """Write an answer: in the shop's name, as a part of the ticket's conversation."""
    name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    headers = {"Message-ID": message.message_id}
    earlier = earlier_ids(ticket, message)
    if earlier:
        headers |= {"In-Reply-To": earlier[-1], "References": " ".join(earlier)}
    return EmailMessage(
        subject=f"Re: {' '.join(ticket.subject.split())}",
        body=message.text,
        from_email=formataddr((name or shop_settings().name, sender)),
        to=[address],
        reply_to=[settings.EMAIL_REPLY_TO or sender],
        headers=headers,
    )


def _hand_over(email: EmailMessage) -> tuple[DeliveryState, str]:
    """Give a mail to the mail server; return what became of it, and why.

    Before the connection stands nothing was sent, and a refusal is one; whatever else goes wrong
    goes wrong in between.
    """
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail_server_unreachable", error=type(error).__name__)
        return DeliveryState.FAILED, "unreachable"
    try:
        sent = connection.send_messages([email])
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _words in error.recipients.values()}
        return DeliveryState.FAILED, f"refused:{', '.join(map(str, sorted(codes)))}"[:80]
    except smtplib.SMTPResponseException as error:
        return DeliveryState.FAILED, f"refused:{error.smtp_code}"
    except Exception as error:
        log.warning("mail_interrupted", error=type(error).__name__)
        return DeliveryState.UNKNOWN, "interrupted"
    finally:
        with suppress(Exception):
            connection.close()
    return (DeliveryState.FAILED, "unreachable") if sent == 0 else (DeliveryState.SENT, "")


def _record(claim: _Claim, *, delivery: DeliveryState, error: str, now: datetime) -> None:
    """Write down how a hand-over ended, also when it was given up for lost meanwhile."""
    with transaction.atomic():
        open_states = [DeliveryState.SENDING, DeliveryState.UNKNOWN]
        rows = TicketMessage.objects.filter(attempts=claim.attempt, delivery__in=open_states)
        message = rows.select_for_update(of=("self",)).filter(pk=claim.pk).first()
        if message is not None:
            _end(message, delivery, error, now)


def _end(message: TicketMessage, delivery: DeliveryState, error: str, now: datetime) -> None:
    """Record the outcome for a locked answer; what a customer did not get leaves a ticket open."""
    message.delivery, message.error = delivery, error
    message.sent_at = now if delivery == DeliveryState.SENT else None
    message.save(update_fields=["delivery", "error", "sent_at", "updated_at"])
    if delivery == DeliveryState.SENT:
        return
    ticket = locked(message.ticket_id)
    if ticket.state != TicketState.OPEN:
        move(ticket, TicketState.OPEN, user_id=None, now=now)
