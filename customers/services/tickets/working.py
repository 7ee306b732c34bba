"""What staff do with a ticket, but for answering it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.errors import NotFoundError
from crm.core.services.audit import record_audit
from customers.enums import Lifecycle, MessageKind, SourceKind, TicketState
from customers.errors import InvalidTicketError, TicketStateError
from customers.models import Customer, Source, Ticket, TicketMessage
from customers.services.facts import mark_dirty

SOURCE = "by-hand"
LONGEST_SUBJECT = 300
MOVES: Mapping[TicketState, frozenset[TicketState]] = {
    TicketState.OPEN: frozenset({TicketState.WAITING, TicketState.CLOSED}),
    TicketState.WAITING: frozenset({TicketState.OPEN, TicketState.CLOSED}),
    TicketState.CLOSED: frozenset({TicketState.OPEN}),
}
REFUSED = {
    TicketState.OPEN: gettext_lazy("This ticket is open already."),
    TicketState.WAITING: gettext_lazy("Only an open ticket can wait for the customer."),
    TicketState.CLOSED: gettext_lazy("This ticket is closed already."),
}


def create_ticket(
    *, customer_id: int, subject: str, text: str, user_id: int | None, now: datetime
) -> Ticket:
    """Write down what a customer asks for; its number in the source “by hand” is its own.

    Raises InvalidTicketError without a subject, or for a customer who was merged or erased.
    """
    subject = " ".join(subject.split())
    if not subject:
        raise InvalidTicketError(_("Say in a few words what it is about."))
    with transaction.atomic():
        customer = Customer.objects.select_for_update(of=("self",)).filter(pk=customer_id).first()
        if customer is None or customer.lifecycle != Lifecycle.ACTIVE:
            raise InvalidTicketError(
                _("This customer was merged or erased: a ticket would belong to nobody.")
            )
        source, _created = Source.objects.get_or_create(
            key=SOURCE, defaults={"name": _("By hand"), "kind": SourceKind.MANUAL}
        )
        ticket = Ticket.objects.create(
            source=source,
            external_id=uuid4().hex,
            customer=customer,
            subject=subject[:LONGEST_SUBJECT],
            body=text.strip(),
            opened_at=now,
        )
        Ticket.objects.filter(pk=ticket.pk).update(external_id=str(ticket.pk))
        ticket.refresh_from_db()
        mark_dirty([customer.pk])
        audit(ticket, "created", user_id)
    return ticket


def assign(*, ticket_id: int, assignee_id: int | None, user_id: int | None) -> Ticket:
    """Give a ticket to a member of staff, or to nobody; refused once it is closed."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        if ticket.state == TicketState.CLOSED:
            raise TicketStateError(_("A closed ticket is nobody's work: reopen it first."))
        staff = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
        if assignee_id is not None and not staff.filter(pk=assignee_id).exists():
            raise InvalidTicketError(_("Tickets are for active members of staff."))
        if ticket.assignee_id != assignee_id:
            ticket.assignee_id = assignee_id
            ticket.save(update_fields=["assignee", "updated_at"])
            audit(ticket, "assigned", user_id, assignee=assignee_id)
    return ticket


def set_due(*, ticket_id: int, due_at: datetime | None) -> Ticket:
    """Say until when a ticket should be done, or that nothing is due; refused once it is closed."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        if ticket.state == TicketState.CLOSED:
            raise TicketStateError(_("Nothing is due on a closed ticket: reopen it first."))
        ticket.due_at = due_at
        ticket.save(update_fields=["due_at", "updated_at"])
    return ticket


def add_note(*, ticket_id: int, text: str, user_id: int | None, now: datetime) -> TicketMessage:
    """Keep a note for colleagues, whatever the state; InvalidTicketError without a word."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        return TicketMessage.objects.create(
            ticket=ticket, kind=MessageKind.NOTE, author_id=user_id, at=now, text=said(text)
        )


def hear(*, ticket_id: int, text: str, user_id: int | None, now: datetime) -> TicketMessage:
    """Keep what the customer said, on the phone or elsewhere; the ticket is open again."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        message = TicketMessage.objects.create(
            ticket=ticket, kind=MessageKind.CUSTOMER, author_id=user_id, at=now, text=said(text)
        )
        if ticket.state != TicketState.OPEN:
            move(ticket, TicketState.OPEN, user_id=user_id, now=now)
    return message


def close(*, ticket_id: int, user_id: int | None, now: datetime) -> Ticket:
    """Close a ticket. Raises TicketStateError when it is closed already."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        move(ticket, TicketState.CLOSED, user_id=user_id, now=now)
    return ticket


def reopen(*, ticket_id: int, user_id: int | None, now: datetime) -> Ticket:
    """Open a ticket that waits or is closed. Raises TicketStateError when it is open already."""
    with transaction.atomic():
        ticket = locked(ticket_id)
        move(ticket, TicketState.OPEN, user_id=user_id, now=now)
    return ticket


def may_become(ticket: Ticket, state: TicketState) -> bool:
    """Tell whether a ticket may go over to a state."""
    return state in MOVES[TicketState(ticket.state)]


def locked(ticket_id: int) -> Ticket:
    """Lock and return a ticket. Raises NotFoundError when there is none."""
    ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=ticket_id).first()
    if ticket is None:
        raise NotFoundError(_("There is no such ticket."))
    return ticket


def move(ticket: Ticket, state: TicketState, *, user_id: int | None, now: datetime) -> None:
    """Bring a locked ticket into another state. Raises TicketStateError with the reason.

    How many tickets are not closed is a fact of the customer, and counted anew.
    """
    if not may_become(ticket, state):
        raise TicketStateError(str(REFUSED[state]))
    former = ticket.state
    ticket.state = state
    ticket.closed_at = now if state == TicketState.CLOSED else None
    ticket.save(update_fields=["state", "closed_at", "updated_at"])
    if TicketState.CLOSED in (former, state):
        mark_dirty([ticket.customer_id])
    if state == TicketState.CLOSED:
        audit(ticket, "closed", user_id)
    elif state == TicketState.OPEN:
        audit(ticket, "reopened", user_id)


def said(text: str) -> str:
    """Return what somebody said. Raises InvalidTicketError for nothing."""
    text = text.strip()
    if not text:
        raise InvalidTicketError(_("Write something first."))
    return text


def audit(ticket: Ticket, done: str, user_id: int | None, **details: Any) -> None:
    """Put on record what was done with a ticket."""
    record_audit(
        actor_id=user_id,
        action=f"ticket.{done}",
        object_type="customers.ticket",
        object_id=ticket.public_id,
        details=details,
    )
