"""Answers to customers: rows that are committed first and sent by a worker afterwards."""

from datetime import datetime
from email.utils import parseaddr
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from customers.enums import Channel, DeliveryState, IdentityKind, MessageKind, TicketState
from customers.errors import AnswerRefusedError, InvalidIdentityError, TicketStateError
from customers.models import Customer, Identity, Ticket, TicketMessage
from customers.selectors.shop import shop_settings
from customers.selectors.ticket_words import reason_words
from customers.services.consent import is_suppressed
from customers.services.identities import normalise_email
from customers.services.tickets.working import audit, locked, move, said

CONSOLE = "django.core.mail.backends.console.EmailBackend"
"""What a machine without a mail server has: it prints mails, and nobody gets them."""


def answer(
    *, ticket_id: int, text: str, user_id: int | None, now: datetime, closes: bool = False
) -> TicketMessage:
    """Queue an answer to the customer; the ticket then waits for them, or is closed.

    Raises AnswerRefusedError when nobody would get it, and TicketStateError on a closed ticket.
    """
    with transaction.atomic():
        ticket = locked(ticket_id)
        if ticket.state == TicketState.CLOSED:
            raise TicketStateError(_("This ticket is closed: reopen it to answer."))
        text = said(text)
        check_answerable(ticket.customer)
        message = TicketMessage.objects.create(
            ticket=ticket,
            kind=MessageKind.ANSWER,
            author_id=user_id,
            at=now,
            text=text,
            delivery=DeliveryState.QUEUED,
            queued_at=now,
            message_id=f"<{uuid4().hex}@{_domain()}>",
        )
        audit(ticket, "answered", user_id)
        if closes:
            move(ticket, TicketState.CLOSED, user_id=user_id, now=now)
        elif ticket.state == TicketState.OPEN:
            move(ticket, TicketState.WAITING, user_id=user_id, now=now)
    return message


def send_again(*, message_id: int, user_id: int | None, now: datetime) -> TicketMessage:
    """Queue an answer again that was not sent, or may not have been; somebody decides that.

    It keeps its Message-ID: a mail program that got it before may tell.
    """
    with transaction.atomic():
        rows = TicketMessage.objects.select_for_update(of=("self",))
        message = rows.undelivered().filter(pk=message_id).first()
        if message is None:
            raise TicketStateError(_("Only what was not sent can be sent again."))
        ticket = locked(message.ticket_id)
        check_answerable(ticket.customer)
        message.delivery, message.queued_at, message.error = DeliveryState.QUEUED, now, ""
        message.save(update_fields=["delivery", "queued_at", "error", "updated_at"])
        audit(ticket, "answered_again", user_id)
        if ticket.state == TicketState.OPEN:
            move(ticket, TicketState.WAITING, user_id=user_id, now=now)
    return message


def check_answerable(customer: Customer | None) -> str:
    """Return the address a customer is answered at; raises AnswerRefusedError with the reason."""
    try:
        if not shop_settings().sending_armed:
            raise _refusal("not_armed")
        if settings.EMAIL_BACKEND == CONSOLE:
            raise _refusal("no_server")
        return address_of(customer)
    except InvalidIdentityError:
        raise _refusal("no_address") from None


def address_of(customer: Customer | None) -> str:
    """Return the e-mail address by which a customer is known; raises AnswerRefusedError."""
    if customer is None:
        raise _refusal("no_customer")
    if customer.is_simulated:
        raise _refusal("made_up")
    known = Identity.objects.filter(customer=customer, kind=IdentityKind.EMAIL).order_by("pk")
    addresses = [normalise_email(value) for value in known.values_list("value", flat=True)]
    if not addresses:
        raise _refusal("no_address")
    preferred = customer.email.strip().lower()
    address = preferred if preferred in addresses else addresses[0]
    if is_suppressed(channel=Channel.EMAIL, address=address):
        raise _refusal("suppressed")
    return address


def earlier_ids(ticket: Ticket, before: TicketMessage) -> list[str]:
    """Return the Message-IDs a customer may have of a ticket, oldest first."""
    rows = TicketMessage.objects.filter(ticket=ticket).exclude(pk=before.pk).exclude(message_id="")
    seen = rows.exclude(delivery__in=[DeliveryState.QUEUED, DeliveryState.FAILED])
    found = seen.filter(at__lte=before.at).order_by("at", "pk")
    return list(found.values_list("message_id", flat=True))


def _refusal(code: str) -> AnswerRefusedError:
    return AnswerRefusedError(reason_words(code), code)


def _domain() -> str:
    """Return the domain of the shop's sender."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
