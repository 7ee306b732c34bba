"""Answers are committed first, sent once by whoever comes first, and never again by themselves."""

import smtplib
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils import timezone

from customers.enums import SuppressionReason
from customers.errors import AnswerRefusedError, TicketStateError
from customers.models import ShopSettings, TicketMessage
from customers.services import consent, tickets
from customers.services.tickets.sending import LATEST, LOST_AFTER
from tests.factories import (
    NOON,
    CustomerFactory,
    IdentityFactory,
    ShopSettingsFactory,
    TicketFactory,
    UserFactory,
)
from tests.workers import wait_for

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def shop(settings):
    settings.DEFAULT_FROM_EMAIL = "help@shop.example"
    return ShopSettingsFactory(name="回客小店", sending_armed=True)


@pytest.fixture
def ticket():
    customer = CustomerFactory(email="ann@example.com")
    IdentityFactory(customer=customer, value="first@example.com")
    IdentityFactory(customer=customer, value="ann@example.com")
    return TicketFactory(customer=customer, subject="Where is\nmy parcel?")


def answer(ticket, text="It left today.", **more):
    return tickets.answer(ticket_id=ticket.pk, text=text, user_id=None, now=NOON, **more)


def test_an_answer_is_a_row_first_and_a_mail_afterwards(ticket, settings):
    settings.EMAIL_REPLY_TO = "desk@shop.example"
    message = answer(ticket)
    assert (message.delivery, mail.outbox) == ("queued", [])
    ticket.refresh_from_db()
    assert ticket.state == "waiting"

    assert tickets.send_next(now=LATER)
    assert not tickets.send_next(now=LATER)

    (sent,) = mail.outbox
    written = sent.message()
    assert (sent.to, sent.body) == (["ann@example.com"], "It left today.")
    assert sent.subject == "Re: Where is my parcel?"
    assert str(written["From"]).endswith("<help@shop.example>")
    assert written["Reply-To"] == "desk@shop.example"
    assert written["Message-ID"] == message.message_id
    assert message.message_id.endswith("@shop.example>")
    assert written["In-Reply-To"] is None
    message.refresh_from_db()
    assert (message.delivery, message.sent_at, message.attempts) == ("sent", LATER, 1)


def test_a_second_answer_belongs_to_the_conversation(ticket):
    first = answer(ticket)
    tickets.send_next(now=LATER)
    answer(ticket, "It is with the carrier.", closes=True)
    tickets.send_next(now=LATER)

    written = mail.outbox[1].message()
    assert (written["In-Reply-To"], written["References"]) == (first.message_id, first.message_id)
    ticket.refresh_from_db()
    assert ticket.state == "closed"


