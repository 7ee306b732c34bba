"""Scoring runs in the web admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from analytics.enums import RunTrigger
from analytics.models import ScoringRun
from analytics.selectors.wording import (
    backtest_rows,
    candidate_tables,
    churn_band_words,
    decile_rows,
    explain_run,
    model_label,
    percent,
    reliability_rows,
    satisfaction_proof,
)
from analytics.services import scoring
from crm.core.admin.base import ReadOnlyAdmin
from crm.core.tasks import queue_job


@admin.register(ScoringRun)
class ScoringRunAdmin(ReadOnlyAdmin):
    list_display = (
        "as_of_day", "state", "trigger", "model_words", "horizon_days", "scored_count",
        "published_at",
    )  # fmt: skip
    add_words = _("Score everybody now")
    empty_words = _("The first run starts tonight, or now if you ask for it.")
    list_filter = ("state", "trigger")
    readonly_fields = ("model_words", "yearly_discount")
    change_form_before_template = "analytics/run_before.html"

    def get_fields(self, request: HttpRequest, obj: ScoringRun | None = None) -> list[str]:
        """Name what went wrong only where something did."""
        told = ["error"] if obj is not None and obj.error else []
        return [
            *told, "trigger", "model_words", "model_version", "currency", "yearly_discount",
            "data_until", "job", "public_id",
        ]  # fmt: skip

    @admin.display(description=_("model"), ordering="model_name")
    def model_words(self, run: ScoringRun) -> str:
        return model_label(run)

    @admin.display(description=_("discount rate per year"))
    def yearly_discount(self, run: ScoringRun) -> str:
        return percent(float(run.discount_rate)) if run.discount_rate is not None else ""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("analytics.add_scoringrun"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask once, then score everybody now."""
        from django.core.exceptions import PermissionDenied
        from django.db import transaction
        from django.http import HttpResponseRedirect
        from django.template.response import TemplateResponse
        from django.urls import reverse
        from django.utils import timezone

        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            with transaction.atomic():
                run = scoring.start_run(
                    trigger=RunTrigger.MANUAL,
                    as_of_day=None,
                    user_id=request.user.pk,
                    now=timezone.now(),
                )
                assert run.job is not None  # start_run has just made it
                queue_job(run.job.pk)
            return HttpResponseRedirect(reverse("admin:core_job_change", args=[run.job_id]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Score everybody now"),
            "heading": _("Score everybody now"),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "analytics/run_start.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the backtest beside the baseline, and what was not scored, in words."""
        run = ScoringRun.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context: dict[str, Any] = {}
        if run is not None:
            rows = backtest_rows(run)
            context = {
                "run": run,
                "backtest": rows,
                "lost": [row["label"] for row in rows if row["winner"] == "baseline"],
                "proof": satisfaction_proof(run),
                "caveats": explain_run(run),
                "candidates": candidate_tables(run),
                "reliability": reliability_rows(run),
                "band_words": churn_band_words(run),
                "deciles": decile_rows(run),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )
