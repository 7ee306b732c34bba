"""The queue of tickets, and the page of one: who sees what, who may do what, what is refused."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.utils import timezone

from customers.models import Ticket, TicketMessage
from customers.services import tickets
from tests.api import publish_scores
from tests.budgets import statements
from tests.factories import (
    CustomerFactory,
    IdentityFactory,
    OrderFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    SourceFactory,
    TicketFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/ticket/"
VIEW = ("customers.view_ticket",)
WORK = ("customers.view_ticket", "customers.change_ticket")
SCORES = "analytics.view_currentscore"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(sending_armed=True)


def signed_in(client, *permissions):
    user = UserFactory(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client.force_login(user)
    return client


def page_of(ticket) -> str:
    return f"{LIST}{ticket.pk}/change/"


def subjects(response) -> list[str]:
    return [ticket.subject for ticket in response.context["cl"].result_list]


def scored(subject: str, satisfaction: float | None, spend: int | None, **more):
    row = TicketFactory(subject=subject, **more)
    return {"customer": row.customer, "satisfaction": satisfaction, "predicted_clv": spend}


def test_the_queue_begins_with_unhappy_customers_of_whom_much_is_expected(client):
    now = timezone.now()
    scores = [
        scored("closed", 1.0, 9000, state="closed", closed_at=now),
        scored("content", 90.0, 500),
        scored("unhappy", 20.0, 400),
        scored("poor", 10.0, 5),
        scored("waits", 5.0, 9000, state="waiting"),
        scored("unscored, newer", None, None, opened_at=now - timedelta(days=1)),
        scored("unscored", None, None, opened_at=now - timedelta(days=2)),
    ]
    run = ScoringRunFactory(state="published", published_at=now)
    publish_scores(run, scores)

    signed_in(client, *VIEW, SCORES)
    found = client.get(LIST)
    assert subjects(found) == [
        "unhappy", "content", "poor", "unscored", "unscored, newer", "waits", "closed",
    ]  # fmt: skip
    assert "9,000" in found.content.decode()

    plain = signed_in(client, *VIEW).get(LIST)
    assert "9,000" not in plain.content.decode()
    assert subjects(plain)[-2:] == ["waits", "closed"]
    assert subjects(plain)[0] == "content"  # the oldest


def test_the_queue_is_narrowed_to_what_is_mine_nobodys_overdue_or_of_a_state(client):
    signed_in(client, *VIEW)
    me = int(client.session["_auth_user_id"])
    now = timezone.now()
    TicketFactory(subject="mine", assignee_id=me, due_at=now - timedelta(hours=5))
    TicketFactory(subject="hers", assignee=UserFactory(first_name="Bea"))
    TicketFactory(subject="free", source=SourceFactory(key="desk"), due_at=now + timedelta(days=3))
    TicketFactory(subject="done", state="closed", closed_at=now, due_at=now, assignee=UserFactory())

    def narrowed(**words) -> set[str]:
        return set(subjects(client.get(LIST, words)))

    assert narrowed(whose="mine") == {"mine"}
    assert narrowed(whose="nobody") == {"free"}
    assert narrowed(whose="else") == narrowed(due="else") == set()
    assert narrowed(due="overdue") == {"mine"}
    assert narrowed(state__exact="closed") == {"done"}
    assert narrowed(source__id__exact=SourceFactory(key="desk").pk) == {"free"}
    page = client.get(LIST).content.decode()
    assert "overdue for 5" in page
    assert "in 2" in page or "in 3" in page
    assert "Bea" in page


def test_an_empty_queue_says_what_belongs_there(client):
    page = signed_in(client, *VIEW, "customers.add_ticket").get(LIST).content.decode()

    assert "What customers ask for belongs here" in page
    assert "New ticket" in page
    assert "New ticket" not in signed_in(client, *VIEW).get(LIST).content.decode()


def test_queue_and_page_ask_as_often_for_many_rows_as_for_one(staff_client):
    def grow(ticket, size):
        for number in range(size):
            tickets.hear(
                ticket_id=ticket.pk, text=f"{number}", user_id=UserFactory().pk,
                now=timezone.now(),
            )  # fmt: skip
            OrderFactory(customer=ticket.customer)

    small = TicketFactory(assignee=UserFactory(), source=SourceFactory(key="one"))
    grow(small, 1)
    one = statements(staff_client, LIST)
    page = statements(staff_client, page_of(small))
    for number in range(19):
        large = TicketFactory(assignee=UserFactory(), source=SourceFactory(key=f"s{number}"))
    grow(large, 20)

    assert statements(staff_client, LIST) == one <= 12
    assert statements(staff_client, page_of(large)) == page <= 16


def test_a_page_shows_what_was_said_the_orders_and_the_scores_to_who_may_see_them(client):
    customer = CustomerFactory(name="Ann", email="ann@example.com")
    ticket = TicketFactory(customer=customer, body="Since Monday.\nStill nothing.")
    tickets.add_note(ticket_id=ticket.pk, text="Ask DHL.", user_id=None, now=timezone.now())
    for number in range(6):
        OrderFactory(
            customer=customer, external_id=f"N{number}",
            placed_at=timezone.now() - timedelta(days=number),
        )  # fmt: skip
    run = ScoringRunFactory(
        state="published", published_at=timezone.now(), horizon_days=90, currency="GBP"
    )
    publish_scores(run, [{"customer": customer, "satisfaction": 31.0}])

    page = signed_in(client, *VIEW).get(page_of(ticket)).content.decode()
    assert "Since Monday." in page
    assert "Ask DHL." in page
    assert "ann@example.com" not in page
    assert ">N0<" not in page
    assert "panel-ticket_scores" not in page
    assert 'method="post"' not in page.split('id="content"')[1]

    page = signed_in(client, *VIEW, "customers.view_order", SCORES).get(page_of(ticket))
    told = page.content.decode()
    assert [f"N{number}" in told for number in range(6)] == [True] * 5 + [False]
    assert "31" in told.split('id="panel-ticket_scores"')[1]


@pytest.mark.parametrize("act", ["answer", "words", "assign", "due", "close", "reopen", "again"])
def test_who_may_only_look_does_nothing(client, act):
    ticket = TicketFactory(state="waiting")
    before = Ticket.objects.filter(pk=ticket.pk).values().get()

    told = {"act": act, f"{act}-text": "Hi", "words-kind": "note", "due-due_at": "2026-12-01T10:00"}
    assert signed_in(client, *VIEW).post(page_of(ticket), told).status_code == 403

    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before
    assert not ticket.messages.exists()
    assert signed_in(client).get(page_of(ticket)).status_code == 403
    assert client.get(LIST).status_code == 403


def test_a_ticket_is_worked_on_to_its_end(client, django_capture_on_commit_callbacks):
    customer = CustomerFactory(pk=12_345, name="Ann")
    IdentityFactory(customer=customer, value="ann@example.com")
    signed_in(client, *WORK, "customers.add_ticket", "customers.view_customer")
    me = int(client.session["_auth_user_id"])
    card = client.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    address = f"{LIST}add/?customer={customer.pk}"
    assert address in card

    client.post(address, {"subject": "Where is it?", "text": "Since Monday."})
    ticket = Ticket.objects.get()
    assert ticket.customer == customer

    def act(name, **told):
        values = {f"{name}-{key}": value for key, value in told.items()}
        response = client.post(page_of(ticket), {"act": name, **values})
        assert response.status_code == 302, response.content.decode()
        ticket.refresh_from_db()

    act("assign", assignee=me)
    act("due", due_at="2026-12-01T10:00")
    act("words", kind="note", text="Ask DHL.")
    assert (ticket.assignee_id, ticket.due_at.isoformat()) == (me, "2026-12-01T10:00:00+00:00")
    with django_capture_on_commit_callbacks() as hints:
        act("answer", text="It left today.")
    assert (len(hints), ticket.state) == (1, "waiting")
    tickets.send_next(now=timezone.now())
    assert [sent.to for sent in mail.outbox] == [["ann@example.com"]]
    act("words", kind="customer", text="Thanks!")
    assert ticket.state == "open"
    act("close")
    assert ticket.state == "closed"
    assert 'id="answer"' not in client.get(page_of(ticket)).content.decode()
    act("reopen")
    assert ticket.state == "open"
    assert list(ticket.messages.values_list("kind", flat=True)) == ["note", "answer", "customer"]


def test_a_refused_answer_stays_in_its_form(client):
    ticket = TicketFactory()
    signed_in(client, *WORK)
    page = client.get(page_of(ticket)).content.decode()
    assert "No e-mail address of this customer is known." in page
    assert 'id="answer"' not in page

    response = client.post(page_of(ticket), {"act": "answer", "answer-text": "It left today."})

    assert response.status_code == 200
    page = response.content.decode()
    assert "It left today." in page.split('id="answer"')[1]
    assert "No e-mail address" in page.split('id="answer"')[1]
    assert not ticket.messages.exists()


def test_what_the_page_does_not_know_changes_nothing(client):
    ticket, other = TicketFactory(), TicketFactory()
    signed_in(client, *WORK)

    for told in ({"act": "explode"}, {}, {"act": "again", "message": "1"}):
        assert client.post(page_of(ticket), told).status_code == 302
    assert client.post(page_of(ticket), {"act": "words", "words-kind": "x"}).status_code == 200
    assert client.get(f"{LIST}999999/change/").status_code == 302
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{other.pk}/delete/", {"post": "yes"}).status_code == 403

    assert not ticket.messages.exists()
    assert Ticket.objects.filter(state="open").count() == 2


def test_without_a_customer_the_way_leads_to_the_customers(client):
    signed_in(client, "customers.add_ticket", "customers.view_customer")

    for address in (f"{LIST}add/", f"{LIST}add/?customer=x", f"{LIST}add/?customer=99999"):
        response = client.get(address, follow=True)
        assert response.redirect_chain == [("/admin/customers/customer/", 302)]
        assert "choose “New ticket”" in response.content.decode()


def test_an_answer_that_was_not_sent_is_told_in_the_queue_and_sent_again(client):
    customer = CustomerFactory()
    IdentityFactory(customer=customer)
    ticket = TicketFactory(customer=customer)
    message = tickets.answer(ticket_id=ticket.pk, text="Hi", user_id=None, now=timezone.now())
    # A number that a page would write with a comma.
    TicketMessage.objects.filter(pk=message.pk).update(id=12_345)
    tickets.send_next(now=timezone.now() + timedelta(days=2))
    signed_in(client, *WORK)

    assert "an answer was not sent" in client.get(LIST).content.decode()
    page = client.get(page_of(ticket)).content.decode()
    assert "It waited for more than a day" in page
    held = re.search(r'name="message" value="([^"]+)"', page)
    client.post(page_of(ticket), {"act": "again", "message": held[1]})

    message = TicketMessage.objects.get()
    assert (message.delivery, message.error) == ("queued", "")
    assert "an answer was not sent" not in client.get(LIST).content.decode()
