"""Adjectives for the record's rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import (
    BooleanField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Right
from django.db.models.lookups import Exact
from django.utils.functional import cached_property

from customers.enums import (
    COUNTED_ORDER_STATUSES,
    ConsentAction,
    DeliveryState,
    IdentityKind,
    InteractionKind,
    Lifecycle,
    SourceKind,
    TicketState,
)

if TYPE_CHECKING:
    from customers.models import (  # noqa: F401 - annotations
        Consent,
        Customer,
        Identity,
        Interaction,
        MergeRecord,
        Order,
        Task,
        Ticket,
        TicketMessage,
    )

LARGE = {"Customer": 20_000, "Order": 100_000}
"""So many rows are of sources from which on not all of their customers are read for a page."""
NAMING = ("Order", "Ticket")
"""Whose rows name customers of their source."""
LEAST_TRIGRAM = 3
END_OF_PHONE = 4
MOST_BUYERS = 500
"""Orders are searched by their buyers' names among the newest so many who are called so."""
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_FORGIVEN = re.compile(r"[\s().+-]")


class SourcedQuerySet(models.QuerySet[Any]):
    """Rows that come from a source."""

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(source__in=sources)


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers by standing and by what staff type into the search field."""

    def within(self, sources: Collection[int]) -> Self:
        """Customers of these sources: they came from one, or one has given them an id.

        Or an order or a ticket of one names them.
        """
        return self.filter(_is_of(sources))

    def active(self) -> Self:
        return self.filter(lifecycle=Lifecycle.ACTIVE)

    def matching(self, text: str, sources: Collection[int] | None = None) -> Self:
        """Customers whom staff mean by ``text``; every way goes by an index.

        Half a name, as written or as spoken in pinyin, whole or by its initials; an e-mail by its
        begin, or by a part with “@”; the last four digits of a phone, or any five and more; a
        whole id; the whole number of an order. Numbers and ids are those of ``sources``, if given.
        """
        text = text.strip()
        if not text:
            return self
        number = Q(_is_one_of(F("pk"), _buyers_of(text, sources)))
        # The name last: to spell one takes longer than all the rest.
        return self.filter(
            _numbered(text, sources) | Q(public_id=text) | number | _reached(text) | _named(text)
        )

    def called(self, text: str, sources: Collection[int] | None = None) -> Self:
        """Customers of half a name, as in ``matching``, or of a whole id, and of nothing else."""
        named = _named(text) & ~Q(name__contains="@")
        return self.filter(_numbered(text, sources) | Q(public_id=text) | named)


class Sources(frozenset[int]):
    """Some sources, and whether much of the shop is theirs; that is asked once."""

    @cached_property
    def are_large(self) -> bool:
        """Tell whether reading all of their customers would be slow."""
        found = [
            Exists(_rows(name).filter(source__in=self).values("pk")[most : most + 1])
            for name, most in LARGE.items()
        ]
        asked = _rows("Source").values_list(*found)[:1]
        return any(flag for row in asked for flag in row)


def _rows(name: str) -> models.QuerySet[Any]:
    return apps.get_model("customers", name)._default_manager.order_by()


def _is_of(sources: Collection[int], customer: str = "pk") -> Q:
    """Return whether the customer that a row names is of some sources.

    Of small ones their customers are read first; of large ones each row of the page is asked: the
    subqueries are no ``EXISTS``, which the planner would turn into reading all there is.
    """
    some = sources if isinstance(sources, Sources) else Sources(sources)
    keys = _rows("Source").filter(pk__in=some).values("key")
    given = _rows("Identity").filter(issuer__in=keys, kind=IdentityKind.EXTERNAL_ID)
    named = [_rows(name).filter(source__in=some, customer__isnull=False) for name in NAMING]
    if not some.are_large:
        came = _rows("Customer").filter(source__in=some).values("pk")
        others = [rows.values("customer") for rows in (given, *named)]
        return Q(**{f"{customer}__in": came.union(*others, all=True)})
    if customer != "pk":
        people = _rows("Customer").filter(_is_of(some), pk=OuterRef(customer))
        return Q(**{customer: Subquery(people.values("pk")[:1])})
    asked = Q(source__in=some)
    for rows in (given, *named):
        theirs = rows.filter(customer=OuterRef("pk")).values("customer")
        asked |= Q(pk=Subquery(theirs[:1]))
    return asked


def _numbered(text: str, sources: Collection[int] | None) -> Q:
    return Q(external_id=text) if sources is None else Q(external_id=text, source__in=sources)


def _named(text: str) -> Q:
    """Return who is called so. A name's key has its pinyin from every syllable on."""
    pattern = Func(Value(text), function="customers_name_pattern", output_field=TextField())
    key = Func(F("name"), function="customers_name_key", output_field=TextField())
    spoken = Q(_Compared(key, pattern, arg_joiner=" LIKE "))
    if _HAN.search(text):
        # The key finds all who sound so: what is written decides.
        return Q(name__icontains=text) & spoken
    # Fewer than three letters have no trigram: the index would be read from end to end.
    return Q(name__icontains=text) | spoken if len(text) >= LEAST_TRIGRAM else spoken


