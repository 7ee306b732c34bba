"""Every page of the web admin asks the database as often for a hundred rows as for one.

The pages are those of ``tests/admin_pages.py``, each with a row behind it. Then each row of each
table is copied: lists grow by the copies, and a page about a row by the copies of what belongs to
it. A page that asks once a row, for whatever is listed on it, is named with both numbers.
"""

import re
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from customers.services import facts
from tests.admin_pages import addresses, rows_to_open
from tests.factories import NOON, ShopSettingsFactory

pytestmark = pytest.mark.django_db
APPS = ("core", "customers", "analytics", "auth", "axes")
COPIES = 99
SEEN = ("_changelist", "_change", "_history", "_compare", "_merge", "_part", "index")
"""How the names of lists and of pages about a row end."""
ALONE = {
    # One row there is, or one a customer, by a constraint.
    "customers.shopsettings", "customers.mergerecord", "analytics.scorepointer",
    "analytics.activitymark", "analytics.customerscore", "auth.permission",
}  # fmt: skip

PAGED = {"customers_customer_changelist": 2}
"""More than one page of customers is read by its ids: those with an order, then the others."""


def copy_every_row():
    """Copy each row, with other words and days where something must be unique."""
    made = {}
    for model in apps.get_models():
        label = model._meta.label_lower
        tracked = hasattr(model, "pgh_obj") or "event" in label.rpartition(".")[2]
        ours = model._meta.app_label in APPS and model._meta.managed and not model._meta.proxy
        fields = model._meta.concrete_fields
        alone = any(field.one_to_one and not field.null for field in fields) or label in ALONE
        if not ours or tracked or alone:
            continue
        rows = list(model._default_manager.order_by("pk")[:2])
        copies = [copied(row, number) for row in rows[-1:] for number in range(1, COPIES + 1)]
        model._default_manager.bulk_create(copies)
        made[label] = len(copies)
    return made


def copied(row, number):
    """Return a row like another, which may stand beside it."""
    told = {}
    singular = unique_names(type(row))
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.primary_key:
            continue
        if value is None:
            pass
        elif field.name == "public_id":
            value = f"{value[:-4]}{number:04d}"
        elif field.name in singular and isinstance(field, models.CharField):
            # Three letters where more do not fit, as in the code of a currency.
            value = f"{value[: field.max_length - 4]}{number:03d}"[: field.max_length]
        elif field.name in singular and isinstance(value, date):
            # What stands on the first of a month is a month.
            value += timedelta(days=number)
            if getattr(row, field.attname).day == 1:
                value = date(2030 + number // 12, number % 12 + 1, 1)
        elif field.name in singular and field.one_to_one:
            value = None
        told[field.attname] = value
    return type(row)(**told)


def unique_names(model):
    """Return the names of a model's fields in which no two rows may be alike."""
    names = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            names |= {*constraint.fields, *re.findall(r"F\((\w+)\)", repr(constraint.expressions))}
    return names | {name for group in model._meta.unique_together for name in group}


def asked(client, pages):
    """Return how many statements each page takes that shows something."""
    found = {}
    for name, address in pages.items():
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address)
        if answer.status_code == 200:
            found[name] = len(seen)
    return found


def test_every_page_asks_as_often_for_a_hundred_rows_as_for_one(staff_client):
    ShopSettingsFactory()
    rows = rows_to_open()
    while facts.refresh_pending(now=NOON, seconds=10):
        pass
    pages = {name: at for name, at in addresses(rows).items() if name.endswith(SEEN)}
    asked(staff_client, pages)  # what a process remembers, it remembers now
    one = asked(staff_client, pages)

    made = copy_every_row()

    many = asked(staff_client, pages)
    assert one.keys() == many.keys()
    assert len(one) > 40
    held = {name: count + PAGED.get(name, 0) for name, count in one.items()}
    grown = {name: (held[name], many[name]) for name in one if held[name] != many[name]}
    assert grown == {}
    assert sum(count >= COPIES for count in made.values()) > 25, made
