"""Tickets are written down, given to people, and go from state to state as the rules say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.core.models import AuditEntry
from customers.errors import InvalidTicketError, TicketStateError
from customers.models import CustomerFacts, Ticket, TicketMessage
from customers.services import erasure, facts, merging, tickets
from tests.factories import (
    NOON,
    CustomerFactory,
    ShopSettingsFactory,
    TicketFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=3)


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(sending_armed=True)


def done() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_ticket_is_written_down_with_a_number_of_its_own():
    customer, user = CustomerFactory(), UserFactory()

    ticket = tickets.create_ticket(
        customer_id=customer.pk, subject=" Where\nis it? ", text="Since Monday.",
        user_id=user.pk, now=NOON,
    )  # fmt: skip

    assert (ticket.subject, ticket.body, ticket.state) == ("Where is it?", "Since Monday.", "open")
    assert ticket.external_id == str(ticket.pk)
    assert (ticket.source.key, ticket.source.kind) == ("by-hand", "manual")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == (
        "ticket.created", user, ticket.public_id,
    )  # fmt: skip


def test_nobody_is_asked_for_help_by_who_is_gone():
    kept, gone = CustomerFactory(), CustomerFactory()
    merging.merge_customers(source_id=gone.pk, target_id=kept.pk, user_id=None, now=NOON)

    with pytest.raises(InvalidTicketError):
        tickets.create_ticket(customer_id=gone.pk, subject="Help", text="", user_id=None, now=NOON)
    with pytest.raises(InvalidTicketError):
        tickets.create_ticket(customer_id=kept.pk, subject=" ", text="", user_id=None, now=NOON)

    assert not Ticket.objects.exists()


def test_only_staff_get_tickets():
    ticket = TicketFactory()
    staff = UserFactory(is_staff=True)

    for stranger in (UserFactory(), UserFactory(is_staff=True, is_active=False)):
        with pytest.raises(InvalidTicketError):
            tickets.assign(ticket_id=ticket.pk, assignee_id=stranger.pk, user_id=None)
    tickets.assign(ticket_id=ticket.pk, assignee_id=staff.pk, user_id=staff.pk)
    tickets.assign(ticket_id=ticket.pk, assignee_id=staff.pk, user_id=staff.pk)

    ticket.refresh_from_db()
    assert ticket.assignee == staff
    assert done() == ["ticket.assigned"]


def test_a_closed_ticket_takes_nothing_but_notes_until_it_is_open_again():
    ticket, staff = TicketFactory(), UserFactory(is_staff=True)
    tickets.close(ticket_id=ticket.pk, user_id=staff.pk, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("closed", LATER)

    for refused in (
        lambda: tickets.close(ticket_id=ticket.pk, user_id=None, now=LATER),
        lambda: tickets.assign(ticket_id=ticket.pk, assignee_id=staff.pk, user_id=None),
        lambda: tickets.set_due(ticket_id=ticket.pk, due_at=LATER),
        lambda: tickets.answer(ticket_id=ticket.pk, text="Hi", user_id=None, now=LATER),
    ):
        with pytest.raises(TicketStateError):
            refused()
    tickets.add_note(ticket_id=ticket.pk, text="Was fine.", user_id=staff.pk, now=LATER)
    tickets.reopen(ticket_id=ticket.pk, user_id=staff.pk, now=LATER)
    with pytest.raises(TicketStateError):
        tickets.reopen(ticket_id=ticket.pk, user_id=staff.pk, now=LATER)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at, ticket.assignee) == ("open", None, None)
    assert [message.kind for message in ticket.messages.all()] == ["note"]
    assert done() == ["ticket.closed", "ticket.reopened"]


def test_what_the_customer_says_opens_the_ticket_again():
    ticket = TicketFactory(state="waiting")

    tickets.hear(ticket_id=ticket.pk, text="Still nothing!", user_id=None, now=LATER)

    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert ticket.messages.get().kind == "customer"


def test_facts_count_what_is_open_as_before():
    ticket = TicketFactory(opened_at=timezone.now() - timedelta(days=2))

    def counted() -> tuple[int, int]:
        while facts.refresh_pending(now=timezone.now(), seconds=10):
            pass
        row = CustomerFacts.objects.get(customer=ticket.customer)
        return row.ticket_count, row.open_ticket_count

    facts.mark_dirty([ticket.customer_id])
    assert counted() == (1, 1)
    tickets.close(ticket_id=ticket.pk, user_id=None, now=timezone.now())
    assert counted() == (1, 0)
    tickets.reopen(ticket_id=ticket.pk, user_id=None, now=timezone.now())
    assert counted() == (1, 1)


def test_a_conversation_follows_its_ticket_and_is_blanked_with_the_person():
    kept, other = CustomerFactory(), CustomerFactory()
    ticket = TicketFactory(customer=other, body="My address is 1 Main Street.")
    tickets.hear(ticket_id=ticket.pk, text="I am Ann.", user_id=None, now=LATER)
    merging.merge_customers(source_id=other.pk, target_id=kept.pk, user_id=None, now=LATER)
    assert Ticket.objects.get().customer == kept

    erasure.erase_customer(customer_id=kept.pk, user_id=None, now=LATER)

    assert list(TicketMessage.objects.values_list("text", flat=True)) == ["—"]
    assert Ticket.objects.get().body == ""
