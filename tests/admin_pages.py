"""Every address of the web admin with a row behind it, for tests that walk them all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.urls import get_resolver, reverse
from django.utils import timezone

from crm.core.models import AuditEntry, Job, JobLog, SavedView
from crm.core.services import keys
from customers.enums import BulkKind
from customers.models import (
    Attribute,
    BulkAction,
    ExchangeRate,
    Identity,
    ImportBatch,
    Interaction,
    Reconciliation,
    Tag,
    Ticket,
)
from customers.selectors.audit import FATES
from customers.services import importing
from customers.services.merging import merge_customers
from tests import factories as make

EMAIL, PHONE, OTHER_PHONE = "zoe.marked@marked-host.example", "+8613812345678", "+447700900123"
MARKS = ("zoe.marked", "marked-host", "13812345678", "812345", "7700900123", "7700 900123", "00900")
"""What may stand nowhere before somebody who may not see contacts: the whole and its parts."""
NEVER = ("None", "view_on_site", "jsi18n", "app_list")
"""Addresses that show no row: redirects, the catalogue of texts, the list of an app's lists."""


@dataclass(frozen=True)
class Rows:
    """One row of each kind, by the start of its pages' names."""

    customer: object
    by_page: dict[str, int | str]
    parts: dict[str, int]
    """What else stands in addresses: the other customer, a note, a merge."""


def marked_customer():
    """Make a customer whose contacts stand wherever people write them."""
    customer = make.CustomerFactory(
        name="Wanda Name", external_id="Z1", email=EMAIL, phone=PHONE,
        attributes={"second": f"ask {EMAIL}"},
    )  # fmt: skip
    for kind, value in (("email", EMAIL), ("phone", PHONE), ("phone", OTHER_PHONE)):
        Identity.objects.create(customer=customer, kind=kind, value=value)
    Identity.objects.create(customer=customer, kind="messenger", issuer="app", value=EMAIL)
    told = f"write to {EMAIL} or call 138 1234 5678, at home 07700 900123"
    make.TicketFactory(customer=customer, subject=told[:200], body=told)
    make.ReviewFactory(customer=customer, text=told)
    make.SurveyResponseFactory(customer=customer, comment=told)
    make.ConsentFactory(customer=customer, evidence=told)
    Interaction.objects.create(customer=customer, kind="note", at=make.NOON, text=told)
    make.CustomerFactory(name="", external_id=None, email=f"2{EMAIL}", phone="+447700900124")
    return customer


def rows_to_open():
    """Fill the record with a row for each page."""
    make.ShopSettingsFactory()
    customer = marked_customer()
    order = make.OrderFactory(customer=customer)
    make.OrderLineFactory(order=order)
    user = make.UserFactory(username="opened")
    key, _secret = keys.create_api_key(
        name="k", user_id=user.pk, scopes=["read"], expires_at=None, now=timezone.now()
    )
    batch = waiting_file()
    job = make.JobFactory(
        kind="customers.import",
        parameters={"batch": batch.pk, "file": "people.csv"},
        state="succeeded",
        finished_at=timezone.now(),
    )
    Job.objects.filter(pk=job.pk).update(error=f"Nobody is {EMAIL}.")
    JobLog.objects.create(job=job, message=f"Asked {EMAIL}, then 138 1234 5678.")
    job.error_file.save("rows.csv", ContentFile(f"email\n{EMAIL}\n".encode()))
    export = make.ExportFactory(
        state="ready", expires_at=timezone.now() + timedelta(days=1),
        job=make.JobFactory(), filters={"q": [EMAIL]}, file=ContentFile(EMAIL.encode(), "x.csv"),
    )  # fmt: skip
    return Rows(
        customer,
        {
            "auth_user": user.pk,
            "auth_group": Group.objects.get_or_create(name="opened")[0].pk,
            "axes_accessattempt": AccessAttempt.objects.create(
                username="opened", ip_address="203.0.113.9", failures_since_start=3
            ).pk,
            "core_job": job.pk,
            "core_apikey": key.pk,
            "core_auditentry": AuditEntry.objects.latest("pk").pk,
            "core_alert": make.AlertFactory().pk,
            "customers_customer": customer.pk,
            "customers_contact": customer.pk,
            "customers_order": order.pk,
            "customers_product": make.ProductFactory().pk,
            "customers_source": customer.source_id,
            "customers_shopsettings": 1,
            "customers_importbatch": batch.pk,
            "customers_export": export.pk,
            "customers_savedimport": make.SavedImportFactory().pk,
            "customers_exchangerate": ExchangeRate.objects.create(
                currency="EUR", day=make.NOON.date(), rate=1
            ).pk,
            "customers_reconciliation": Reconciliation.objects.create(
                source=customer.source, month=make.NOON.date().replace(day=1), currency="GBP",
                stated=1, zone="UTC",
            ).pk,
            "analytics_scoringrun": make.ScoringRunFactory().pk,
            **views_of(user),
            **work_on(customer, user),
        },
        parts_of(customer, user),
    )  # fmt: skip


