"""Stock Django admin over the same tables: the peer of ``benchmarks.pages``.

Its lists have the columns, the search and the filters of ours, as ``ModelAdmin`` does them by
itself. Scores have no relation that it could follow: it is given our annotations, and our two
filters by score, or it would ask once a row. It draws Django's own templates.
"""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin, display
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import path

from analytics.admin.filters import ChurnBandFilter, RfmGroupFilter
from analytics.models import CurrentScore
from crm.core.models import AuditEntry
from crm.urls import urlpatterns as ours
from customers.models import Customer, CustomerFacts, Order, Ticket

ENGINE = "stock"
FACTS = ("order_count", "total_spend", "last_order_day")
SCORES = ("rfm_group", "churn_probability", "predicted_clv", "satisfaction")


class Stock(ModelAdmin):
    """Django's own pages, drawn by Django's own templates."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Draw the list with Django's templates."""
        return own(super().changelist_view(request, extra_context))

    def change_view(self, *arguments: Any, **named: Any) -> HttpResponse:
        """Draw the form with Django's templates."""
        return own(super().change_view(*arguments, **named))


def own(response: Any) -> Any:
    """Draw an answer with Django's templates, not with the theme's of the same names."""
    response.using = ENGINE
    return response


def column(name: str) -> Any:
    """Return a column that shows and sorts by an annotation."""

    @display(description=name, ordering=name)
    def show(_admin: Any, row: Any) -> Any:
        return getattr(row, name)

    return show


class CustomerStock(Stock):
    list_display = ("name", "country", *(f"show_{name}" for name in (*FACTS, *SCORES)))
    list_filter = (
        RfmGroupFilter,
        ChurnBandFilter,
        "source",
        "lifecycle",
        "is_simulated",
        "language",
    )
    search_fields = ("name", "email", "phone", "=external_id", "=orders__external_id")
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what the columns show with the rows."""
        facts = CustomerFacts.objects.filter(customer=OuterRef("pk"))
        scores = CurrentScore.objects.filter(customer_id=OuterRef("pk"))
        return super().get_queryset(request).annotate(
            **{name: Subquery(facts.values(name)) for name in FACTS},
            **{name: Subquery(scores.values(name)[:1]) for name in SCORES},
        )  # fmt: skip


for each in (*FACTS, *SCORES):
    setattr(CustomerStock, f"show_{each}", column(each))


class OrderStock(Stock):
    list_display = ("external_id", "customer", "placed_at", "status", "total", "refunded")
    list_filter = ("status", "source", "country")
    search_fields = ("=external_id", "=public_id", "customer__name")
    list_select_related = ("customer",)
    raw_id_fields = ("customer", "source")
    list_per_page = 50


class TicketStock(Stock):
    list_display = ("subject", "customer", "state", "assignee", "due_at", "opened_at", "source")
    list_filter = ("assignee", "state", "source")
    search_fields = ("subject", "=public_id", "=external_id", "customer__name")
    list_select_related = ("customer", "assignee", "source")
    list_per_page = 50


class AuditStock(Stock):
    list_display = ("at", "actor", "action", "object_id")
    list_filter = ("action", "actor", "at")
    search_fields = ("=object_id", "=public_id", "=request_id")
    list_select_related = ("actor", "api_key")
    list_per_page = 50


site = AdminSite(name="stock")
site.register(Customer, CustomerStock)
site.register(Order, OrderStock)
site.register(Ticket, TicketStock)
site.register(AuditEntry, AuditStock)
urlpatterns = [*ours, path("stock/", site.urls)]
