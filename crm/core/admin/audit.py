"""The audit log in the web admin: to read, to narrow, to take out; for nobody to change."""

import csv
import json
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import TextIOWrapper
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.models import AuditEntry
from crm.core.registry import registry
from crm.core.selectors.audit import describe_entry, label_of, object_page, who_did
from crm.core.services.audit import record_audit

MOST_PEOPLE = 200
MOST_EXPORTED = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ActionFilter(admin.SimpleListFilter):
    """Keeps the entries of one action."""

    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the actions there are words for."""
        named = [(wording.key, str(wording.label)) for wording in registry.audit_wordings]
        return sorted(named, key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one action; all without a choice."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class PersonFilter(admin.SimpleListFilter):
    """Keeps what one person did."""

    title = gettext_lazy("who")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer members of staff."""
        people = get_user_model()._default_manager.filter(is_staff=True).order_by("username")
        return [(str(pk), name) for pk, name in people.values_list("pk", "username")[:MOST_PEOPLE]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one person's entries; of what is no person's number nothing."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(actor_id=value) if value.isdecimal() else queryset.none()


class DayFilter(admin.SimpleListFilter):
    """Keeps the entries of some days: today, yesterday, the last ones, or a day as 2026-03-31."""

    title = gettext_lazy("day")
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the usual spans, and the day the list is narrowed to."""
        chosen = request.GET.get("day", "")
        told = [(chosen, chosen)] if _day(chosen) else []
        return [
            ("today", _("Today")), ("yesterday", _("Yesterday")), ("7", _("Last 7 days")),
            ("30", _("Last 30 days")), *told,
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the entries of a span, by the shop's days; of what is none nothing."""
        value, today = self.value(), timezone.localdate()
        if not value:
            return queryset
        spans = {
            "today": (today, today),
            "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
            "7": (today - timedelta(days=6), today),
            "30": (today - timedelta(days=29), today),
        }
        day = _day(value)
        span = spans.get(value) or ((day, day) if day else None)
        if span is None:
            return queryset.none()
        first, last = span
        return queryset.filter(at__gte=_start(first), at__lt=_start(last + timedelta(days=1)))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1990 <= day.year <= 9000 else None


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "sentence", "what", "about")
    list_display_links = ("at",)
    list_filter = (ActionFilter, PersonFilter, DayFilter)
    list_select_related = ("actor", "api_key")
    search_fields = ("=object_id", "=public_id", "=request_id")
    search_help_text = gettext_lazy("The whole id of what was done something to")
    fields = (
        "at", "sentence", "who", "what", "about", "object_type", "told", "request_id", "public_id",
    )  # fmt: skip
    readonly_fields = ("sentence", "who", "what", "about", "told")
    empty_words = gettext_lazy("What people and keys do that must be traceable is listed here.")
    rows_words = gettext_lazy("entries")
    list_before_template = "core/audit_before.html"

    @admin.display(description=gettext_lazy("what happened"))
    def sentence(self, entry: AuditEntry) -> str:
        return describe_entry(entry)

    @admin.display(description=gettext_lazy("who"))
    def who(self, entry: AuditEntry) -> str:
        return who_did(entry)

    @admin.display(description=gettext_lazy("action"))
    def what(self, entry: AuditEntry) -> str:
        return label_of(entry.action)

    @admin.display(description=gettext_lazy("about"))
    def about(self, entry: AuditEntry) -> str:
        """Link what it is about by way of a page that looks for it: here it would cost a query."""
        if not entry.object_id.partition("_")[2]:
            return entry.object_id or "–"
        address = reverse("admin:core_auditentry_object", args=[entry.pk])
        words = '<a class="text-link" href="{}">{}…</a>'
        return format_html(words, address, entry.object_id[:12])

    @admin.display(description=gettext_lazy("details"))
    def told(self, entry: AuditEntry) -> str:
        return json.dumps(entry.details, ensure_ascii=False, sort_keys=True)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Leave the details to be read, not to be guessed at."""
        return not lookup.startswith("details") and super().lookup_allowed(lookup, value, request)

    def get_urls(self) -> list[URLPattern]:
        """Add the file, and the way to what an entry is about."""
        file = self.admin_site.admin_view(require_safe(self.export))
        opened = self.admin_site.admin_view(require_safe(self.open_object))
        return [
            path("export/", file, name="core_auditentry_export"),
            path("<int:pk>/object/", opened, name="core_auditentry_object"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead on to the file of what is listed."""
        address = f"{reverse('admin:core_auditentry_export')}?{request.GET.urlencode()}"
        context = {"audit_export_url": address, **(extra_context or {})}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Head the page by what was done, not by its code."""
        entry = AuditEntry.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        told = {"heading": capfirst(label_of(entry.action))} if entry else {}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    def open_object(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open what an entry is about; say so when it is gone."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = get_object_or_404(AuditEntry, pk=pk)
        if address := object_page(entry):
            return HttpResponseRedirect(address)
        messages.info(request, _("What this entry is about is gone, or has no page."))
        return HttpResponseRedirect(reverse("admin:core_auditentry_change", args=[pk]))

    def export(self, request: HttpRequest) -> FileResponse:
        """Send what the list has with its filters as CSV, and write that down."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).queryset
        file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - the answer closes it
        text = TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        entries = rows.select_related("actor", "api_key")[:MOST_EXPORTED]
        writer.writerows(_rows(entries.iterator(chunk_size=2000)))
        text.detach()
        file.seek(0)
        record_audit(
            actor_id=request.user.pk,
            action="audit.exported",
            object_type="core.auditentry",
            object_id="",
            details={"filters": request.GET.dict()},
        )
        name = f"audit-{timezone.localdate():%Y-%m-%d}.csv"
        answer = FileResponse(file, as_attachment=True, filename=name)
        answer["Cache-Control"] = "no-store, private"
        return answer


def _rows(entries: Iterator[AuditEntry]) -> Iterator[list[str]]:
    yield [
        _("when"), _("who"), _("action"), _("what happened"), _("object type"), _("object"),
        _("details"), _("request id"), "id",
    ]  # fmt: skip
    for entry in entries:
        cells = [
            timezone.localtime(entry.at).isoformat(), who_did(entry), entry.action,
            describe_entry(entry), entry.object_type, entry.object_id,
            json.dumps(entry.details, ensure_ascii=False, sort_keys=True), entry.request_id,
            entry.public_id,
        ]  # fmt: skip
        # A spreadsheet would run a text that begins like a formula.
        yield [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells]
