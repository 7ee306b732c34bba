"""What scores put on the pages and resources of the apps below."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from django.db.models import F, FloatField, Model, OuterRef, Subquery
from django.db.models.functions import Cast
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MAY_READ = "analytics.view_currentscore"
MOST_CONTENT = 100.0
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
            ),
            "digest.chosen": (
                _("Monday mail chosen"),
                _("%(who)s wants the mail of Monday."),
            ),
            "digest.refused": (
                _("Monday mail refused"),
                _("%(who)s no longer wants the mail of Monday."),
            ),
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
    _fill_tickets()
    _fill_filters()
    _fill_timeline()
    _fill_api()
    _fill_reach()


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
    from crm.core.registry import ListColumn, Panel, StripCards, registry

    registry.panels.register(
        Panel(
            key="scores",
            page="customer",
            title=_("Scores"),
            template="analytics/customer_scores.html",
            context=panels.customer_scores,
            permission=MAY_READ,
            keeps_reach=True,
        )
    )
    registry.customer_strip.register(StripCards("scores", panels.strip_cards, permission=MAY_READ))
    _fill_dashboard()
    labels = dict(RfmGroup.choices)
    columns: list[tuple[str, Any, Any]] = [
        ("rfm_group", _("RFM group"), lambda value: labels[value]),
        ("churn_probability", _("churn risk"), wording.percent),
        ("predicted_clv", _("predicted spend"), wording.number),
        ("satisfaction", _("satisfaction"), wording.number),
    ]
    seldom: list[tuple[str, Any, Any]] = [
        ("clv_12m", _("value in 12 months"), wording.number),
        ("margin_12m", _("margin in 12 months"), wording.number),
        ("expected_orders", _("expected orders"), wording.number),
        ("next_order_from", _("next order from"), date_format),
        ("next_order_until", _("next order until"), date_format),
    ]
    for order, (key, label, render) in enumerate(columns + seldom):
        registry.list_columns.register(
            ListColumn(
                key,
                "customers",
                label,
                partial(_current, key),
                render,
                order,
                MAY_READ,
                is_usual=order < len(columns),
                ranking=partial(_ranked, key),
            )
        )


def _fill_tickets() -> None:
    """Put who asks for help beside what they ask: how content they are, and what they may spend."""
    from analytics.selectors import panels, wording
    from crm.core.registry import ListColumn, ListOrder, Panel, registry

    registry.panels.register(
        Panel(
            key="ticket_scores",
            page="ticket",
            title=_("Scores"),
            template="analytics/ticket_scores.html",
            context=panels.ticket_scores,
            permission=MAY_READ,
            keeps_reach=True,
        )
    )
    columns = [("satisfaction", _("satisfaction")), ("predicted_clv", _("predicted spend"))]
    for order, (key, label) in enumerate(columns):
        annotation = partial(_current, key, customer="customer_id")
        registry.list_columns.register(
            ListColumn(
                f"ticket_{key}", "tickets", label, annotation, wording.number, order, MAY_READ
            )
        )
    registry.list_orders.register(
        ListOrder(
            "spend_of_the_unhappy",
            "tickets",
            _("Open tickets come first, among them unhappy customers with a high predicted spend."),
            _spend_of_the_unhappy,
            permission=MAY_READ,
        )
    )


def _spend_of_the_unhappy() -> Subquery:
    """Return predicted spend × how far satisfaction is from 100; null where either is unknown."""
    from analytics.models import CurrentScore

    rows = CurrentScore.objects.filter(customer_id=OuterRef("customer_id"))
    spend = Cast("predicted_clv", FloatField())
    return Subquery(rows.values_list(spend * (MOST_CONTENT - F("satisfaction")))[:1])


def _fill_dashboard() -> None:
    """Put what scores, purchases and answers say on the dashboard, in this order."""
    from analytics.selectors import activity_panels, panels
    from crm.core.registry import Panel, registry

    every, source = frozenset({"period", "source"}), frozenset({"source"})
    may_list, figure = "customers.view_customer", "customers/dashboard_figure"
    boxes = [
        ("buyers", _("New and returning customers"), activity_panels.new_and_returning,
         figure, may_list, every, "whole"),
        ("churn_risk", _("Customers at risk"), panels.churn_risk,
         "analytics/dashboard_churn_risk", MAY_READ, source, "full"),
        ("rfm_groups", _("RFM groups"), panels.rfm_groups,
         "analytics/dashboard_rfm_groups", MAY_READ, source, "full"),
        ("rfm_heatmap", _("RFM heat map"), panels.rfm_heatmap,
         "analytics/dashboard_rfm_heatmap", MAY_READ, source, "full"),
        ("clv_distribution", _("Predicted spend"), panels.clv_distribution,
         "analytics/dashboard_bars", MAY_READ, source, "full"),
        ("retention", _("Retention by month of the first purchase"), activity_panels.retention,
         figure, may_list, every, "whole"),
        ("satisfaction", _("Satisfaction by month"), activity_panels.satisfaction_trend,
         figure, may_list, every, "whole"),
    ]  # fmt: skip
    for order, (key, title, context, template, permission, obeys, width) in enumerate(
        boxes, start=1
    ):
        registry.panels.register(
            Panel(
                key=key,
                page="dashboard",
                title=title,
                template=f"{template}.html",
                context=context,
                order=order,
                permission=permission,
                width=width,
                is_late=True,
                obeys=obeys,
                names_people=key == "churn_risk",
            )
        )
    registry.panels.register(
        Panel(
            "freshness", "dashboard", _("Freshness"), "analytics/dashboard_freshness.html",
            panels.freshness, len(boxes) + 1, MAY_READ, "whole",
        )
    )  # fmt: skip


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
    spans = {
        "rfm_moved": filters.RfmMovedFilter,
        "first_purchase": filters.FirstPurchaseFilter,
        "purchased": filters.PurchasedFilter,
        "answered": filters.AnsweredFilter,
    }
    for order, (key, span_class) in enumerate(spans.items(), start=len(classes)):
        may = MAY_READ if key == "rfm_moved" else ""
        registry.list_filters.register(ListFilter(key, "customers", span_class, order, may))
    for order, (key, filter_class) in enumerate(classes.items()):
        registry.list_filters.register(ListFilter(key, "customers", filter_class, order, MAY_READ))


def _fill_timeline() -> None:
    """Tell on the timeline how the scores changed from month to month."""
    from analytics.selectors.history import score_changes
    from crm.core.registry import TimelineSource, registry

    registry.timeline_sources.register(
        TimelineSource(
            "score",
            _("Scores"),
            score_changes,
            80,
            MAY_READ,
            # Scores are of the person: whoever may see them sees these.
            fetch_for=lambda user, *asked: score_changes(*asked),
        )
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


def _fill_reach() -> None:
    """Open the published scores of the customers who are there for a limited person."""
    from crm.core.registry import OpenRoute, ReachRule, registry
    from crm.core.selectors.reach import reached
    from customers.models import Customer

    def of_customers(rows: Any, limit: Any, user: Any) -> Any:
        return rows.filter(customer__in=reached(Customer.objects.order_by(), user).values("pk"))

    registry.reach_rules.register(ReachRule("analytics.currentscore", of_customers))
    for key in ("api:score-list", "api:customer-scores", "my_settings:page"):
        registry.open_routes.register(OpenRoute(key))


def _ranked(column: str, downwards: bool) -> Any:
    """Return the ids of customers who have this score, by it."""
    from analytics.models import CurrentScore
    from customers.selectors.ranking import ranked_by

    return ranked_by(CurrentScore, column, downwards)


def _current(column: str, customer: str = "pk") -> Subquery:
    """Return a column of the published scores, for a row of a list that names its customer so."""
    from analytics.models import CurrentScore

    model: type[Model] = CurrentScore
    rows = model._default_manager.filter(customer_id=OuterRef(customer))
    return Subquery(rows.values(column)[:1])