def _reached(text: str) -> Q:
    """Return whose e-mail or phone this is, or a part that tells people apart."""
    digits = _FORGIVEN.sub("", text)
    if digits.isascii() and digits.isdigit():
        if len(digits) == END_OF_PHONE:
            return Q(Exact(Right("phone", END_OF_PHONE), Value(digits)))
        return Q(phone__icontains=digits) if len(digits) > END_OF_PHONE else Q()
    return Q(email__icontains=text) if "@" in text else Q(email__istartswith=text)


def _buyers_of(text: str, sources: Collection[int] | None) -> models.QuerySet[Any]:
    orders = apps.get_model("customers", "Order")._default_manager
    found = orders.filter(_numbered(text, sources), customer__isnull=False)
    return found.order_by().values("customer")


def _is_one_of(field: F, ids: models.QuerySet[Any]) -> Func:
    """Compare with ids that are read first: so the comparison may use an index beside others."""
    return _Compared(
        field, ArraySubquery(ids), template="(%(expressions)s))", arg_joiner=" = ANY ("
    )


class _Compared(Func):
    """Two values, and what stands between them."""

    template = "(%(expressions)s)"
    output_field = BooleanField()
    conditional = True


class IdentityQuerySet(models.QuerySet["Identity"]):
    """Identities by key."""

    def keyed(self, *, issuer: str, kind: str, value: str) -> Self:
        return self.filter(issuer=issuer, kind=kind, value=value)


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Lines of the consent log."""

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(source__in=sources)

    def latest_per_channel(self) -> Self:
        """The line that counts, for each customer, channel and topic."""
        return self.order_by("customer_id", "channel", "topic", "-at", "-pk").distinct(
            "customer_id", "channel", "topic"
        )

    def given(self) -> Self:
        return self.filter(action=ConsentAction.GIVEN)


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders by whether they count as revenue."""

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(source__in=sources)

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

    def matching(self, text: str, buyers: CustomerQuerySet) -> Self:
        """Orders of this whole number or id, and those of the newest of ``buyers``."""
        ids = buyers.order_by("-pk").values("pk")[:MOST_BUYERS]
        bought = Q(_is_one_of(F("customer_id"), ids))
        return self.filter(Q(external_id=text) | Q(public_id=text) | bought)


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets by what is left to do."""

    def within(self, sources: Collection[int]) -> Self:
        """Tickets of these sources, and those staff wrote down about their customers."""
        written = Q(source__kind=SourceKind.MANUAL) & _is_of(sources, "customer")
        return self.filter(Q(source__in=sources) | written)

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

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(_is_of(sources, "customer"))

    def standing(self) -> Self:
        """Those that nobody took back."""
        return self.filter(deleted_at=None)

    def notes(self) -> Self:
        return self.standing().filter(kind=InteractionKind.NOTE)


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks by whether something is left to do."""

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(_is_of(sources, "customer"))

    def open(self) -> Self:
        return self.filter(done_at=None)

    def done(self) -> Self:
        return self.filter(done_at__isnull=False)

    def overdue(self, today: date) -> Self:
        return self.open().filter(due_day__lt=today)


class AboutCustomerQuerySet(models.QuerySet[Any]):
    """Rows about a customer that no source has given."""

    def within(self, sources: Collection[int]) -> Self:
        return self.filter(_is_of(sources, "customer"))


class MergeRecordQuerySet(models.QuerySet["MergeRecord"]):
    """Merges."""

    def within(self, sources: Collection[int]) -> Self:
        """Merges of two profiles that are both of these sources."""
        both = _is_of(sources, "source_customer") & _is_of(sources, "target_customer")
        return self.filter(both)
