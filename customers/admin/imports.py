"""Files in: the list, the upload, and what became of the rows."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.services.audit import record_audit
from crm.core.tasks import queue_job
from customers.admin.import_check import check_view, note_import
from customers.errors import UndoRefusedError, UndoTooLateError
from customers.models import ImportBatch, Order
from customers.selectors.audit import describe_audit, describe_recognition
from customers.selectors.contacts import may_see_contacts
from customers.selectors.recognition import recognition_of
from customers.services import importing, saved_imports
from customers.services.importing import undo

MAY_UNDO = "customers.delete_importbatch"


class UploadForm(forms.Form):
    """A file and where it comes from."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV, XLSX or Parquet: an export of Shopify, WooCommerce, Taobao or Youzan, one of "
            "Huike's own files, or any other table."
        ),
        widget=UnfoldAdminFileFieldWidget,
    )
    source = forms.SlugField(
        label=gettext_lazy("Source"),
        max_length=64,
        initial="my-shop",
        help_text=gettext_lazy(
            "Where it comes from, such as my-shop. The same source knows its rows again."
        ),
        error_messages={
            "invalid": gettext_lazy("Use Latin letters, digits, - and _ only, such as my-shop.")
        },
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = (
        "filename", "source", "state", "rows_total", "rows_created", "rows_updated",
        "rows_unchanged", "rows_rejected", "arrived",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("source",)
    fields = ("filename", "source", "format", "arrived", "uploaded_by", "job", "public_id")
    readonly_fields = ("arrived",)
    add_words = gettext_lazy("Bring a file in")
    empty_words = gettext_lazy("Customers, orders and products come in as CSV, XLSX or Parquet.")
    change_form_before_template = "customers/import_before.html"

    @admin.display(description=gettext_lazy("uploaded"), ordering="created_at")
    def arrived(self, batch: ImportBatch) -> str:
        return date_format(timezone.localtime(batch.created_at), "DATETIME_FORMAT")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("customers.add_importbatch"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take a file; the worker reads it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._start(request, form)
            except DomainError as error:
                form.add_error("file", error.message)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Bring a file in"),
            "heading": _("Bring a file in"),
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "customers/import_upload.html", context)

    def _start(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        file = form.cleaned_data["file"]
        with transaction.atomic():
            batch = importing.receive_file(
                file=file,
                filename=file.name,
                source_key=form.cleaned_data["source"],
                user_id=request.user.pk,
                now=timezone.now(),
            )
            note_import(request, batch, "import.uploaded")
        messages.success(request, _("The file is here. Look at it, then bring it in."))
        return HttpResponseRedirect(reverse("admin:customers_importbatch_check", args=[batch.pk]))

    def get_urls(self) -> list[URLPattern]:
        """Add the page between upload and import, and the undo's."""
        check = self.admin_site.admin_view(partial(check_view, self))
        undone = self.admin_site.admin_view(self.undo)
        return [
            path("<int:pk>/check/", check, name="customers_importbatch_check"),
            path("<int:pk>/undo/", undone, name="customers_importbatch_undo"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the audit below the counts, and whether the import can be undone."""
        batch = (
            ImportBatch.objects.select_related("job", "undo_job").filter(pk=object_id).first()
            if object_id.isdigit()
            else None
        )
        context: dict[str, Any] = {}
        if batch is not None:
            context = {
                "batch": batch,
                "may_read_errors": may_see_contacts(request.user),
                "audit": describe_audit(batch.audit),
                "recognition": describe_recognition(recognition_of(batch.source_id)),
                "may_go_on": batch.state in importing.WAITING
                and bool(batch.file)
                and (batch.job is None or batch.job.is_final)
                and self.has_add_permission(request),
                "may_save": batch.state in saved_imports.SAVABLE
                and request.user.has_perm("customers.add_savedimport"),
                "unrated": Order.objects.without_rate().filter(source=batch.source_id).count(),
                "may_rate": request.user.has_perm("customers.view_exchangerate"),
                "may_reconcile": request.user.has_perm("customers.add_reconciliation"),
                **_undo_context(request, batch),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what an undo would do or why it may not be; do it when that is confirmed."""
        if not request.user.has_perm(MAY_UNDO):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch.objects.select_related("undo_job"), pk=pk)
        here = reverse("admin:customers_importbatch_change", args=[pk])
        try:
            if request.method == "POST":
                return self._start_undo(request, batch)
            undo.check_undo(batch, now=timezone.now())
        except UndoRefusedError:
            pass  # The page below names the rows.
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(here)
        plan = undo.plan_undo(batch)
        title = _("Undo the import of %(file)s") % {"file": batch.filename}
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "heading": title,
            "opts": self.model._meta,
            "batch": batch,
            "plan": plan,
            "refusals": undo.words(plan.refusals),
        }
        return TemplateResponse(request, "customers/import_undo.html", context)

    def _start_undo(self, request: HttpRequest, batch: ImportBatch) -> HttpResponse:
        with transaction.atomic():
            job = undo.start_undo(batch_id=batch.pk, user_id=request.user.pk, now=timezone.now())
            record_audit(
                actor_id=request.user.pk,
                action="import.undo_started",
                object_type="customers.importbatch",
                object_id=batch.public_id,
            )
            queue_job(job.pk)
        messages.success(request, _("A worker undoes the import now."))
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))


def _undo_context(request: HttpRequest, batch: ImportBatch) -> dict[str, Any]:
    """Return whether the import can be undone, and what stood in the way the last time."""
    now = timezone.now()
    refusals, others = undo.last_refusals(batch)
    may_undo, too_late = request.user.has_perm(MAY_UNDO), False
    try:
        undo.check_undo(batch, now=now)
    except DomainError as error:
        may_undo, too_late = False, isinstance(error, UndoTooLateError)
    return {
        "may_undo": may_undo,
        "undo_until": undo.kept_until(batch),
        "undo_is_too_late": too_late,
        "undo_refusals": undo.words(refusals) if batch.state != "undone" else [],
        "undo_others": others,
    }
