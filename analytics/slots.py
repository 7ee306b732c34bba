"""What scores put on the pages and resources of the apps below."""

from functools import partial
from typing import Any

from django.db.models import Model, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _


def fill() -> None:
    """Register jobs, handlers, panels, columns and filters; called when the apps are ready."""
    from analytics.services import references, scoring
    from crm.core.registry import JobHandler, registry

    registry.job_handlers.register(
        JobHandler(
            key=scoring.KIND,
            label=_("Scoring run"),
            run_chunk=scoring.run_chunk,
            on_end=scoring.on_end,
        )
    )
    for handler in references.handlers():
        registry.reference_handlers.register(handler)
    _fill_pages()


def _fill_pages() -> None:
    from analytics.admin.filters import RfmGroupFilter
    from analytics.enums import RfmGroup
    from analytics.selectors import panels
    from crm.core.registry import ListColumn, ListFilter, Panel, registry

    may_read = "analytics.view_currentscore"
    registry.panels.register(
        Panel(
            key="scores",
            page="customer",
            title=_("Scores"),
            template="analytics/customer_scores.html",
            context=panels.customer_scores,
            permission=may_read,
        )
    )
    boxes = [
        ("churn_risk", _("Customers at risk"), panels.churn_risk),
        ("rfm_groups", _("RFM groups"), panels.rfm_groups),
        ("clv_distribution", _("Predicted spend"), panels.clv_distribution),
        ("freshness", _("Freshness"), panels.freshness),
    ]
    for order, (key, title, context) in enumerate(boxes):
        template = f"analytics/dashboard_{key}.html"
        registry.panels.register(Panel(key, "dashboard", title, template, context, order, may_read))
    labels = dict(RfmGroup.choices)
    columns: list[tuple[str, Any, Any]] = [
        ("rfm_group", _("RFM group"), lambda value: labels[value]),
        ("churn_probability", _("churn risk"), lambda value: f"{100 * value:.0f} %"),
        ("predicted_clv", _("predicted spend"), lambda value: f"{value:,.0f}"),
        ("satisfaction", _("satisfaction"), lambda value: f"{value:.0f}"),
    ]
    for order, (key, label, render) in enumerate(columns):
        registry.list_columns.register(
            ListColumn(key, "customers", label, partial(_current, key), render, order)
        )
    registry.list_filters.register(ListFilter("rfm_group", "customers", RfmGroupFilter))


def _current(column: str) -> Subquery:
    """Return a column of the published scores, for a row of the customers' list."""
    from analytics.models import CurrentScore

    model: type[Model] = CurrentScore
    rows = model._default_manager.filter(customer_id=OuterRef("pk"))
    return Subquery(rows.values(column)[:1])
