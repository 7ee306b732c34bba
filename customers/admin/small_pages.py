"""Pages with one form about one customer, and the way back to their page."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from crm.core.errors import DomainError
from crm.core.selectors.reach import reached
from customers.models import Customer
from customers.selectors.contacts import is_contact, mask_text


def customer_for(request: HttpRequest, pk: int, *permissions: str) -> Customer:
    """Return the customer a page is about, for somebody who may see them and has the rights."""
    if not request.user.has_perms(("customers.view_customer", *permissions)):
        raise PermissionDenied
    rows = reached(Customer.objects.select_related("source", "merged_into"), request.user)
    return get_object_or_404(rows, pk=pk)


def page_of(customer_id: int, anchor: str = "") -> str:
    """Return the address of a customer's page."""
    address = reverse("admin:customers_customer_change", args=[customer_id])
    return f"{address}#{anchor}" if anchor else address


def name_of(customer: Customer) -> str:
    """Return what a page about somebody calls them, without their address."""
    number = customer.external_id or ""
    return mask_text(customer.name) or ("" if is_contact(number) else number) or customer.public_id


def names_of(one: Customer, other: Customer) -> tuple[str, str]:
    """Return what a page about two calls each, told apart by their ids where the names are one."""
    names = name_of(one), name_of(other)
    if names[0] != names[1]:
        return names
    first, second = (
        f"{name_of(customer)} ({mask_text(customer.external_id or '') or customer.public_id})"
        for customer in (one, other)
    )
    return first, second


def form_page(
    request: HttpRequest, customer: Customer, *, title: str, form: forms.Form, **more: Any
) -> HttpResponse:
    """Draw a form under its title; ``submit`` is what the button says."""
    context = {
        **admin.site.each_context(request),
        "title": title,
        "heading": title,
        "opts": Customer._meta,
        "customer": customer,
        "customer_name": name_of(customer),
        "form": form,
        **more,
    }
    return TemplateResponse(request, "customers/small_form.html", context)


def act(
    request: HttpRequest, customer_id: int, anchor: str, deed: Callable[[], Any], done: str
) -> HttpResponse:
    """Do one thing, say that it is done or why not, and go back to the customer's page."""
    try:
        deed()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    return HttpResponseRedirect(page_of(customer_id, anchor))