def views_of(user) -> dict[str, int]:
    """Save a shared view of each list that has views."""
    return {
        f"{page.replace('.', '_')}_view": SavedView.objects.create(
            page=page, name=page, owner=user, is_shared=True
        ).pk
        for page in ("customers.customer", "customers.order", "customers.product",
                     "customers.ticket")
    }  # fmt: skip


def work_on(customer, user) -> dict[str, int]:
    """Give the customer what staff add: the row of each page, or the customer's own."""
    bulk = BulkAction.objects.create(kind=BulkKind.TAG, created_by=user)
    return {
        "customers_attribute": Attribute.objects.create(key="x", label="X", type="text").pk,
        "customers_bulk": bulk.pk,
        "customers_tag": Tag.objects.create(name="Opened").pk,
        "customers_task": make.TaskFactory(customer=customer).pk,
        "customers_ticket": Ticket.objects.get(customer=customer).pk,
        **dict.fromkeys(
            ("customers_note", "customers_task_give", "customers_compare", "customers_merge",
             "customers_part"),
            customer.pk,
        ),
    }  # fmt: skip


def parts_of(customer, user) -> dict[str, int]:
    """Return the second row of addresses that name two."""
    other, gone = make.CustomerFactory(), make.CustomerFactory()
    record = merge_customers(
        source_id=gone.pk, target_id=customer.pk, user_id=user.pk, now=timezone.now()
    )
    note = Interaction.objects.get(customer=customer, kind="note")
    return {"note": note.pk, "other": other.pk, "record": record.pk}


def waiting_file() -> ImportBatch:
    """Return an upload to be looked at, with contacts in its cells and in its dry run."""
    text = f"id;mail;phone;note\n1;{EMAIL};{PHONE};call 13812345678\n2;{EMAIL};138 1234 5678;\n"
    batch = importing.receive_file(
        file=ContentFile(text.encode()), filename="people.csv", source_key="shop", user_id=None,
        now=timezone.now(),
    )  # fmt: skip
    cells = {"mail": EMAIL, "phone": "138 1234 5678"}
    batch.trial = {
        "rows": dict.fromkeys(FATES, 1),
        "kinds": {}, "rejected": {}, "notes": {}, "remarks": {},
        "first": [{"row": 2, "reason": "email: taken", "cells": cells}],
    }  # fmt: skip
    batch.trial = json.loads(json.dumps(batch.trial))
    batch.error = f"Nobody is {EMAIL}."
    told = {"basis": "opt-in", "evidence": f"told {EMAIL}", "at": "2026-01-01T00:00:00+00:00"}
    batch.options = {**batch.options, "consent": {"email": told}}
    batch.save()
    return batch


def patterns() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each address of the web admin and the names of what stands in it."""
    admin = next(one for one in get_resolver().url_patterns if str(one.pattern) == "admin/")
    for one in _flat(admin):
        name = str(one.name)
        if name not in NEVER:
            yield name, list(one.pattern.converters) or list(one.pattern.regex.groupindex)


def _flat(resolver):
    for one in resolver.url_patterns:
        if hasattr(one, "url_patterns"):
            yield from _flat(one)
        else:
            yield one


def addresses(rows: Rows) -> dict[str, str]:
    """Return the address of each page, by its name."""
    found = {}
    for name, parts in patterns():
        values = {"field": "email"} if "field" in parts else {}
        for part in parts:
            if part in ("pk", "object_id", "id"):
                values[part] = row_of(rows, name)
            elif part in rows.parts:
                values[part] = rows.parts[part]
        found[name] = reverse(f"admin:{name}", kwargs=values)
    return found


def row_of(rows: Rows, name: str) -> int | str:
    """Return the row a page shows; of lists that stand empty in these tests none is there."""
    known = [start for start in rows.by_page if name == start or name.startswith(f"{start}_")]
    return rows.by_page[max(known, key=len)] if known else 0


def people_may(*permissions):
    """Make a member of staff who may do just that; True for every permission there is."""
    from django.contrib.auth.models import Permission

    user = get_user_model().objects.create(username=f"may{len(permissions)}", is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user
