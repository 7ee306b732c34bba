"""What staff write and decide, as panels of a customer's page."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from crm.core.selectors.reach import reached
from customers.admin.attributes import shown_value
from customers.admin.merging import MAY_MERGE
from customers.admin.notes import NoteForm, may_change, may_write
from customers.admin.small_pages import name_of
from customers.admin.staff_tasks import TaskForm
from customers.enums import Lifecycle
from customers.models import Attribute, Customer, Interaction
from customers.selectors.duplicates import likely_duplicates
from customers.selectors.people import person_name
from customers.selectors.staff_tasks import customer_tasks, due_words, is_overdue

MOST_NOTES = 3


def notes(request: HttpRequest, customer_id: int | None) -> dict[str, Any] | None:
    """Return the newest notes, and a form for whoever may write one."""
    rows = Interaction.objects.notes().filter(customer_id=customer_id or 0).select_related("author")
    found = list(rows.order_by("-at", "-pk")[: MOST_NOTES + 1])
    may_add = may_write(request.user) and _is_active(request, customer_id)
    if not found and not may_add:
        return None
    return {
        "customer_id": customer_id,
        "notes": [
            {
                "row": row,
                "author": person_name(row.author),
                "is_own": may_change(request.user, row),
            }
            for row in found[:MOST_NOTES]
        ],
        "has_more": len(found) > MOST_NOTES,
        "form": NoteForm(prefix=None, auto_id="note_%s") if may_add else None,
    }


def tasks(request: HttpRequest, customer_id: int | None) -> dict[str, Any] | None:
    """Return what is to be done and was done last, and a form for whoever may give a task."""
    found = customer_tasks(customer_id or 0)
    may_add = request.user.has_perm("customers.add_task") and _is_active(request, customer_id)
    if not found and not may_add:
        return None
    today = timezone.localdate()
    return {
        "customer_id": customer_id,
        "tasks": [
            {
                "row": row,
                "who": person_name(row.assignee),
                "due": due_words(row, today),
                "is_overdue": is_overdue(row, today),
            }
            for row in found
        ],
        "may_change": request.user.has_perm("customers.change_task"),
        "today": today,
        "form": TaskForm(auto_id="task_%s", initial={"assignee": request.user.pk})
        if may_add
        else None,
    }


def attributes(request: HttpRequest, customer_id: int | None) -> dict[str, Any] | None:
    """Return the declared attributes with this customer's values; nothing where none is."""
    declared = list(Attribute.objects.all())
    customer = _customer(request, customer_id)
    if not declared or customer is None:
        return None
    rows = [{"label": one.label, "value": shown_value(one, customer)} for one in declared]
    return {
        "customer_id": customer_id,
        "rows": [row for row in rows if row["value"]],
        "may_change": request.user.has_perm("customers.change_customer")
        and customer.lifecycle == Lifecycle.ACTIVE,
    }


def duplicates(request: HttpRequest, customer_id: int | None) -> dict[str, Any] | None:
    """Return who is likely the same person; nothing where nobody is."""
    customer = _customer(request, customer_id)
    if customer is None or customer.lifecycle != Lifecycle.ACTIVE:
        return None
    rows = reached(Customer.objects.all(), request.user)
    found = likely_duplicates(customer, list(customer.identities.all()), rows)
    if not found:
        return None
    return {
        "customer_id": customer_id,
        "candidates": [
            {
                "pk": one.customer.pk,
                "name": name_of(one.customer),
                "place": one.customer.city or one.customer.country,
                "reasons": one.reasons,
            }
            for one in found
        ],
        "may_merge": request.user.has_perm(MAY_MERGE),
    }


def _customer(request: HttpRequest, customer_id: int | None) -> Customer | None:
    """Return the customer of the page; the page hands over the one it has read."""
    held: Customer | None = getattr(request, "shown_customer", None)
    if held is not None and held.pk == customer_id:
        return held
    return Customer.objects.filter(pk=customer_id or 0).first()


def _is_active(request: HttpRequest, customer_id: int | None) -> bool:
    customer = _customer(request, customer_id)
    return customer is not None and customer.lifecycle == Lifecycle.ACTIVE
