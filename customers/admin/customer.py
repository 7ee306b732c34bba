"""Customers: the list, and the page that says who this is."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.core.admin.changelists import Ranking, is_narrowed
from crm.core.admin.filters import FewValuesFilter
from crm.core.registry import registry
from crm.core.selectors.reach import is_limited, reached
from customers.admin.attributes import attribute_urls
from customers.admin.beginning import beginning_urls
from customers.admin.bulk import BulkPages
from customers.admin.columns import UnknownLast, slot_column, visible
from customers.admin.contacts import contact_view, contacts_of, keys_of
from customers.admin.dashboard import panels
from customers.admin.lists import ExportableList
from customers.admin.merging import merge_context, merge_urls
from customers.admin.notes import note_urls
from customers.admin.staff_tasks import task_urls
from customers.admin.tags import TagFilter, TagPages
from customers.enums import Lifecycle, SourceKind
from customers.models import Consent, Customer, CustomerFacts
from customers.selectors.contacts import (
    mask_email,
    mask_phone,
    mask_text,
    may_see_contacts,
    search_customers,
)
from customers.selectors.ranking import ranked_by
from customers.selectors.reach import is_of, named_sources, names
from customers.selectors.shop import shop_day, shop_settings
from customers.selectors.timeline import timeline, visible_sources

RANKED_FIELDS = {"who": "name", "country": "country"}
RANKED_FACTS = {"orders": "order_count", "spend": "total_spend", "last_order": "last_order_day"}


@admin.register(Customer)
class CustomerAdmin(BulkPages, TagPages, ExportableList):
    search_fields = ("name",)
    search_help_text = _(
        "Half a name or its pinyin, e-mail, phone or its last four digits, order or id"
    )
    list_filter = ("source", "lifecycle", "is_simulated", ("language", FewValuesFilter))
    masked_fields = {"email": "masked_email", "phone": "masked_phone", "external_id": "masked_id"}
    """What stands in a field's place for whoever may not see contacts."""
    list_display = ("who", "country", "orders", "spend", "last_order")
    usual_order = "-last_order"
    orders_by_one = True
    empty_words = _("Customers come in with their orders: bring a file in.")
    empty_action = None  # above an empty list stands more than one way to begin
    profile_fields = (
        "name", "email", "phone", "country", "city", "language", "zone", "birthday", "is_test",
        "is_wholesale", "lifecycle", "external_id", "public_id",
    )  # fmt: skip
    readonly_fields = ("lifecycle", "external_id", "public_id", *masked_fields.values())
    change_form_outer_before_template = "customers/customer_before.html"
    list_before_template = "customers/customers_before.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages about one customer, and the addresses that fill an empty shop."""
        wrap = self.admin_site.admin_view
        shown = wrap(partial(contact_view, self))
        return [
            *beginning_urls(wrap),
            path("<int:pk>/contact/<str:field>/", shown, name="customers_contact"),
            *note_urls(wrap),
            *task_urls(wrap),
            *attribute_urls(wrap),
            *merge_urls(wrap),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the profile; contacts as masks to read where the person may not see them."""
        fields: tuple[str, ...] = self.profile_fields
        if obj is not None and not is_of(obj.source_id, request.user):
            # The number is that of a shop the person does not see.
            fields = tuple(name for name in fields if name != "external_id")
        if not may_see_contacts(request.user):
            fields = tuple(self.masked_fields.get(name, name) for name in fields)
        return ((_("Profile"), {"fields": fields, "classes": ["collapse"]}),)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep contacts out of the form, not only out of sight."""
        return None if may_see_contacts(request.user) else ["email", "phone"]

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Narrow the list by nothing that the person may not see."""
        field = lookup.split("__", maxsplit=1)[0]
        hidden = {*self.masked_fields, "attributes", "name"}
        if field == "external_id" and request is not None and is_limited(request.user):
            # It may be the number of a shop the person does not see.
            return False
        if field in hidden and (request is None or not may_see_contacts(request.user)):
            return False
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("e-mail"))
    def masked_email(self, customer: Customer) -> str:
        return mask_email(customer.email) or "–"

    @admin.display(description=_("phone"))
    def masked_phone(self, customer: Customer) -> str:
        return mask_phone(customer.phone) or "–"

    @admin.display(description=_("external id"))
    def masked_id(self, customer: Customer) -> str:
        return mask_text(customer.external_id or "") or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Join what the columns show, the slots' columns included."""
        columns = visible(request, registry.list_columns, "customers")
        facts = CustomerFacts.objects.filter(customer=OuterRef("pk"))
        # Ordered by the list alone: what stood here would come behind whatever somebody chose.
        rows: QuerySet[Customer] = super().get_queryset(request).order_by()
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
        return search_customers(queryset, clean, request.user), False

    def every_column(self, request: HttpRequest) -> list[Any]:
        """Add the slots' columns; mask contacts for those who may not see them."""
        columns = visible(request, registry.list_columns, "customers")
        own: list[Any] = list(self.list_display)
        if not may_see_contacts(request.user):
            own[own.index("who")] = masked_who
        return [*own, *(slot_column(column) for column in columns)]

    def unusual_columns(self, request: HttpRequest) -> set[str]:
        """Leave out, while nobody has chosen, what a slot says is seldom looked at."""
        columns = visible(request, registry.list_columns, "customers")
        return {column.key for column in columns if not column.is_usual}

    def ranking(self, name: str, downwards: bool) -> Ranking | None:
        """Rank by the facts' and the slots' own tables, which have a row for each customer."""
        if name in RANKED_FIELDS:
            way, tie = ("-", "pk") if downwards else ("", "-pk")
            rows = Customer.objects.order_by(f"{way}{RANKED_FIELDS[name]}", tie)
            return Ranking(rows.values_list("pk", flat=True), "pk")
        ranked = None
        if name in RANKED_FACTS:
            ranked = ranked_by(CustomerFacts, RANKED_FACTS[name], downwards)
        for column in registry.list_columns:
            if column.page == "customers" and column.key == name and column.ranking:
                ranked = column.ranking(downwards)
        return None if ranked is None else Ranking(ranked, "customer_id")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Begin the whole list with who bought last, one that is narrowed with the newest."""
        if is_narrowed(request):
            return ["-pk"]
        return [UnknownLast("shown_last").desc(), "-pk"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Put what the slots filter by first: scores are asked for more often than the rest."""
        extra = visible(request, registry.list_filters, "customers")
        tags = [TagFilter] if request.user.has_perm("customers.view_customertag") else []
        return [*(entry.filter_class for entry in extra), *tags, *self.list_filter]

    @admin.display(description=_("customer"), ordering="name")
    def who(self, customer: Customer) -> str:
        """Name, and in small what tells two people of one name apart."""
        return _named(str(customer), customer.email or customer.phone)

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
        rows = reached(Customer.objects.select_related("source"), request.user)
        customer = rows.filter(pk=object_id).first() if object_id.isdigit() else None
        if customer is not None and self.has_view_permission(request, customer):
            context = _page(request, customer)
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


@admin.display(description=_("customer"), ordering="name")
def masked_who(customer: Customer) -> str:
    """Name, and in small a mask that tells two people of one name apart."""
    contact = mask_email(customer.email) or mask_phone(customer.phone)
    return _named(mask_text(str(customer)), contact)


# For views and addresses it is the column that others see in its place.
masked_who.__name__ = "who"


def _named(name: str, below: str) -> str:
    return format_html('{} <span class="faint" title="{}">{}</span>', name, below, below)


def _page(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    facts = CustomerFacts.objects.filter(customer=customer).first()
    today = shop_day(timezone.now())
    # The panels of this app read it here instead of asking for it again.
    setattr(request, "shown_customer", customer)  # noqa: B010 - not declared on the class
    chosen = [key for key in request.GET.getlist("kind") if key]
    last_day = facts.last_order_day if facts else None
    # What a merged profile had stands on the page of the kept one.
    is_merged = customer.lifecycle == Lifecycle.MERGED
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
        "is_merged": is_merged,
        "strip": [] if is_merged else _strip(request, customer.pk),
        "head_panels": [] if is_merged else panels(request, "customer_head", customer.pk),
        "panels": [] if is_merged else panels(request, "customer", customer.pk),
        **merge_context(customer, request.user),
        "timeline": timeline(
            customer_id=customer.pk,
            user=request.user,
            cursor=request.GET.get("before", ""),
            kinds=chosen,
        ),
        "timeline_sources": visible_sources(request.user),
        "timeline_kinds": chosen,
        "contacts": contacts_of(customer, request.user),
        "reader_sources": names(named_sources(request.user)),
        "identities": keys_of(customer, request.user),
    }


def _strip(request: HttpRequest, customer_id: int) -> list[Any]:
    """Return the cards that upper apps add to the strip, for this person."""
    return [
        card
        for slot in registry.customer_strip
        if not slot.permission or request.user.has_perm(slot.permission)
        for card in slot.load([customer_id]).get(customer_id, ())
    ]
