"""Jobs, API keys and the audit log in the web admin."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.core.admin import audit, people
from crm.core.admin.base import ListAdmin, ReadOnlyAdmin
from crm.core.enums import ApiScope, JobState
from crm.core.errors import DomainError
from crm.core.models import Alert, ApiKey, Job
from crm.core.registry import errors_permission, registry, shown_text
from crm.core.services import alerts, jobs, keys
from crm.core.services.audit import record_audit

__all__ = ["audit", "people"]
SILENT_SECONDS = 15.0


def progress_words(job: Job) -> str:
    """Say how far a job is, for people."""
    now = timezone.now()
    words = [str(job.get_state_display()), job.step_words]
    if job.total:
        words.append(
            _("%(done)s of %(total)s")
            % {"done": number_format(job.done), "total": number_format(job.total)}
        )
    if job.state == JobState.RUNNING:
        words += _pace_words(job, now)
    elif job.state == JobState.QUEUED and job.started_at:
        words.append(_("waits for a worker to go on"))
    return " · ".join(word for word in words if word)


def _pace_words(job: Job, now: datetime) -> list[str]:
    """Say how fast a job is and how long it takes; of one whose worker is silent, only that."""
    silent = (now - job.heartbeat_at).total_seconds() if job.heartbeat_at else 0.0
    if silent > SILENT_SECONDS:
        told = _("worker silent for %(seconds)d s; if it is gone, another one goes on")
        return [told % {"seconds": round(silent)}]
    rate, left = job.rate(now), job.time_left(now)
    words = []
    if rate and round(rate):
        words.append(_("%(rate)s per second") % {"rate": number_format(round(rate))})
    if left is not None:
        words.append(_("about %(seconds)d s left") % {"seconds": round(left.total_seconds())})
    return words


def _page(job: Job) -> str:
    """Return the address of what the job makes, where its kind has one."""
    if job.kind not in registry.job_handlers:
        return ""
    page = registry.job_handlers.get(job.kind).page
    return page(job) if page else ""


def _may_read_errors(request: HttpRequest, job: Job) -> bool:
    """Tell whether somebody may have the rows a job rejected."""
    needed = errors_permission(job.kind)
    return not needed or bool(request.user.has_perm(needed))


def _log(job: Job, user: Any) -> list[dict[str, Any]]:
    """Return the last lines of a job's log, as somebody may read them."""
    rows = job.log.order_by("-pk")[:100]
    return [{"at": row.at, "message": shown_text(row.message, user)} for row in rows]


