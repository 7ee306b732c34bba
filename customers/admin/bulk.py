"""Something for all customers of a list, or for those that are ticked: choose, confirm, start."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.core.admin.base import ListAdmin
from crm.core.errors import DomainError
from crm.core.tasks import queue_job
from customers.admin.lists import LIST, export_url, filters_of
from customers.enums import BulkKind, ExportKind
from customers.models import BulkAction, Customer
from customers.selectors.exporting import describe_filters, without_people
from customers.selectors.tags import bulk_words, offered_tags
from customers.services import tagging


class BulkPages(ListAdmin):
    """The actions of the customers' list, and the page on which they are confirmed."""

    actions = ("tag_chosen", "untag_chosen", "export_chosen")

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a bulk action is confirmed."""
        confirm = self.admin_site.admin_view(self.confirm_bulk)
        return [path("bulk/<int:pk>/", confirm, name="customers_bulk"), *super().get_urls()]

    def has_tag_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(tagging.NEEDED[BulkKind.TAG]))

    def has_untag_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(tagging.NEEDED[BulkKind.UNTAG]))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(export_url(request, Customer))

    @admin.action(description=gettext_lazy("Tag…"), permissions=["tag"])
    def tag_chosen(self, request: HttpRequest, rows: QuerySet[Customer]) -> HttpResponse:
        """Freeze whom it is about, and ask for the tag."""
        return _freeze(request, BulkKind.TAG, rows)

    @admin.action(description=gettext_lazy("Remove a tag…"), permissions=["untag"])
    def untag_chosen(self, request: HttpRequest, rows: QuerySet[Customer]) -> HttpResponse:
        """Freeze whom it is about, and ask for the tag."""
        return _freeze(request, BulkKind.UNTAG, rows)

    @admin.action(description=gettext_lazy("Export…"), permissions=["export"])
    def export_chosen(self, request: HttpRequest, rows: QuerySet[Customer]) -> HttpResponse:
        """Lead on to the export of the list, or of the ticked rows of it."""
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(export_url(request, Customer))
        ids = ",".join(str(pk) for pk in rows.order_by("pk").values_list("pk", flat=True))
        add = reverse("admin:customers_export_add")
        return HttpResponseRedirect(f"{add}?{LIST}={ExportKind.CUSTOMERS.value}&id__in={ids}")

    def confirm_bulk(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask which tag, then say what will be done to how many, then start it."""
        action = get_object_or_404(BulkAction, pk=pk, created_by_id=request.user.pk)
        if not request.user.has_perms(
            ["customers.view_customer", tagging.NEEDED[BulkKind(action.kind)]]
        ):
            raise PermissionDenied
        if action.job_id:
            return HttpResponseRedirect(reverse("admin:core_job_change", args=[action.job_id]))
        tag = " ".join(request.POST.get("tag", "").split())
        if request.method == "POST" and "start" in request.POST:
            try:
                with transaction.atomic():
                    job = tagging.start_bulk(
                        action_id=action.pk, name=tag, user_id=request.user.pk or 0
                    )
                    queue_job(job.pk)
            except DomainError as error:
                messages.error(request, error.message)
                return HttpResponseRedirect(request.path)
            messages.success(request, _("A worker does this now."))
            return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": BulkKind(action.kind).label,
            "opts": self.model._meta,
            "action": action,
            "tag": tag,
            "says": bulk_words(kind=action.kind, people=action.people, tag=tag),
            "chosen": _chosen_words(action.people),
            "narrowed": describe_filters(action.filters),
            "offered": offered_tags(request.user),
        }
        return TemplateResponse(request, "customers/bulk_confirm.html", context)


def _freeze(request: HttpRequest, kind: BulkKind, rows: QuerySet[Customer]) -> HttpResponse:
    is_whole = request.POST.get("select_across") == "1"
    action = tagging.freeze_audience(
        kind=kind,
        rows=rows,
        filters=without_people(filters_of(request)) if is_whole else {},
        user_id=request.user.pk,
    )
    return HttpResponseRedirect(reverse("admin:customers_bulk", args=[action.pk]))


def _chosen_words(people: int) -> str:
    words = ngettext("%(people)s customer was chosen.", "%(people)s customers were chosen.", people)
    return words % {"people": number_format(people, force_grouping=True)}
