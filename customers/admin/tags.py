"""Tags on a customer's page, and the list narrowed by one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.core.admin.base import ListAdmin
from crm.core.errors import DomainError
from crm.core.selectors.reach import reached
from customers.models import Customer, CustomerTag, Tag
from customers.selectors.tags import OFFERED
from customers.services import tagging


class TagFilter(admin.SimpleListFilter):
    """Keeps the customers with a tag; the address names it by its public id."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the tags there are."""
        rows = reached(Tag.objects.order_by("name"), request.user)
        return list(rows.values_list("public_id", "name")[:OFFERED])

    def has_output(self) -> bool:
        """Stay where somebody chose a tag: a filter that is left out would mean everybody."""
        return bool(self.lookup_choices) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Return the customers with the tag; of an unknown tag, nobody."""
        value = self.value()
        if not value:
            return queryset
        tagged = CustomerTag.objects.filter(tag__public_id=value)
        return queryset.filter(pk__in=tagged.values("customer_id"))


class TagPages(ListAdmin):
    """The addresses by which a customer's page adds and removes tags."""

    def get_urls(self) -> list[URLPattern]:
        """Add them to a customer's own addresses."""
        add = self.admin_site.admin_view(require_POST(self.add_tag))
        remove = self.admin_site.admin_view(require_POST(self.remove_tag))
        return [
            path("<int:pk>/tags/add/", add, name="customers_customer_tag"),
            path("<int:pk>/tags/remove/", remove, name="customers_customer_untag"),
            *super().get_urls(),
        ]

    def add_tag(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a tag on a customer."""
        if not request.user.has_perms(["customers.view_customer", "customers.add_customertag"]):
            raise PermissionDenied
        get_object_or_404(reached(Customer.objects.all(), request.user), pk=pk)
        name = request.POST.get("tag", "")
        try:
            tagging.tag_customer(customer_id=pk, name=name, user_id=request.user.pk)
        except DomainError as error:
            messages.error(request, error.message)
        return _to_tags(pk)

    def remove_tag(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a tag off a customer."""
        if not request.user.has_perms(["customers.view_customer", "customers.delete_customertag"]):
            raise PermissionDenied
        tag = request.POST.get("tag", "")
        if tag.isdigit():
            tagging.untag_customer(customer_id=pk, tag_id=int(tag), user_id=request.user.pk)
        return _to_tags(pk)


def _to_tags(pk: int) -> HttpResponse:
    address = reverse("admin:customers_customer_change", args=[pk])
    return HttpResponseRedirect(f"{address}#panel-tags")
