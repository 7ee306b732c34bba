"""Contacts on a customer's page: as somebody may see them, and one unmasked with a reason."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from crm.core.errors import DomainError
from customers.models import Customer
from customers.selectors.contacts import (
    MAY_UNMASK,
    contact_field,
    contact_value,
    may_see_contacts,
    show_email,
    show_identity,
    show_phone,
)
from customers.selectors.reach import issuers_of
from customers.services.contacts import LONGEST_REASON, reveal_contact

SCHEMES = {"email": "mailto", "phone": "tel"}


@dataclass(frozen=True)
class Contact:
    """A contact on a customer's page: how it is shown, and where a mask is lifted.

    ``url`` calls or writes to an unmasked one; ``unmask`` is empty where nobody may or need.
    """

    shown: str
    url: str = ""
    unmask: str = ""
    label: str = ""


class ReasonForm(forms.Form):
    """Why somebody needs a contact."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Such as “calls back about order 1042”. It is written down."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def contacts_of(customer: Customer, user: Any) -> list[Contact]:
    """Return a customer's address and number as ``user`` may see them."""
    values = {
        "email": (customer.email, show_email(customer.email, user)),
        "phone": (customer.phone, show_phone(customer.phone, user)),
    }
    return [
        Contact(
            shown,
            url=f"{SCHEMES[field]}:{value}" if shown == value else "",
            unmask=_unmask(customer, field, value, shown, user),
        )
        for field, (value, shown) in values.items()
        if value
    ]


def keys_of(customer: Customer, user: Any) -> list[Contact]:
    """Return by what a customer is recognised, contacts among it as ``user`` may see them."""
    found = []
    issuers = issuers_of(user)
    for one in customer.identities.all():
        if issuers is not None and one.issuer and one.issuer not in issuers:
            continue
        shown = show_identity(one.kind, one.value, user)
        label = " · ".join(filter(None, [one.get_kind_display(), one.issuer]))
        unmask = _unmask(customer, f"identity-{one.pk}", one.value, shown, user)
        found.append(Contact(shown, unmask=unmask, label=label))
    return found


def _unmask(customer: Customer, field: str, value: str, shown: str, user: Any) -> str:
    """Return where a mask is lifted; nothing for what is whole, or for whoever may not."""
    if shown == value or not user.has_perm(MAY_UNMASK):
        return ""
    return reverse("admin:customers_contact", args=[customer.pk, field])


def _is_there(customer: Customer, field: str, user: Any) -> bool:
    """Tell whether a key is there for a person, and not another source's."""
    issuers = issuers_of(user)
    _word, _dash, pk = field.partition("identity-")
    if issuers is None or not pk:
        return True
    issuer = customer.identities.filter(pk=pk).values_list("issuer", flat=True).first()
    return not issuer or issuer in issuers


def contact_view(model_admin: Any, request: HttpRequest, pk: int, field: str) -> HttpResponse:
    """Ask for a reason; with one, show this one value in the answer, which nothing may keep."""
    customer = get_object_or_404(Customer, pk=pk)
    if not model_admin.has_view_permission(request, customer):
        raise PermissionDenied
    if not (may_see_contacts(request.user) or request.user.has_perm(MAY_UNMASK)):
        raise PermissionDenied
    kind, value = contact_field(customer, field), contact_value(customer, field)
    if not value or not _is_there(customer, field, request.user):
        raise Http404
    form, shown = ReasonForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            shown = reveal_contact(
                customer_id=pk,
                field=field,
                reason=form.cleaned_data["reason"],
                user_id=request.user.pk or 0,
            )
        except DomainError as error:
            form.add_error("reason", error.message)
    title = _("Show a contact of %(customer)s") % {"customer": customer}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "heading": title,
        "opts": model_admin.model._meta,
        "customer": customer,
        "form": form,
        "masked": show_identity(kind, value, None),
        "shown": shown,
        "url": f"{SCHEMES[kind]}:{shown}" if shown and kind in SCHEMES else "",
    }
    answer = TemplateResponse(request, "customers/contact.html", context)
    answer["Cache-Control"] = "no-store, private"
    return answer
