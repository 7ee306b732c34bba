"""Customers: the list, and the page that says who this is."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from crm.core.errors import DomainError
from crm.core.registry import ListColumn, registry
from crm.core.tasks import queue_job
from customers.admin.bulk import BulkPages
from customers.admin.columns import UnknownLast
from customers.admin.dashboard import panels
from customers.admin.lists import ExportableList
from customers.admin.tags import TagFilter, TagPages
from customers.enums import SourceKind
from customers.models import Consent, Customer, CustomerFacts
from customers.selectors.ranking import ranked_by
from customers.selectors.shop import shop_day, shop_settings
from customers.selectors.timeline import timeline, visible_sources

SIMULATED_CUSTOMERS = 50_000
SIMULATED_SEED = 1
RANKED_FACTS = {"orders": "order_count", "spend": "total_spend", "last_order": "last_order_day"}


@admin.register(Customer)
class CustomerAdmin(BulkPages, TagPages, ExportableList):
    search_fields = ("name",)
    search_help_text = _(
        "Half a name or its pinyin, e-mail, phone or its last four digits, order or id"
    )
    list_filter = ("lifecycle", "is_simulated", "language")
    list_display = ("who", "country", "orders", "spend", "last_order")
    empty_words = _("Customers come in with their orders: bring a file in.")
    profile_fields = (
        "name", "email", "phone", "country", "city", "language", "zone", "birthday", "is_test",
        "is_wholesale", "lifecycle", "external_id", "public_id",
    )  # fmt: skip
    fieldsets = ((_("Profile"), {"fields": profile_fields, "classes": ["collapse"]}),)
    readonly_fields = ("lifecycle", "external_id", "public_id")
    change_form_outer_before_template = "customers/tags_forms.html"
    change_form_before_template = "customers/customer_before.html"
    list_before_template = "customers/customers_before.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the address that starts a simulated shop."""
        start = self.admin_site.admin_view(require_POST(self.simulate))
        return [path("simulate/", start, name="customers_simulate"), *super().get_urls()]

    def simulate(self, request: HttpRequest) -> HttpResponse:
        """Start the simulation of a shop in an empty database."""
        from customers.services import simulation

        if not request.user.is_superuser:
            raise PermissionDenied
        try:
            with transaction.atomic():
                job = simulation.start_simulation(
                    customers=SIMULATED_CUSTOMERS,
                    seed=SIMULATED_SEED,
                    user_id=request.user.pk,
                    now=timezone.now(),
                )
                queue_job(job.pk)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(reverse("admin:index"))
        messages.success(request, gettext("A worker simulates the shop now."))
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Join what the columns show, the slots' columns included."""
        columns = _visible(request, registry.list_columns)
        facts = CustomerFacts.objects.filter(customer=OuterRef("pk"))
        rows: QuerySet[Customer] = super().get_queryset(request)
        return rows.annotate(
            shown_orders=Subquery(facts.values("order_count")),
            shown_spend=Subquery(facts.values("total_spend")),
            shown_last=Subquery(facts.values("last_order_day")),
            **{f"slot_{column.key}": column.annotation() for column in columns},
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Search as the record searches."""
        clean = search_term.replace("\0", "")
        return queryset & Customer.objects.matching(clean) if clean.strip() else queryset, False

    def every_column(self, request: HttpRequest) -> list[Any]:
        """Add the slots' columns."""
        columns = _visible(request, registry.list_columns)
        return [*self.list_display, *(_column(column) for column in columns)]

    def unusual_columns(self, request: HttpRequest) -> set[str]:
        """Leave out, while nobody has chosen, what a slot says is seldom looked at."""
        columns = _visible(request, registry.list_columns)
        return {column.key for column in columns if not column.is_usual}

    def ranking(self, name: str, downwards: bool) -> Any:
        """Rank by the facts' and the slots' own tables, which have a row for each customer."""
        ranked = None
        if name in RANKED_FACTS:
            ranked = ranked_by(CustomerFacts, RANKED_FACTS[name], downwards)
        for column in registry.list_columns:
            if column.page == "customers" and column.key == name and column.ranking:
                ranked = column.ranking(downwards)
        if ranked is None:
            return None
        return lambda rows: ranked.filter(customer_id__in=rows)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Put what the slots filter by first: scores are asked for more often than the rest."""
        extra = _visible(request, registry.list_filters)
        tags = [TagFilter] if request.user.has_perm("customers.view_customertag") else []
        return [*(entry.filter_class for entry in extra), *tags, *self.list_filter]

    @admin.display(description=_("customer"), ordering="name")
    def who(self, customer: Customer) -> str:
        """Name, and in small what tells two people of one name apart."""
        name, contact = str(customer), customer.email or customer.phone
        below = "" if contact == name else contact
        return format_html('{} <span class="faint" title="{}">{}</span>', name, below, below)

    @admin.display(description=_("orders"), ordering=UnknownLast("shown_orders"))
    def orders(self, customer: Any) -> str:
        return number_format(customer.shown_orders or 0, force_grouping=True)

    @admin.display(description=_("lifetime spend"), ordering=UnknownLast("shown_spend"))
    def spend(self, customer: Any) -> str:
        shown = customer.shown_spend
        return "–" if shown is None else number_format(round(shown, 2), 2, force_grouping=True)

    @admin.display(description=_("last order"), ordering=UnknownLast("shown_last"))
    def last_order(self, customer: Any) -> Any:
        return customer.shown_last

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show who this is above the form, and what happened below it."""
        context: dict[str, Any] = {}
        rows = Customer.objects.select_related("source")
        customer = rows.filter(pk=object_id).first() if object_id.isdigit() else None
        if customer is not None and self.has_view_permission(request, customer):
            context = _page(request, customer)
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


def _visible(request: HttpRequest, slot: Iterable[Any]) -> list[Any]:
    """Return what a slot adds to the customers' list for this person."""
    return [
        entry
        for entry in slot
        if entry.page == "customers"
        and (not entry.permission or request.user.has_perm(entry.permission))
    ]


@cache
def _column(column: ListColumn) -> Any:
    """Make a list column of a slot's entry: one and the same each time, or nobody could sort by it.

    The admin asks for the columns twice in a request, and sorts by those that are in both answers.
    """

    def show(customer: Customer) -> Any:
        value = getattr(customer, f"slot_{column.key}")
        return "–" if value is None else column.render(value)

    show.__name__ = column.key
    ordering = UnknownLast(f"slot_{column.key}")
    return admin.display(description=column.label, ordering=ordering)(show)


def _page(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    facts = CustomerFacts.objects.filter(customer=customer).first()
    today = shop_day(timezone.now())
    chosen = [key for key in request.GET.getlist("kind") if key]
    last_day = facts.last_order_day if facts else None
    return {
        "customer": customer,
        "facts": facts,
        "has_simulated_orders": customer.source.kind == SourceKind.SIMULATED,
        "shop": shop_settings(),
        "average_order": facts.total_spend / facts.order_count
        if facts and facts.order_count
        else None,
        "days_since": (today - last_day).days if last_day else None,
        "consents": list(Consent.objects.filter(customer=customer).latest_per_channel()),
        "panels": panels(request, "customer", customer.pk),
        "timeline": timeline(
            customer_id=customer.pk,
            user=request.user,
            cursor=request.GET.get("before", ""),
            kinds=chosen,
        ),
        "timeline_sources": visible_sources(request.user),
        "timeline_kinds": chosen,
        "identities": list(customer.identities.all()),
    }
