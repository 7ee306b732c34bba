"""What scores put on the pages and resources of the apps below."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from django.db.models import Model, OuterRef, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MAY_READ = "analytics.view_currentscore"
API_FILTERS = (
    "churn_probability",
    "predicted_clv",
    "clv_12m",
    "margin_12m",
    "expected_orders",
    "next_order_from",
    "next_order_until",
    "satisfaction",
    "rfm_group",
)


def fill() -> None:
    """Register jobs, handlers, panels, columns and filters; called when the apps are ready."""
    from analytics.services import references, scoring
    from crm.core.registry import JobHandler, registry
    from crm.core.selectors.audit import register_sentences

    register_sentences(
        {
            "scoring_run.started": (
                _("scoring run started"),
                _("%(who)s started a scoring run as of %(as_of_day)s."),
            )
        }
    )
    registry.job_handlers.register(
        JobHandler(
            key=scoring.KIND,
            label=_("Scoring run"),
            run_chunk=scoring.run_chunk,
            on_end=scoring.on_end,
            title=_job_title,
            page=_run_page,
        )
    )
    for handler in references.handlers():
        registry.reference_handlers.register(handler)
    for computed in references.computed():
        registry.computed_rows.register(computed)
    _fill_pages()
    _fill_filters()
    _fill_timeline()
    _fill_api()


def _job_title(job: Any) -> str:
    """Say which day a job's scores see; the job names it, or takes the day of its start."""
    day = job.parameters.get("as_of_day")
    if not day:
        return gettext(job.title)
    shown = date_format(date.fromisoformat(day), "DATE_FORMAT")
    return gettext("Scores as of %(day)s") % {"day": shown}


def _run_page(job: Any) -> str:
    """Return the address of the run a job made, once there is one."""
    from django.urls import reverse

    from analytics.models import ScoringRun

    run = ScoringRun.objects.filter(job=job).first()
    return reverse("admin:analytics_scoringrun_change", args=[run.pk]) if run else ""


def _fill_pages() -> None:
    from analytics.enums import RfmGroup
    from analytics.selectors import panels, wording
    from crm.core.registry import ListColumn, Panel, registry

    registry.panels.register(
        Panel(
            key="scores",
            page="customer",
            title=_("Scores"),
            template="analytics/customer_scores.html",
            context=panels.customer_scores,
            permission=MAY_READ,
        )
    )
    boxes = [
        ("churn_risk", _("Customers at risk"), panels.churn_risk),
        ("rfm_groups", _("RFM groups"), panels.rfm_groups),
        ("rfm_heatmap", _("RFM heat map"), panels.rfm_heatmap),
        ("clv_distribution", _("Predicted spend"), panels.clv_distribution),
        ("freshness", _("Freshness"), panels.freshness),
    ]
    for order, (key, title, context) in enumerate(boxes):
        drawn_as = "bars" if key in ("rfm_groups", "clv_distribution") else key
        template = f"analytics/dashboard_{drawn_as}.html"
        registry.panels.register(Panel(key, "dashboard", title, template, context, order, MAY_READ))
    labels = dict(RfmGroup.choices)
    columns: list[tuple[str, Any, Any]] = [
        ("rfm_group", _("RFM group"), lambda value: labels[value]),
        ("churn_probability", _("churn risk"), wording.percent),
        ("predicted_clv", _("predicted spend"), wording.number),
        ("satisfaction", _("satisfaction"), wording.number),
    ]
    for order, (key, label, render) in enumerate(columns):
        registry.list_columns.register(
            ListColumn(key, "customers", label, partial(_current, key), render, order, MAY_READ)
        )


def _fill_filters() -> None:
    """Let the customers' list be opened by what the dashboard shows."""
    from analytics.admin import filters
    from crm.core.registry import ListFilter, registry

    classes = {
        "rfm_group": filters.RfmGroupFilter,
        "churn_band": filters.ChurnBandFilter,
        "clv_range": filters.ClvRangeFilter,
        "r_score": filters.RScoreFilter,
        "f_score": filters.FScoreFilter,
    }
    for order, (key, filter_class) in enumerate(classes.items()):
        registry.list_filters.register(ListFilter(key, "customers", filter_class, order, MAY_READ))


def _fill_timeline() -> None:
    """Tell on the timeline how the scores changed from month to month."""
    from analytics.selectors.history import score_changes
    from crm.core.registry import TimelineSource, registry

    registry.timeline_sources.register(
        TimelineSource("score", _("Scores"), score_changes, 80, MAY_READ)
    )


def _fill_api() -> None:
    """Let REST show a customer's scores, and filter and order customers by them."""
    from analytics.api.serializers import ScoreSerializer
    from analytics.selectors.scores import scores_for
    from crm.core.registry import ApiExpansion, ApiFilter, registry

    def load(customer_ids: Sequence[int]) -> dict[int, Any]:
        return {pk: ScoreSerializer(row).data for pk, row in scores_for(customer_ids).items()}

    registry.api_expansions.register(
        ApiExpansion("scores", "customers", load, ScoreSerializer, permission=MAY_READ)
    )
    for order, key in enumerate(API_FILTERS):
        registry.api_filters.register(
            ApiFilter(key, "customers", partial(_current, key), order, MAY_READ)
        )


def _current(column: str) -> Subquery:
    """Return a column of the published scores, for a row of the customers' list."""
    from analytics.models import CurrentScore

    model: type[Model] = CurrentScore
    rows = model._default_manager.filter(customer_id=OuterRef("pk"))
    return Subquery(rows.values(column)[:1])
