"""Imports that run every day: the list, the form, the test, and what stopped them."""

from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from crm.core.admin.base import EmptyAction, ListAdmin
from crm.core.errors import DomainError
from crm.core.services.audit import record_audit
from crm.core.tasks import queue_job
from customers.errors import PlaceError
from customers.models import ImportBatch, SavedImport, SavedImportFile
from customers.selectors.alert_words import reason_words
from customers.services import saved_imports
from customers.services.saved_imports import Where

SHOWN_FILES = 20


class SecretWidget(UnfoldAdminTextareaWidget):
    """Takes a secret and never shows one, not even the one that was just sent."""

    def format_value(self, value: Any) -> str:
        """Return nothing."""
        return ""


class SavedImportForm(forms.ModelForm):
    """Where and when a saved import looks; the service's refusals stand above the fields."""

    secret = forms.CharField(
        label=gettext_lazy("Secret"),
        required=False,
        max_length=20_000,
        widget=SecretWidget(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "SFTP: the password, or a private key without a passphrase. Signed address: the whole "
            "https address. It is kept encrypted and never shown again; empty keeps what is held."
        ),
    )

    class Meta:
        model = SavedImport
        fields = (
            "name", "place", "folder", "pattern", "host", "port", "username", "secret", "hour",
            "missing_days",
        )  # fmt: skip
        help_texts = {
            "folder": gettext_lazy("The whole path, for a folder of this server or on SFTP."),
            "pattern": gettext_lazy("For folders: * stands for anything, as in orders-*.csv."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say which folders of this server may be read."""
        super().__init__(*args, **kwargs)
        if "folder" not in self.fields:  # who may only look is shown no form
            return
        below = settings.IMPORT_FOLDERS
        words = _("This server lets none of its folders be read: see the setting IMPORT_FOLDERS.")
        if below:
            words = _("On this server: %(folders)s, or a folder below.") % {
                "folders": _(", ").join(below)
            }
        help_text = self.fields["folder"].help_text
        both = _("%(sentence)s %(next)s") % {"sentence": help_text, "next": words}
        self.fields["folder"].help_text = both

    def where(self) -> Where:
        """Return what was chosen, as the services take it."""
        return Where(**self.cleaned_data)

    def clean(self) -> dict[str, Any]:
        """Refuse what the service would refuse."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                saved_imports.check_where(saved_id=self.instance.pk, where=Where(**cleaned))
            except DomainError as error:
                raise forms.ValidationError(error.message) from error
        return cleaned


@admin.register(SavedImport)
class SavedImportAdmin(ListAdmin):
    form = SavedImportForm
    add_words = gettext_lazy("Run an import daily")
    empty_words = gettext_lazy("Open an import that went well and choose “Run this daily”.")
    empty_action = EmptyAction(
        gettext_lazy("Open the imports"),
        "admin:customers_importbatch_changelist",
        "customers.add_savedimport",
    )
    conditional_fields = {
        "folder": "place != 'https'",
        "pattern": "place != 'https'",
        "host": "place == 'sftp'",
        "port": "place == 'sftp'",
        "username": "place == 'sftp'",
        "secret": "place != 'folder'",
    }
    list_display = (
        "name", "source", "place", "hour", "is_active", "last_outcome", "last_run_at",
        "last_file_at",
    )  # fmt: skip
    list_filter = ("is_active", "place")
    list_select_related = ("source",)
    change_form_before_template = "customers/saved_import_before.html"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Save the import that is named; without one there is nothing to repeat."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        batch = self._batch(request)
        if batch is None or batch.state not in saved_imports.SAVABLE:
            messages.info(request, _("Open an import that went well and choose “Run this daily”."))
            return HttpResponseRedirect(reverse("admin:customers_importbatch_changelist"))
        title = _("Run the import of %(file)s daily") % {"file": batch.filename}
        context = {"title": title, "show_save_and_add_another": False, **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show above the form how it goes, what stopped it, and what can be done."""
        rows = SavedImport.objects.select_related("source", "job")
        saved = rows.filter(pk=object_id).first() if object_id.isdigit() else None
        context: dict[str, Any] = {"show_save_and_add_another": False}
        if saved is not None:
            refused = saved_imports.refused_batch(saved)
            files = SavedImportFile.objects.filter(saved=saved).select_related("batch")
            context |= {
                "saved": saved,
                "stopped": reason_words(saved.stopped_reason) if saved.stopped_reason else "",
                "problem": reason_words(saved.problem) if saved.problem else "",
                "refused": refused,
                "may_adopt": refused is not None and refused.state in saved_imports.SAVABLE,
                "may_act": self.has_change_permission(request),
                "files": files.order_by("-pk")[:SHOWN_FILES],
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Name it after the source and the kind of file."""
        batch = self._batch(request)
        if batch is None:
            return {}
        name = f"{batch.source.name}: {batch.get_format_display()}"
        return {
            "name": name[:120],
            "folder": next(iter(settings.IMPORT_FOLDERS), ""),
            "pattern": f"*.{batch.filename.rpartition('.')[2]}",
        }

    def save_model(self, request: HttpRequest, obj: SavedImport, form: Any, change: bool) -> None:
        """Hand over to the service."""
        where, user_id = form.where(), request.user.pk
        if change:
            saved_imports.update_saved_import(saved_id=obj.pk, where=where, user_id=user_id)
            return
        batch = self._batch(request)
        made = saved_imports.save_import(
            batch_id=batch.pk if batch else 0, where=where, user_id=user_id, now=timezone.now()
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: SavedImport) -> None:
        """Hand over to the service, which closes its alerts."""
        saved_imports.remove(saved_id=obj.pk, user_id=request.user.pk, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Remove the chosen ones, one by one."""
        for saved in queryset:
            self.delete_model(request, saved)

    def get_urls(self) -> list[URLPattern]:
        """Add what can be done with one: look, run, pause, resume, confirm the host's key."""
        acts: dict[str, Any] = {
            "look": self.look,
            "run": partial(self._act, self._run),
            "pause": partial(self._act, self._pause),
            "resume": partial(self._act, self._resume),
            "adopt": partial(self._act, self._adopt),
            "host-key": partial(self._act, self._confirm),
        }
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"customers_savedimport_{name.replace('-', '_')}",
            )
            for name, view in acts.items()
        ]
        return own + super().get_urls()

    def look(self, request: HttpRequest, pk: int) -> HttpResponse:
        """List the files it sees, or say exactly why it sees none."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        saved = get_object_or_404(SavedImport, pk=pk)
        context: dict[str, Any] = {"saved": saved, "opts": self.model._meta}
        try:
            context["files"] = saved_imports.place_of(saved).look()
        except PlaceError as error:
            context["problem"] = error.message
            if error.reason in ("host_key_unconfirmed", "host_key_changed"):
                context |= _shown_key(saved)
        title = _("What “%(name)s” sees now") % {"name": saved.name}
        context = {**self.admin_site.each_context(request), "title": title, **context}
        return TemplateResponse(request, "customers/saved_import_look.html", context)

    def _act(self, act: Any, request: HttpRequest, pk: int) -> HttpResponse:
        """Do one thing and go back to its page."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        get_object_or_404(SavedImport, pk=pk)
        try:
            answer = act(request, pk)
        except DomainError as error:
            messages.error(request, error.message)
            answer = None
        return answer or HttpResponseRedirect(
            reverse("admin:customers_savedimport_change", args=[pk])
        )

    def _run(self, request: HttpRequest, pk: int) -> HttpResponse:
        with transaction.atomic():
            job = saved_imports.start_fetch(saved_id=pk, user_id=request.user.pk)
            record_audit(
                actor_id=request.user.pk,
                action="saved_import.started",
                object_type="customers.savedimport",
                object_id=SavedImport.objects.get(pk=pk).public_id,
            )
            queue_job(job.pk)
        messages.success(request, _("A worker fetches its files now."))
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))

    def _pause(self, request: HttpRequest, pk: int) -> None:
        saved_imports.pause(saved_id=pk, user_id=request.user.pk)
        messages.success(request, _("It rests until somebody resumes it."))

    def _resume(self, request: HttpRequest, pk: int) -> None:
        saved_imports.resume(saved_id=pk, user_id=request.user.pk, now=timezone.now())
        messages.success(request, _("It runs again, every day at its hour."))

    def _adopt(self, request: HttpRequest, pk: int) -> None:
        saved_imports.resume(saved_id=pk, user_id=request.user.pk, now=timezone.now(), adopt=True)
        messages.success(request, _("It runs again, and expects the new header."))

    def _confirm(self, request: HttpRequest, pk: int) -> None:
        saved_imports.confirm_host_key(
            saved_id=pk,
            host_key=request.POST.get("host_key", ""),
            user_id=request.user.pk,
            now=timezone.now(),
        )
        messages.success(request, _("The host's key is confirmed."))

    def _batch(self, request: HttpRequest) -> ImportBatch | None:
        """Return the import that is to be saved."""
        given = request.GET.get("batch", "")
        batches = ImportBatch.objects.select_related("source")
        return batches.filter(pk=given).first() if given.isdigit() else None


def _shown_key(saved: SavedImport) -> dict[str, str]:
    """Return the key that is to be confirmed, as far as the host shows one."""
    try:
        key, fingerprint = saved_imports.shown_host_key(saved)
    except PlaceError as error:
        return {"problem": error.message}
    return {"host_key": key, "fingerprint": fingerprint}