class KindFilter(admin.SimpleListFilter):
    """Keeps the jobs of one kind of work."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the kinds there are handlers for."""
        return [(handler.key, handler.label) for handler in registry.job_handlers]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Keep one kind; all without a choice."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("title_words", "state", "progress", "started_at", "finished_at")
    list_filter = ("state", KindFilter)
    search_fields = ("title", "public_id")
    empty_words = gettext_lazy("Imports, scoring runs and other slow work are listed here.")
    change_form_before_template = "core/job_before.html"
    change_form_after_template = "core/job_after.html"

    def get_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        """Name what went wrong, and how often it was tried, only where something did."""
        told = ["error_words"] if obj is not None and obj.error else []
        if obj is not None and obj.error_file and _may_read_errors(request, obj):
            told.append("rejected_rows")
        tried = ["attempts"] if obj is not None and obj.attempts else []
        return [*told, "started_at", "finished_at", *tried, "worker", "public_id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        """Show all of it, the link to the rejected rows included."""
        return self.get_fields(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Keep from a reader what of the error they may not read."""
        job: Any = super().get_object(request, object_id, from_field)
        if job is not None:
            job.shown_error = shown_text(job.error, request.user)
        return job

    @admin.display(description=gettext_lazy("error"))
    def error_words(self, job: Any) -> str:
        return str(job.shown_error)

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def title_words(self, job: Job) -> str:
        return job.title_words

    @admin.display(description=gettext_lazy("error file"))
    def rejected_rows(self, job: Job) -> str:
        """Link the file where it is handed out; stored files have no address of their own."""
        if not job.error_file:
            return "–"
        address = reverse("api:job-error-file", args=[job.public_id])
        return format_html('<a href="{}">{}</a>', address, str(job.error_file).rsplit("/", 1)[-1])

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, job: Job) -> str:
        return "–" if job.percent is None else _("%(share)s %%") % {"share": job.percent}

    def get_urls(self) -> list[URLPattern]:
        """Add the progress and cancel addresses."""
        own = [
            path("<int:pk>/progress/", self.admin_site.admin_view(self.live), name="core_job_live"),
            path(
                "<int:pk>/cancel/",
                self.admin_site.admin_view(require_POST(self.cancel)),
                name="core_job_cancel",
            ),
        ]
        return own + super().get_urls()

    def live(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Answer how far the job is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(Job, pk=pk)
        return JsonResponse(
            {"percent": job.percent, "final": job.is_final, "words": progress_words(job)}
        )

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask the job to stop."""
        if not request.user.has_perm("core.change_job"):
            raise PermissionDenied
        try:
            job = jobs.cancel_job(job_id=pk, now=timezone.now())
            record_audit(
                actor_id=request.user.pk,
                action="job.cancelled",
                object_type="core.job",
                object_id=job.public_id,
                details={"kind": job.kind},
            )
            messages.success(request, _("The job stops after the step it is in."))
        except DomainError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show progress above and the log below."""
        job = Job.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context: dict[str, Any] = {
            "job": job,
            "job_words": progress_words(job) if job else "",
            "job_page": _page(job) if job else "",
            "job_log": _log(job, request.user) if job else [],
            "may_cancel": bool(job)
            and not job.is_final
            and request.user.has_perm("core.change_job")
            if job
            else False,
        }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


@admin.register(ApiKey)
class ApiKeyAdmin(ListAdmin):
    list_display = ("name", "prefix", "scopes", "user", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = ("prefix", "last_used_at", "revoked_at")
    fields = ("name", "user", "scopes", "expires_at", "prefix", "last_used_at", "revoked_at")
    actions = ("revoke",)
    add_words = gettext_lazy("Add an API key")
    empty_words = gettext_lazy("A key lets another program read or write over REST.")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        """Ask a new key only for what is known yet."""
        return list(self.fields[:4] if obj is None else self.fields)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the scopes to choose from."""
        if db_field.name == "scopes":
            from django import forms

            return forms.MultipleChoiceField(
                choices=ApiScope.choices, label=_("Scopes"), widget=forms.CheckboxSelectMultiple
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer oneself only: a key for somebody who may more would be a way up."""
        if db_field.name == "user" and not request.user.is_superuser:
            people = db_field.remote_field.model._default_manager
            kwargs["queryset"] = people.filter(pk=request.user.pk)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Hand over to the service, and show the key this once."""
        made, secret = keys.create_api_key(
            name=obj.name,
            user_id=obj.user_id,
            scopes=obj.scopes,
            expires_at=obj.expires_at,
            now=timezone.now(),
            actor_id=request.user.pk,
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        messages.warning(
            request, _("Copy the key now, it is not shown again: %(key)s") % {"key": secret}
        )

    @admin.action(description=gettext_lazy("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Close the chosen keys."""
        for key in queryset:
            keys.revoke_api_key(key_id=key.pk, now=timezone.now(), actor_id=request.user.pk)
        messages.success(request, _("The chosen keys no longer open anything."))


class OpenFilter(admin.SimpleListFilter):
    """Keeps the alerts that are open, or those that are not."""

    title = gettext_lazy("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both states."""
        return [("1", _("Open")), ("0", _("Resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        """Keep one state; all without a choice."""
        if self.value() is None:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "1")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("words", "severity", "raised_at", "resolved_at")
    empty_words = gettext_lazy(
        "Nothing needs attention. A failed import, a missing file or orders without an exchange "
        "rate would be told here."
    )
    list_filter = (OpenFilter, "severity")
    fields = ("words", "severity", "raised_at", "resolved_at", "mailed_at", "where", "public_id")
    readonly_fields = ("words", "where")
    actions = ("resolve",)

    @admin.display(description=gettext_lazy("alert"), ordering="code")
    def words(self, alert: Alert) -> str:
        return alert.words

    @admin.display(description=gettext_lazy("page"))
    def where(self, alert: Alert) -> str:
        """Link the page where something can be done about it."""
        if not alert.link:
            return "–"
        return format_html('<a href="{}">{}</a>', alert.link, _("Open the page"))

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell who may say that an alert is dealt with."""
        return bool(request.user.has_perm("core.change_alert"))

    @admin.action(description=gettext_lazy("Mark as resolved"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Close the chosen alerts; what still holds is raised again the next time it is seen."""
        for alert in queryset.open():  # type: ignore[attr-defined]  # AlertQuerySet
            alerts.resolve_alert(key=alert.key, now=timezone.now())
            record_audit(
                actor_id=request.user.pk,
                action="alert.resolved",
                object_type="core.alert",
                object_id=alert.public_id,
                details={"code": alert.code},
            )
