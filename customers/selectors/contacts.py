"""Who may read e-mail addresses and phone numbers, and how they look to everybody else.

Whoever lacks ``customers.view_contact`` sees masks. A mask must not be undone by asking: whoever
reads masks also finds nobody by a contact, neither by a part of it nor by the whole. A masked
number leaves ten thousand candidates, and a list that answers “is it this one?” goes through them
in minutes.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from crm.core.selectors.reach import limit_of, reached
from customers.enums import IdentityKind
from customers.models import Customer, Identity

MAY_SEE = "customers.view_contact"
MAY_UNMASK = "customers.unmask_contact"
DOT = "•"
STAR = "*"
"""In files: whoever reads the file back leaves masked contacts out, as those of other shops."""
PREFIX, SHOWN_START, SHOWN_END = 2, 3, 4
"""Digits of a number that stay: its country code, or its beginning; and its end."""
LEAST_HIDDEN = 4
LEAST_DIGITS, MOST_DIGITS = 9, 15

EMAIL_IN_TEXT = re.compile(r"[^\s@<>()\[\]{},;:\"'“”‘’«»*•]+@[^\s@<>()\[\]{},;:\"'“”‘’«»*•]+")
# International form; a mainland Chinese mobile; a national number with its trunk zero.
PHONE_IN_TEXT = re.compile(
    r"(?<![\w+])(?:\+[1-9](?:[ ().-]{0,2}\d){6,14}"
    r"|1[3-9]\d(?:[ -]?\d{4}){2}"
    r"|\(?0\d{1,4}\)?[ -]?\d{3,4}[ -]?\d{3,4})(?![\w:])"
)
WHOLE_NUMBER = re.compile(r"\s*[+(]?\d[\d ().-]*\s*")
CHINESE_MOBILE = re.compile(r"861[3-9]\d{9}")
DAY = re.compile(r"\s*\d{4}-\d\d-\d\d")


def may_see_contacts(user: Any) -> bool:
    """Tell whether somebody reads contacts unmasked; nobody in particular does not."""
    return user is not None and bool(user.has_perm(MAY_SEE))


def show_email(value: str, user: Any) -> str:
    """Return an address as ``user`` may see it."""
    return value if may_see_contacts(user) else mask_email(value)


def show_phone(value: str, user: Any) -> str:
    """Return a number as ``user`` may see it."""
    return value if may_see_contacts(user) else mask_phone(value)


def show_text(value: str, user: Any) -> str:
    """Return free text as ``user`` may see it: addresses and numbers in it are masked."""
    return value if may_see_contacts(user) else mask_text(value)


def show_cell(value: str, user: Any) -> str:
    """Return a cell of somebody's file as ``user`` may see it, whatever its column holds."""
    return value if may_see_contacts(user) else mask_cell(value)


def show_identity(kind: str, value: str, user: Any) -> str:
    """Return the value of an identity as ``user`` may see it."""
    shown: Mapping[str, Callable[[str, Any], str]] = {
        IdentityKind.EMAIL: show_email,
        IdentityKind.PHONE: show_phone,
    }
    return shown.get(kind, show_text)(value, user)


def show_values(values: Any, user: Any) -> Any:
    """Return what a JSON column holds, its texts as ``user`` may see them."""
    if may_see_contacts(user):
        return values
    if isinstance(values, str):
        return mask_cell(values)
    if isinstance(values, Mapping):
        return {key: show_values(value, user) for key, value in values.items()}
    if isinstance(values, list):
        return [show_values(value, user) for value in values]
    return values


def show_trial(trial: Mapping[str, Any], user: Any) -> dict[str, Any]:
    """Return what a dry run told, the cells of rejected rows as ``user`` may see them."""
    if not trial:
        return {}
    first = [{**row, "cells": show_values(row["cells"], user)} for row in trial["first"]]
    return {**trial, "first": first}


def contact_field(customer: Customer, field: str) -> str:
    """Return what kind of key ``field`` names: “email”, “phone” or that of “identity-<id>”."""
    identity = _identity(customer, field)
    return identity.kind if identity else field


