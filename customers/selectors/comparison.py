"""Two profiles side by side, and what a merge of them moves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.registry import registry
from customers.enums import IdentityKind
from customers.models import (
    Consent,
    Customer,
    CustomerFacts,
    Identity,
    Interaction,
    MergeRecord,
    Order,
    Refund,
    Review,
    SurveyResponse,
    Task,
    Ticket,
)
from customers.selectors.contacts import mask_text
from customers.selectors.reach import is_of, issuers_of
from customers.selectors.timeline import money

MOVING: dict[str, tuple[type[Model], Any]] = {
    "customers.Order.customer": (Order, gettext_lazy("Orders")),
    "customers.Identity.customer": (Identity, gettext_lazy("Keys of recognition")),
    "customers.Refund.customer": (Refund, gettext_lazy("Refunds")),
    "customers.Consent.customer": (Consent, gettext_lazy("Lines of the consent log")),
    "customers.Review.customer": (Review, gettext_lazy("Reviews")),
    "customers.SurveyResponse.customer": (SurveyResponse, gettext_lazy("Survey answers")),
    "customers.Ticket.customer": (Ticket, gettext_lazy("Tickets")),
    "customers.Interaction.customer": (Interaction, gettext_lazy("Notes")),
    "customers.Task.customer": (Task, gettext_lazy("Tasks")),
}
"""What a merge moves, by the key of its handler, and what people call it."""
USUAL_TOPIC = "marketing"


@dataclass(frozen=True)
class Row:
    """One line of a comparison; ``is_equal`` is None where sameness means nothing."""

    label: str
    cells: tuple[str, str]
    is_equal: bool | None = None


@dataclass(frozen=True)
class Part:
    """Rows under one heading."""

    title: str
    rows: list[Row]


def compare(one: Customer, other: Customer, *, currency: str, user: Any) -> list[Part]:
    """Return both profiles, part by part; addresses are only said to be the same or not."""
    pair = (one, other)
    ids = [one.pk, other.pk]
    facts = CustomerFacts.objects.in_bulk(ids)
    parts = [
        Part(_("Profile"), [*_profile(pair, user), *_contacts(pair)]),
        Part(_("Recognised by"), _identities(ids, issuers_of(user))),
        Part(_("Consent"), _consents(ids)),
        Part(_("Orders and spend"), _facts(pair, facts, currency)),
    ]
    scores = _scores(ids, user)
    return [*parts, Part(_("Scores"), scores)] if scores else parts


def what_moves(customer_id: int) -> list[tuple[str, int]]:
    """Return how many rows of what a merge would move away from a profile, none left out."""
    counted = [
        (str(label), model._default_manager.filter(customer_id=customer_id).count())
        for model, label in MOVING.values()
    ]
    return [(label, count) for label, count in counted if count]


def what_was_moved(record: MergeRecord) -> list[tuple[str, int]]:
    """Return how many rows of what a merge moved and an unmerge gives back."""
    counted = [
        (str(label), len(record.moved.get(key) or [])) for key, (_m, label) in MOVING.items()
    ]
    return [(label, count) for label, count in counted if count]


def _profile(pair: tuple[Customer, Customer], user: Any) -> list[Row]:
    names = ("name", "country", "city", "language", "zone", "birthday", "source", "external_id")
    rows = []
    for name in names:
        values = [_value(customer, name, user) for customer in pair]
        label = str(getattr(Customer._meta.get_field(name), "verbose_name", name))
        first, second = (mask_text(_shown(value)) for value in values)
        rows.append(Row(label, (first, second), values[0] == values[1] if any(values) else None))
    since = [date_format(customer.created_at, "DATE_FORMAT") for customer in pair]
    return [*rows, Row(_("In the record since"), (since[0], since[1]))]


def _value(customer: Customer, name: str, user: Any) -> Any:
    """Return a field; nothing of a source that is not there for who reads."""
    hidden = name in ("source", "external_id") and not is_of(customer.source_id, user)
    return None if hidden else getattr(customer, name)


def _contacts(pair: tuple[Customer, Customer]) -> list[Row]:
    rows = []
    for name, label in (("email", _("e-mail")), ("phone", _("phone"))):
        values = [getattr(customer, name).strip().lower() for customer in pair]
        is_equal = values[0] == values[1] if all(values) else None
        there = _("there is one")
        if is_equal is not None:
            there = _("the same") if is_equal else _("another one")
        first, second = (there if value else "–" for value in values)
        rows.append(Row(label, (first, second), is_equal))
    return rows


def _identities(ids: Sequence[int], issuers: Collection[str] | None) -> list[Row]:
    """Return a row for each kind of key; addresses are counted, ids are told."""
    found: dict[str, dict[int, list[str]]] = {}
    private = (IdentityKind.EMAIL, IdentityKind.PHONE)
    for one in Identity.objects.filter(customer_id__in=ids).order_by("kind", "issuer", "value"):
        if issuers is not None and one.issuer and one.issuer not in issuers:
            continue
        label = str(one.get_kind_display())
        label = f"{label} · {one.issuer}" if one.issuer else label
        value = "" if one.kind in private else mask_text(one.value)
        found.setdefault(label, {}).setdefault(one.customer_id, []).append(value)
    return [
        Row(label, _two(ids, lambda pk, held=held: _keys(held.get(pk, []))))
        for label, held in found.items()
    ]


def _keys(values: list[str]) -> str:
    told = [value for value in values if value]
    return ", ".join(told) if told else number_format(len(values)) if values else "–"


def _consents(ids: Sequence[int]) -> list[Row]:
    found: dict[str, dict[int, str]] = {}
    for line in Consent.objects.filter(customer_id__in=ids).latest_per_channel():
        label = str(line.get_channel_display())
        label = label if line.topic == USUAL_TOPIC else f"{label} · {line.topic}"
        words = f"{line.get_action_display()} · {date_format(line.at, 'DATE_FORMAT')}"
        found.setdefault(label, {})[line.customer_id] = words
    return [
        Row(label, _two(ids, lambda pk, held=held: held.get(pk, "–")))
        for label, held in found.items()
    ]


def _facts(
    pair: tuple[Customer, Customer], facts: Mapping[int, CustomerFacts], currency: str
) -> list[Row]:
    def cell(customer: Customer, read: Any) -> str:
        row = facts.get(customer.pk)
        return "–" if row is None else str(read(row))

    readers = [
        (_("Orders"), lambda row: number_format(row.order_count, force_grouping=True)),
        (_("Lifetime spend"), lambda row: money(row.total_spend, currency)),
        (_("First order"), lambda row: _shown(row.first_order_day)),
        (_("Last order"), lambda row: _shown(row.last_order_day)),
    ]
    return [Row(label, (cell(pair[0], read), cell(pair[1], read))) for label, read in readers]


def _scores(ids: Sequence[int], user: Any) -> list[Row]:
    """Return what upper apps put into the strip of each of the two."""
    rows: dict[str, dict[int, str]] = {}
    for slot in registry.customer_strip:
        if slot.permission and not user.has_perm(slot.permission):
            continue
        for pk, cards in slot.load(ids).items():
            for card in cards:
                value = card["value"] or card["silent"] or "–"
                text = f"{value} · {card['range']}" if card["value"] and card["range"] else value
                rows.setdefault(str(card["label"]), {})[pk] = str(text)
    return [
        Row(label, _two(ids, lambda pk, held=held: held.get(pk, "–")))
        for label, held in rows.items()
    ]


def _two(ids: Sequence[int], read: Any) -> tuple[str, str]:
    return read(ids[0]), read(ids[1])


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "–"
    return date_format(value, "DATE_FORMAT") if hasattr(value, "isoformat") else str(value)
