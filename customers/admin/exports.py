"""Files out: the list of exports, the wish for one, the download."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.selectors.reach import reached
from crm.core.tasks import queue_job
from crm.core.web.files import send_file
from customers.admin.lists import LIST, filters_of, listed_rows
from customers.enums import ExportKind, ExportState, FileFormat, ListOf
from customers.models import Export, Source
from customers.selectors.contacts import may_see_contacts
from customers.selectors.exporting import (
    KINDS,
    count_rows,
    describe_filters,
    file_name,
    permissions_for,
    permissions_to_take,
    show_filters,
    sources_of,
)
from customers.services import exporting


class ExportForm(forms.Form):
    """Which rows, as which kind of file."""

    kind = forms.ChoiceField(label=gettext_lazy("Rows"), widget=UnfoldAdminSelectWidget)
    source = forms.ChoiceField(
        label=gettext_lazy("Source"),
        required=False,
        help_text=gettext_lazy("A file is one source's: only it knows its ids again."),
        widget=UnfoldAdminSelectWidget,
    )
    format = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=FileFormat.choices,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "CSV and XLSX open in a spreadsheet; CSV and Parquet hold any number of rows."
        ),
    )

    def __init__(self, *args: Any, kinds: list[str], sources: list[Source], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["kind"]
        chosen.choices = [(name, ExportKind(name).label) for name in kinds]
        source: Any = self.fields["source"]
        source.choices = [("", _("Every source, a file each"))] if len(sources) != 1 else []
        source.choices += [(one.key, str(one)) for one in sources]


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    add_words = gettext_lazy("Export a list")
    empty_words = gettext_lazy("A list becomes a file by “Export…” above it, or here.")
    list_display = (
        "what", "source", "narrowed", "rows", "state", "created_by", "created_at", "expires_at",
        "downloads", "download",
    )  # fmt: skip
    list_display_links = ("what",)
    list_filter = ("kind", "state")
    list_select_related = ("source", "created_by")
    fields = (
        "kind", "format", "source", "narrowed", "shows_contacts", "rows", "state", "error",
        "created_by", "created_at", "expires_at", "downloads", "job", "public_id",
    )  # fmt: skip
    readonly_fields = ("narrowed", "narrowed_masked")
    change_form_before_template = "customers/export_before.html"

    @admin.display(description=gettext_lazy("what"), ordering="kind")
    def what(self, export: Export) -> str:
        return str(export)

    @admin.display(description=gettext_lazy("narrowed by"))
    def narrowed(self, export: Export) -> str:
        return describe_filters(export.filters) or "–"

    @admin.display(description=gettext_lazy("file"))
    def download(self, export: Export) -> str:
        if export.state != ExportState.READY:
            return "–"
        url = reverse("admin:customers_export_file", args=[export.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', url, _("Download"))

    @admin.display(description=gettext_lazy("narrowed by"))
    def narrowed_masked(self, export: Export) -> str:
        """Say what the list was narrowed by, but for what was typed to find a person."""
        return describe_filters(show_filters(export.filters, None)) or "–"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Say what whoever looks may know of what a list was narrowed by."""
        return _as_seen(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Say what whoever looks may know of what a list was narrowed by."""
        return _as_seen(request, self.fields)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Let nobody guess at what somebody typed to find a person."""
        return not lookup.startswith("filters") and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("customers.add_export"))

    def get_urls(self) -> list[URLPattern]:
        """Add the download."""
        file = self.admin_site.admin_view(self.file)
        return [path("<int:pk>/file/", file, name="customers_export_file"), *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Send the file to who may read its rows; expired, say so."""
        export = get_object_or_404(Export, pk=pk)
        needed = ["customers.view_export", *permissions_to_take(export)]
        if not request.user.has_perms(needed):
            raise PermissionDenied
        try:
            taken = exporting.hand_out(export_id=pk, user_id=request.user.pk, now=timezone.now())
        except DomainError as error:
            context = {"title": _("No file"), "says": error.message, "opts": self.model._meta}
            page = {**self.admin_site.each_context(request), **context}
            return TemplateResponse(
                request, "customers/export_gone.html", page, status=error.status
            )
        return send_file(taken.file, file_name(taken))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask which file, and start its job; with a list's words in the address, of that list."""
        listed = request.GET.get(LIST, "")
        may = [name for name in KINDS if request.user.has_perms(permissions_for(KINDS[name]))]
        kinds = [name for name in may if name == listed] if listed else may
        if not self.has_add_permission(request) or not kinds:
            raise PermissionDenied
        try:
            rows = _rows(request, listed) if listed else None
            form = ExportForm(
                request.POST or None,
                kinds=kinds,
                sources=_offered(request, listed, rows),
            )
            if request.method == "POST" and form.is_valid():
                return self._start(request, form, rows)
        except DomainError as error:
            messages.error(request, error.message)
            back = f"admin:customers_{KINDS[listed].model._meta.model_name}_changelist"
            return HttpResponseRedirect(reverse(back if listed else "admin:customers_export_add"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export"),
            "form": form,
            "opts": self.model._meta,
            "masked": not may_see_contacts(request.user)
            and any(KINDS[name].names_people for name in kinds),
            "says": _count_words(listed, rows) if rows is not None else "",
            "narrowed": describe_filters(filters_of(request)) if listed else "",
        }
        return TemplateResponse(request, "customers/export_form.html", context)

    def _start(
        self, request: HttpRequest, form: ExportForm, rows: QuerySet[Any] | None
    ) -> HttpResponse:
        kind = form.cleaned_data["kind"]
        is_listed = rows is not None
        wanted = _all_rows(request, kind) if rows is None else rows
        exports = []
        with transaction.atomic():
            for source in _sources(request, form, kind, wanted):
                export = exporting.start_export(
                    kind=kind,
                    format=form.cleaned_data["format"],
                    source=source,
                    rows=wanted,
                    filters=filters_of(request) if is_listed else {},
                    filtered_by=ListOf.ADMIN if is_listed else ListOf.API,
                    user_id=request.user.pk or 0,
                )
                queue_job(export.job_id or 0)
                exports.append(export)
        messages.success(request, _("A worker writes the file; it stays for some days."))
        if len(exports) == 1:
            return HttpResponseRedirect(reverse("admin:core_job_change", args=[exports[0].job_id]))
        return HttpResponseRedirect(reverse("admin:customers_export_changelist"))


def _as_seen(request: HttpRequest, names: Iterable[str]) -> list[str]:
    if may_see_contacts(request.user):
        return list(names)
    return ["narrowed_masked" if name == "narrowed" else name for name in names]


def _rows(request: HttpRequest, listed: str) -> QuerySet[Any]:
    return listed_rows(kind=listed, filters=filters_of(request), user=request.user)


def _all_rows(request: HttpRequest, kind: str) -> QuerySet[Any]:
    return reached(KINDS[kind].model._default_manager.all(), request.user)


def _offered(request: HttpRequest, listed: str, rows: QuerySet[Any] | None) -> list[Source]:
    """Return the sources to choose from: of a list those it has rows of."""
    mine = reached(Source.objects.all(), request.user)
    return list(mine) if rows is None else sources_of(KINDS[listed], rows, mine)


def _sources(
    request: HttpRequest, form: ExportForm, kind: str, rows: QuerySet[Any]
) -> list[Source]:
    """Return the chosen source, or all that have rows; of an empty list any."""
    mine = reached(Source.objects.all(), request.user)
    if key := form.cleaned_data["source"]:
        return list(mine.filter(key=key))
    found = sources_of(KINDS[kind], rows, mine)
    return found or [exporting.one_source(kind=kind, rows=rows, among=mine)]


def _count_words(listed: str, rows: QuerySet[Any]) -> str:
    """Say how many rows the file will have, all pages of the list together."""
    found = count_rows(rows.filter(KINDS[listed].leaves))
    words = _("All %(rows)s matching rows, on all pages of the list.")
    if not found.is_exact:
        words = _("All matching rows, on all pages of the list: about %(rows)s.")
    return words % {"rows": number_format(found.rows)}
