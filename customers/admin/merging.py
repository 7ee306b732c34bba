"""Two profiles compared, made one, and made two again, by hand."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.core.errors import DomainError
from crm.core.selectors.reach import reached
from customers.admin.small_pages import customer_for, name_of, names_of, page_of
from customers.enums import Lifecycle
from customers.models import Customer, MergeRecord
from customers.selectors.comparison import compare, what_moves, what_was_moved
from customers.selectors.people import person_name
from customers.selectors.shop import shop_settings
from customers.services.merging import merge_customers, unmerge_customers

MAY_MERGE = "customers.add_mergerecord"
MAY_PART = "customers.change_mergerecord"


def merge_urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses below those of the customers."""
    return [
        path("<int:pk>/compare/<int:other>/", wrap(comparison), name="customers_compare"),
        path("<int:pk>/merge/<int:other>/", wrap(merge), name="customers_merge"),
        path("<int:pk>/part/<int:record>/", wrap(part), name="customers_part"),
    ]


def comparison(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Show two profiles side by side; who may merge chooses which of them to keep."""
    one, two = customer_for(request, pk), customer_for(request, other)
    if one.pk == two.pk:
        raise Http404
    context = {
        "pair": [one, two],
        "names": names_of(one, two),
        "parts": compare(one, two, currency=shop_settings().currency, user=request.user),
        "may_merge": request.user.has_perm(MAY_MERGE)
        and one.lifecycle == two.lifecycle == Lifecycle.ACTIVE,
    }
    return _page(request, "customers/compare.html", _("Compare two profiles"), one, context)


def merge(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Say what moves, then merge ``other`` into ``pk``; a refusal is shown with its reason."""
    kept = customer_for(request, pk, MAY_MERGE)
    gone = customer_for(request, other, MAY_MERGE)
    kept_name, gone_name = names_of(kept, gone)
    refusal = ""
    if request.method == "POST":
        try:
            merge_customers(
                source_id=gone.pk, target_id=kept.pk, user_id=request.user.pk, now=timezone.now()
            )
        except DomainError as error:
            refusal = error.message
        else:
            words = _("%(gone)s is part of %(kept)s now.")
            messages.success(request, words % {"gone": gone_name, "kept": kept_name})
            return HttpResponseRedirect(page_of(kept.pk))
    context = {
        "kept": kept,
        "gone": gone,
        "kept_name": kept_name,
        "gone_name": gone_name,
        "moves": what_moves(gone.pk),
        "refusal": refusal,
    }
    return _page(request, "customers/merge.html", _("Merge two profiles"), kept, context)


def part(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """Say what goes back, then part two profiles; a refusal is shown with its reason."""
    customer = customer_for(request, pk, MAY_PART)
    rows = reached(MergeRecord.objects.all(), request.user)
    rows = rows.select_related("source_customer", "target_customer", "merged_by")
    row = get_object_or_404(rows, pk=record)
    if pk not in (row.source_customer_id, row.target_customer_id):
        raise Http404
    refusal = ""
    if request.method == "POST":
        try:
            unmerge_customers(merge_id=row.pk, user_id=request.user.pk, now=timezone.now())
        except DomainError as error:
            refusal = error.message
        else:
            messages.success(request, _("The two profiles are apart again."))
            return HttpResponseRedirect(page_of(row.source_customer_id))
    kept_name, gone_name = names_of(row.target_customer, row.source_customer)
    context = {
        "row": row,
        "kept_name": kept_name,
        "gone_name": gone_name,
        "merged_by": person_name(row.merged_by) if row.merged_by else "",
        "moved": what_was_moved(row),
        "refusal": refusal,
    }
    return _page(request, "customers/part.html", _("Part two profiles"), customer, context)


def merge_context(customer: Customer, user: Any) -> dict[str, Any]:
    """Return what a customer's page says about merges: into whom, or whom it has taken in."""
    standing = reached(MergeRecord.objects.filter(unmerged_at=None), user)
    if customer.lifecycle == Lifecycle.MERGED:
        rows = standing.filter(source_customer=customer).select_related("target_customer")
        row = rows.first()
        return {
            "merged_record": row,
            "merged_into_name": name_of(row.target_customer) if row else "",
            "may_part": bool(row) and user.has_perm(MAY_PART),
        }
    taken = standing.filter(target_customer=customer).select_related("source_customer")
    return {
        "taken_in": [
            {"record": row, "name": name_of(row.source_customer)}
            for row in taken.order_by("-merged_at")[:10]
        ],
        "may_part": user.has_perm(MAY_PART),
    }


def _page(
    request: HttpRequest, template: str, title: str, customer: Customer, context: dict[str, Any]
) -> HttpResponse:
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "heading": title,
        "opts": Customer._meta,
        "customer": customer,
    }
    return TemplateResponse(request, template, {**shared, **context})
