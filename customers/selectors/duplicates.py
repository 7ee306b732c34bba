"""Who is likely to be the same person as a customer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.db.models import CharField, Q, QuerySet, Value
from django.utils.translation import gettext as _

from customers.enums import IdentityKind
from customers.models import Customer, Identity

MOST = 5
MOST_A_RULE = 20
MOST_KEYS = 3
"""Of somebody with many addresses a few are looked for: the page must open."""
SHORTEST_PHONE = 7
SHORTEST_NAME = 2


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be the same person, and what speaks for it, the strongest first."""

    customer: Customer
    reasons: list[str]


def likely_duplicates(
    customer: Customer, identities: Collection[Identity], among: QuerySet[Customer] | None = None
) -> list[Candidate]:
    """Return at most ``MOST`` active customers ``among`` those somebody may see, in two queries.

    Each rule reads at most ``MOST_A_RULE`` rows by an index: that of the keys, or those in which
    staff search for names and addresses.
    """
    keys: dict[str, set[str]] = {
        kind: {one.value for one in identities if one.kind == kind}
        for kind in (IdentityKind.EMAIL, IdentityKind.PHONE)
    }
    keys[IdentityKind.EMAIL] |= {customer.email.strip().lower()} - {""}
    keys[IdentityKind.PHONE] |= {customer.phone} - {""}
    rules = _rules(customer, keys)
    if not rules:
        return []
    first, *others = rules
    held = dict.fromkeys(first.union(*others, all=True) if others else first)
    seen = Customer.objects.all() if among is None else among
    rows = seen.in_bulk({pk for pk, _code in held})
    ranked = []
    for row in rows.values():
        reasons = _reasons(customer, row, keys) | {code for pk, code in held if pk == row.pk}
        told = [code for code in ORDER if code in reasons]
        if told:
            ranked.append((ORDER.index(told[0]), -len(told), -row.pk, row, told))
    words = _words()
    return [
        Candidate(row, [words[code] for code in told])
        for *_rank, row, told in sorted(ranked, key=lambda entry: entry[:3])[:MOST]
    ]


ORDER = ["email_key", "phone_key", "email", "phone", "birthday", "city"]
"""How much a reason says: keys first."""


def _words() -> dict[str, str]:
    return {
        "email_key": _("the same e-mail address"),
        "phone_key": _("the same phone number"),
        "email": _("the same mailbox, written in another way"),
        "phone": _("the same phone number, with another prefix"),
        "birthday": _("the same name and birthday"),
        "city": _("the same name and city"),
    }


def _reasons(one: Customer, other: Customer, keys: Mapping[str, Collection[str]]) -> set[str]:
    """Return what speaks for two profiles being one person, apart from keys others hold."""
    email, found = other.email.strip().lower(), set()
    if email and email in keys[IdentityKind.EMAIL]:
        found.add("email_key")
    elif email and _mailbox(email) == _mailbox(one.email):
        found.add("email")
    if other.phone and other.phone in keys[IdentityKind.PHONE]:
        found.add("phone_key")
    elif len(_national(one.phone)) >= SHORTEST_PHONE and other.phone.endswith(_national(one.phone)):
        found.add("phone")
    if _folded(one.name) and _folded(one.name) == _folded(other.name):
        if one.birthday and one.birthday == other.birthday:
            found.add("birthday")
        if one.city and _folded(one.city) == _folded(other.city):
            found.add("city")
    return found


def _rules(customer: Customer, keys: Mapping[str, set[str]]) -> list[QuerySet[Any, Any]]:
    """Return a bounded query of (id, code) for each rule this profile has something for.

    An empty code only says that somebody is worth a look.
    """
    others = Customer.objects.active().exclude(pk=customer.pk)
    rules: list[tuple[str, QuerySet[Customer]]] = []
    for kind, code in ((IdentityKind.EMAIL, "email_key"), (IdentityKind.PHONE, "phone_key")):
        own = sorted(keys[kind])[:MOST_KEYS]
        rules += [(code, _holding(others, kind, value)) for value in own]
    spelled = {_mailbox(value) for value in sorted(keys[IdentityKind.EMAIL])[:MOST_KEYS]}
    for base, domain in sorted(spelled):
        if len(base) >= SHORTEST_NAME:
            looked = others.filter(email__istartswith=base, email__iendswith=f"@{domain}")
            rules.append(("", looked))
    for number in sorted(keys[IdentityKind.PHONE])[:MOST_KEYS]:
        ending = _national(number)
        if len(ending) >= SHORTEST_PHONE:
            rules.append(("", others.filter(phone__iendswith=ending)))
    name, same = customer.name.strip(), Q(pk=None)
    if customer.birthday:
        same |= Q(birthday=customer.birthday)
    if customer.city:
        same |= Q(city__iexact=customer.city)
    if len(name) >= SHORTEST_NAME and (customer.birthday or customer.city):
        rules.append(("", others.filter(same, name__iexact=name)))
    return [
        rows.order_by()
        .annotate(code=Value(code, output_field=CharField()))
        .values_list("pk", "code")[:MOST_A_RULE]
        for code, rows in rules
    ]


def _holding(others: QuerySet[Customer], kind: IdentityKind, value: str) -> QuerySet[Customer]:
    keyed = Identity.objects.keyed(issuer="", kind=kind, value=value)
    return others.filter(pk__in=keyed.values("customer"))


def _mailbox(address: str) -> tuple[str, str]:
    """Return a mailbox's name without what follows a plus sign, and its domain."""
    local, _at, domain = address.strip().lower().partition("@")
    return local.partition("+")[0], domain


def _folded(text: str) -> str:
    return text.strip().casefold()


def _national(phone: str) -> str:
    """Return a number without the prefix of its country; empty where there is none."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ""
    return str(phonenumbers.national_significant_number(number))
