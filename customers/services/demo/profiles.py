"""People for the demonstration: made up, labelled as such, the same at every start.

Who has returned much is made to answer a little less happily, so that satisfaction has something
to find. Orders, refunds and amounts are never touched.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from customers.enums import Channel, ConsentAction, IdentityKind, SurveyMetric, TicketState
from customers.models import (
    Consent,
    Customer,
    CustomerFacts,
    Identity,
    Review,
    SurveyResponse,
    Ticket,
)
from customers.services.demo import names
from customers.services.facts import mark_dirty

EVIDENCE = "Simulated for the demonstration"
BATCH = 1000
CHINESE_SHARE = 0.12
PHONES = 1000
"""British numbers reserved for drama: +44 7700 900000 to 900999."""


@dataclass
class _People:
    """Rows to be written for one batch."""

    customers: list[Customer] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    answers: list[SurveyResponse] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)


def simulate_profiles(*, source_id: int, now: datetime) -> int:
    """Give every customer of a source a made-up profile; return how many were still without one."""
    count = 0
    while made := simulate_some_profiles(source_id=source_id, now=now):
        count += made
    return count


def simulate_some_profiles(*, source_id: int, now: datetime) -> int:
    """Give the next customers without a profile one; return how many, 0 when all have theirs."""
    batch = list(
        Customer.objects.active()
        .filter(source_id=source_id, is_simulated=False)
        .order_by("pk")[:BATCH]
    )
    if batch:
        _simulate_batch(batch, start=_simulated(source_id), now=now)
    return len(batch)


def _simulated(source_id: int) -> int:
    return Customer.objects.filter(source_id=source_id, is_simulated=True).count()


def _simulate_batch(batch: Sequence[Customer], *, start: int, now: datetime) -> None:
    facts = CustomerFacts.objects.in_bulk([customer.pk for customer in batch])
    people = _People()
    for place, customer in enumerate(batch, start):
        dice = random.Random(f"huike-{customer.external_id}")  # noqa: S311 - no secret is made
        _profile(people, customer, place, dice)
        known = facts.get(customer.pk)
        if known is not None and known.last_order_at is not None:
            _voice(people, customer, known, dice, now)
    with transaction.atomic():
        Customer.objects.bulk_update(
            people.customers,
            ["name", "email", "phone", "language", "zone", "is_simulated"],
            batch_size=500,
        )
        Identity.objects.bulk_create(people.identities, ignore_conflicts=True)
        Consent.objects.bulk_create(people.consents)
        SurveyResponse.objects.bulk_create(people.answers)
        Review.objects.bulk_create(people.reviews)
        Ticket.objects.bulk_create(people.tickets)
        mark_dirty(customer.pk for customer in batch)


def _profile(people: _People, customer: Customer, place: int, dice: random.Random) -> None:
    is_chinese = dice.random() < CHINESE_SHARE
    customer.name, handle = names.person(dice, customer.country, is_chinese=is_chinese)
    customer.language = "zh-hans" if is_chinese else "en"
    customer.email = f"{handle}.{customer.external_id}@example.com".lower()
    customer.phone = f"+447700900{place:03d}" if place < PHONES else ""
    customer.is_simulated = True
    people.customers.append(customer)
    people.identities += _identities(customer)
    if dice.random() < 0.62:
        days = dice.randint(20, 300)
        people.consents.append(
            Consent(
                customer=customer,
                source_id=customer.source_id,
                channel=Channel.EMAIL,
                action=ConsentAction.GIVEN if dice.random() < 0.93 else ConsentAction.WITHDRAWN,
                at=customer.created_at - timedelta(days=days),
                evidence=EVIDENCE,
            )
        )


def _identities(customer: Customer) -> Iterable[Identity]:
    yield Identity(customer=customer, kind=IdentityKind.EMAIL, value=customer.email)
    if customer.phone:
        yield Identity(customer=customer, kind=IdentityKind.PHONE, value=customer.phone)


def _voice(
    people: _People, customer: Customer, facts: CustomerFacts, dice: random.Random, now: datetime
) -> None:
    """Let some customers speak; how happily depends on the share of their money that came back."""
    assert facts.last_order_at is not None
    returned = float(facts.refund_total / facts.gross_spend) if facts.gross_spend else 0.0
    mood = 4.35 - min(2.4, 6.0 * returned) + dice.gauss(0, 0.75)
    key = f"demo-{customer.external_id}"
    at = min(facts.last_order_at + timedelta(days=dice.randint(2, 9)), now)
    common = {
        "source_id": customer.source_id,
        "customer": customer,
        "external_id": key,
        "is_simulated": True,
    }
    rating = max(1, min(5, round(mood)))
    if dice.random() < 0.22:
        people.answers.append(
            SurveyResponse(metric=SurveyMetric.CSAT, value=rating, answered_at=at, **common)
        )
    if dice.random() < 0.14:
        words = names.review(dice, rating, is_chinese=customer.language != "en")
        people.reviews.append(Review(rating=rating, text=words, written_at=at, **common))
    if rating <= 2 and dice.random() < 0.35:
        is_open = at > now - timedelta(days=30)
        people.tickets.append(
            Ticket(
                subject=names.complaint(dice, is_chinese=customer.language != "en"),
                opened_at=at,
                state=TicketState.OPEN if is_open else TicketState.CLOSED,
                closed_at=None if is_open else at + timedelta(days=3),
                **common,
            )
        )