def contact_value(customer: Customer, field: str) -> str:
    """Return what ``field`` holds, empty for nothing: “email”, “phone” or “identity-<id>”."""
    if field in (IdentityKind.EMAIL, IdentityKind.PHONE):
        return str(getattr(customer, field))
    identity = _identity(customer, field)
    return identity.value if identity else ""


def _identity(customer: Customer, field: str) -> Identity | None:
    _word, _dash, pk = field.partition("identity-")
    return customer.identities.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None


def mask_email(value: str, sign: str = DOT) -> str:
    """Leave the first letter of both halves, and the last label: ``z•••@e•••.com``."""
    if not value:
        return value
    name, at, host = value.rpartition("@")
    if not at:
        return value[:1] + sign * 3
    first, dot, last = host.rpartition(".")
    domain = f"{first[:1]}{sign * 3}{dot}{last}" if dot else f"{host[:1]}{sign * 3}"
    return f"{name[:1]}{sign * 3}@{domain}"


def mask_phone(value: str, sign: str = DOT) -> str:
    """Leave what tells two of one's own apart: ``138••••5678``, ``+44••••••0123``.

    Of a mainland Chinese mobile with its country code the code stays too: ``+86138••••5678``.
    """
    digits = re.sub(r"\D", "", value)
    plus = "+" if value.strip().startswith("+") else ""
    start, end = (PREFIX if plus else SHOWN_START), SHOWN_END
    if plus and CHINESE_MOBILE.fullmatch(digits):
        start = PREFIX + SHOWN_START
    if len(digits) - start - end < LEAST_HIDDEN:
        start, end = 0, min(2, len(digits) // 2)
    hidden = len(digits) - start - end
    return f"{plus}{digits[:start]}{sign * hidden}{digits[start + hidden :]}"


def mask_text(value: str, sign: str = DOT) -> str:
    """Mask every address and every number that looks like a phone's in free text."""
    masked = EMAIL_IN_TEXT.sub(lambda found: mask_email(found[0], sign), value)
    return PHONE_IN_TEXT.sub(lambda found: mask_phone(found[0], sign), masked)


def mask_cell(value: str, sign: str = DOT) -> str:
    """Mask free text, and a cell that is one number as long as a phone's."""
    if WHOLE_NUMBER.fullmatch(value) and not DAY.match(value):
        digits = re.sub(r"\D", "", value)
        if LEAST_DIGITS <= len(digits) <= MOST_DIGITS:
            return mask_phone(value, sign)
    return mask_text(value, sign)


def is_contact(text: str) -> bool:
    """Tell whether a text is, or holds, what would be masked."""
    return mask_text(text) != text


def hides_search(text: str, user: Any) -> bool:
    """Tell whether a search that another typed is for an address or a number ``user`` may not see.

    Half an address is one, too; the last four digits are what a mask shows.
    """
    return not may_see_contacts(user) and ("@" in text or mask_cell(text) != text)


def search_customers(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:
    """Keep customers that match what ``user`` typed, by what ``user`` may see of them."""
    sources = limit_of(user)
    if may_see_contacts(user):
        return rows.matching(text, sources)  # type: ignore[attr-defined]  # CustomerQuerySet
    text = text.strip()
    if not text:
        return rows
    if is_contact(text):
        return rows.none()
    return rows.called(text, sources)  # type: ignore[attr-defined]  # CustomerQuerySet


def search_orders(rows: QuerySet[Any], text: str, user: Any) -> QuerySet[Any]:
    """Keep orders of this whole number or id, and those of whom ``user`` may find by ``text``.

    Whom one may not view, one does not search by.
    """
    text = text.strip()
    if not text:
        return rows
    if not user.has_perm("customers.view_customer"):
        return rows.filter(Q(external_id=text) | Q(public_id=text))
    buyers = search_customers(reached(Customer.objects.all(), user), text, user)
    return rows.matching(text, buyers)  # type: ignore[attr-defined]  # OrderQuerySet
