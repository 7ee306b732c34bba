"""Files in: the list, the upload, and what became of the rows."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.tasks import queue_job
from customers.models import ImportBatch
from customers.selectors.audit import describe_audit
from customers.services import importing


class UploadForm(forms.Form):
    """A file and where it comes from."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or Parquet: Huike's customers, orders or order lines, or Online Retail."
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
    empty_words = gettext_lazy("Customers, orders and order lines come in as CSV or Parquet.")
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
            batch = importing.start_import(
                file=file,
                filename=file.name,
                source_key=form.cleaned_data["source"],
                user_id=request.user.pk,
                now=timezone.now(),
            )
            assert batch.job is not None  # start_import has just made it
            queue_job(batch.job.pk)
        messages.success(request, _("The file is here; a worker reads it now."))
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[batch.job_id]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the audit below the counts."""
        batch = (
            ImportBatch.objects.select_related("job").filter(pk=object_id).first()
            if object_id.isdigit()
            else None
        )
        context: dict[str, Any] = {}
        if batch is not None:
            context = {"batch": batch, "audit": describe_audit(batch.audit)}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
