"""Adjectives for the record's rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from customers.enums import (
    COUNTED_ORDER_STATUSES,
    ConsentAction,
    DeliveryState,
    InteractionKind,
    Lifecycle,
    TicketState,
)

if TYPE_CHECKING:
    from customers.models import (  # noqa: F401 - annotations
        Consent,
        Customer,
        Identity,
        Interaction,
        Order,
        Task,
        Ticket,
        TicketMessage,
    )


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers by standing and by what staff type into the search field."""

    def active(self) -> Self:
        return self.filter(lifecycle=Lifecycle.ACTIVE)

    def matching(self, text: str) -> Self:
        """Customers whose name, e-mail or phone contains ``text``, or whose id is ``text``."""
        text = text.strip()
        if not text:
            return self
        return self.filter(
            Q(name__icontains=text)
            | Q(email__icontains=text)
            | Q(phone__icontains=text)
            | Q(external_id=text)
            | Q(public_id=text)
        )


class IdentityQuerySet(models.QuerySet["Identity"]):
    """Identities by key."""

    def keyed(self, *, issuer: str, kind: str, value: str) -> Self:
        return self.filter(issuer=issuer, kind=kind, value=value)


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Lines of the consent log."""

    def latest_per_channel(self) -> Self:
        """The line that counts, for each customer, channel and topic."""
        return self.order_by("customer_id", "channel", "topic", "-at", "-pk").distinct(
            "customer_id", "channel", "topic"
        )

    def given(self) -> Self:
        return self.filter(action=ConsentAction.GIVEN)


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders by whether they count as revenue."""

    def counted(self) -> Self:
        """Paid for, not cancelled, not a test, convertible to shop currency."""
        return self.filter(
            status__in=COUNTED_ORDER_STATUSES, is_test=False, total_shop__isnull=False
        )

    def without_rate(self) -> Self:
        """Orders that would count if somebody told what their currency was worth on their day."""
        return self.filter(
            status__in=COUNTED_ORDER_STATUSES, is_test=False, total_shop__isnull=True
        )

    def before(self, as_of: datetime) -> Self:
        return self.filter(placed_at__lt=as_of)


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets by what is left to do."""

    def unfinished(self) -> Self:
        return self.exclude(state=TicketState.CLOSED)

    def overdue(self, now: datetime) -> Self:
        """Not closed, and should have been by now."""
        return self.unfinished().filter(due_at__lt=now)


class TicketMessageQuerySet(models.QuerySet["TicketMessage"]):
    """Messages by what became of their e-mail."""

    def queued(self) -> Self:
        return self.filter(delivery=DeliveryState.QUEUED)

    def begun_before(self, moment: datetime) -> Self:
        """Handed over so long ago that nobody is at it any more."""
        return self.filter(delivery=DeliveryState.SENDING, begun_at__lt=moment)

    def undelivered(self) -> Self:
        """Answers that somebody must look at."""
        return self.filter(delivery__in=[DeliveryState.FAILED, DeliveryState.UNKNOWN])


class InteractionQuerySet(models.QuerySet["Interaction"]):
    """Entries of the timeline's own."""

    def standing(self) -> Self:
        """Those that nobody took back."""
        return self.filter(deleted_at=None)

    def notes(self) -> Self:
        return self.standing().filter(kind=InteractionKind.NOTE)


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks by whether something is left to do."""

    def open(self) -> Self:
        return self.filter(done_at=None)

    def done(self) -> Self:
        return self.filter(done_at__isnull=False)

    def overdue(self, today: date) -> Self:
        return self.open().filter(due_day__lt=today)