@pytest.mark.parametrize(
    ("reason", "prepare"),
    [
        ("no_customer", lambda ticket: setattr(ticket, "customer", None)),
        ("no_address", lambda ticket: ticket.customer.identities.all().delete()),
        ("made_up", lambda ticket: setattr(ticket.customer, "is_simulated", True)),
        (
            "suppressed",
            lambda ticket: consent.suppress(
                channel="email", address="ann@example.com", reason=SuppressionReason.BOUNCED,
                now=NOON,
            ),
        ),
        ("not_armed", lambda ticket: ShopSettings.objects.update(sending_armed=False)),
    ],
)  # fmt: skip
def test_an_answer_nobody_would_get_is_refused(ticket, reason, prepare):
    prepare(ticket)
    ticket.save()
    if ticket.customer:
        ticket.customer.save()

    with pytest.raises(AnswerRefusedError) as refusal:
        answer(ticket)

    assert refusal.value.reason == reason
    assert refusal.value.message
    assert not TicketMessage.objects.exists()
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_a_machine_that_only_prints_mails_answers_nobody(ticket, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    with pytest.raises(AnswerRefusedError) as refusal:
        answer(ticket)

    assert refusal.value.reason == "no_server"
    assert not TicketMessage.objects.exists()


def test_what_changed_while_an_answer_waited_is_seen_before_it_is_sent(ticket):
    message = answer(ticket)
    ticket.customer.identities.all().delete()

    assert tickets.send_next(now=LATER)

    message.refresh_from_db()
    assert (message.delivery, message.error, mail.outbox) == ("failed", "no_address", [])
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_a_disarmed_shop_sends_nothing_and_what_is_old_then_waits_for_somebody(ticket):
    message = answer(ticket)
    ShopSettings.objects.update(sending_armed=False)
    assert not tickets.send_next(now=LATER)
    message.refresh_from_db()
    assert message.delivery == "queued"

    ShopSettings.objects.update(sending_armed=True)
    tickets.send_next(now=NOON + LATEST + timedelta(seconds=1))

    message.refresh_from_db()
    assert (message.delivery, message.error, mail.outbox) == ("failed", "too_late", [])


class Failing(BaseEmailBackend):
    """Fails as the test says."""

    at_open: Exception | None = None
    at_send: Exception | None = None

    def open(self):
        if self.at_open:
            raise self.at_open

    def send_messages(self, email_messages):
        raise self.at_send or AssertionError("nothing was to be sent")


@pytest.mark.parametrize(
    ("at_open", "at_send", "delivery", "error"),
    [
        (ConnectionRefusedError(), None, "failed", "unreachable"),
        (smtplib.SMTPAuthenticationError(535, b"no"), None, "failed", "unreachable"),
        (
            None,
            smtplib.SMTPRecipientsRefused({"ann@example.com": (550, b"no such person")}),
            "failed",
            "refused:550",
        ),
        (None, smtplib.SMTPDataError(554, b"spam"), "failed", "refused:554"),
        (None, TimeoutError(), "unknown", "interrupted"),
        (None, smtplib.SMTPServerDisconnected(), "unknown", "interrupted"),
    ],
)
def test_a_failure_says_whether_the_mail_may_have_left(
    ticket, settings, monkeypatch, at_open, at_send, delivery, error
):
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    monkeypatch.setattr(Failing, "at_open", at_open)
    monkeypatch.setattr(Failing, "at_send", at_send)
    message = answer(ticket)

    tickets.send_next(now=LATER)

    message.refresh_from_db()
    assert (message.delivery, message.error, message.sent_at) == (delivery, error, None)
    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert not tickets.send_next(now=LATER)


def test_what_failed_is_sent_again_when_somebody_says_so(ticket):
    message = answer(ticket)
    TicketMessage.objects.update(delivery="failed", error="unreachable")

    tickets.send_again(message_id=message.pk, user_id=None, now=LATER)
    tickets.send_next(now=LATER)

    assert mail.outbox[0].message()["Message-ID"] == message.message_id
    with pytest.raises(TicketStateError):
        tickets.send_again(message_id=message.pk, user_id=None, now=LATER)
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_an_answer_once(ticket):
    for number in range(12):
        answer(ticket, f"Answer {number}")

    def work():
        while tickets.send_next(now=LATER):
            pass
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(sent.body for sent in mail.outbox) == sorted(f"Answer {n}" for n in range(12))
    assert set(TicketMessage.objects.values_list("delivery", "attempts")) == {("sent", 1)}


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_between_leaves_it_unknown_and_nothing_sends_it_again(
    start_worker, tmp_path, client, ticket
):
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "deadly").touch()
    worker = start_worker(
        TEST_EMAIL_BACKEND="tests.worker_app.mail.DeadlyBackend", EMAIL_URL=f"filemail:///{folder}"
    )
    message = tickets.answer(
        ticket_id=ticket.pk, text="It left today.", user_id=None, now=timezone.now()
    )

    def hint():
        from customers.tasks import send_answers

        send_answers.apply_async(queue=worker.queue)

    hint()
    wait_for(lambda: "WorkerLostError" in worker.output(), tell=worker.output)
    (folder / "deadly").unlink()
    hint()
    hint()
    wait_for(lambda: worker.output().count("succeeded in") >= 2, tell=worker.output)
    message.refresh_from_db()
    assert (message.delivery, message.attempts) == ("sending", 1)
    assert tickets.note_lost(now=timezone.now()) == 0

    assert tickets.note_lost(now=timezone.now() + LOST_AFTER) == 1
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    address = f"/admin/customers/ticket/{ticket.pk}/change/"
    page = client.get(address).content.decode()
    assert "Not known whether it was sent" in page
    assert "Send again" in page
    assert len(list(folder.glob("*.log"))) == 1

    tickets.send_again(message_id=message.pk, user_id=None, now=timezone.now())
    hint()
    wait_for(lambda: TicketMessage.objects.filter(delivery="sent").exists(), tell=worker.output)
    mails = "".join(path.read_text() for path in folder.glob("*.log"))
    assert mails.count(f"Message-ID: {message.message_id}") == 2
