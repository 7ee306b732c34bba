"""Tickets: the queue, one conversation, and how a ticket is written down."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.core.errors import DomainError
from crm.core.registry import registry
from crm.core.selectors.reach import reached
from customers.admin.columns import UnknownLast, slot_column, visible
from customers.admin.dashboard import panels
from customers.admin.lists import ExportableList
from customers.admin.small_pages import name_of
from customers.admin.ticket_forms import FORMS, DueFilter, NewTicketForm, WhoseFilter, person
from customers.enums import Lifecycle, MessageKind, SourceKind, TicketState
from customers.errors import AnswerRefusedError
from customers.models import Customer, Order, Source, Ticket, TicketMessage
from customers.selectors.contacts import mask_text, may_see_contacts, show_text
from customers.selectors.ticket_words import due_words, reason_words, span_words
from customers.selectors.timeline import money
from customers.services import tickets
from customers.tasks import queue_answers

PAGE = "tickets"
NEWEST_ORDERS = 5
RANKS = {TicketState.OPEN: 0, TicketState.WAITING: 1, TicketState.CLOSED: 2}


@admin.register(Ticket)
class TicketAdmin(ExportableList):
    list_display = ("about", "who", "standing", "responsible", "until", "age", "origin")
    list_filter = (WhoseFilter, DueFilter, "state", "source")
    list_select_related = ("customer", "assignee", "source")
    search_fields = ("subject", "=public_id", "=external_id", "customer__name")
    search_help_text = _("A part of the subject or of the customer's name")
    list_before_template = "customers/tickets_before.html"
    # What the head of a column shows as sorted; get_ordering says how.
    ordering = ("-pk",)
    add_words = _("New ticket")
    empty_words = _(
        "What customers ask for belongs here: with a file of tickets, or written down on a "
        "customer's page."
    )

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Leave the subject out for who may not see the contacts in it."""
        found = super().get_search_fields(request)
        hidden = () if may_see_contacts(request.user) else ("subject",)
        return [name for name in found if name not in hidden]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        """Join what the columns show and the list begins with."""
        # Ordered by the list alone, by what is joined here: not by the base's way.
        rows = reached(Ticket.objects.all(), request.user)
        undelivered = TicketMessage.objects.undelivered().filter(ticket=OuterRef("pk"))
        whens = [When(state=state, then=Value(rank)) for state, rank in RANKS.items()]
        orders = visible(request, registry.list_orders, PAGE)
        is_unfinished = ~Q(state=TicketState.CLOSED)
        return rows.annotate(
            queue_rank=Case(*whens, output_field=IntegerField()),
            has_undelivered=Exists(undelivered),
            # Of what is closed nobody asks how urgent it is; there is much more of it.
            **{
                f"order_{entry.key}": Case(When(is_unfinished, then=entry.annotation()))
                for entry in orders
            },
            **{
                f"slot_{column.key}": column.annotation()
                for column in visible(request, registry.list_columns, PAGE)
            },
        )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Begin with what is open, then with what upper apps know to be urgent, then the oldest."""
        orders = visible(request, registry.list_orders, PAGE)
        urgent = [UnknownLast(f"order_{entry.key}").desc() for entry in orders]
        closed = F("closed_at").desc(nulls_first=True)
        return ["queue_rank", *urgent, closed, "opened_at", "pk"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say in which order the tickets come."""
        orders = visible(request, registry.list_orders, PAGE)
        usual = _("Open tickets come first, the oldest of them first.")
        words = [str(entry.words) for entry in orders] or [str(usual)]
        return super().changelist_view(request, {"order_words": words, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Put the slots' columns behind the customer."""
        columns = visible(request, registry.list_columns, PAGE)
        first: list[Any] = list(self.list_display[:2])
        last = self.list_display[2:]
        if not may_see_contacts(request.user):
            first[0] = masked_about
        return [*first, *(slot_column(column) for column in columns), *last]

    @admin.display(description=_("subject"), ordering="subject")
    def about(self, ticket: Ticket) -> str:
        return ticket.subject

    @admin.display(description=_("customer"), ordering="customer__name")
    def who(self, ticket: Ticket) -> str:
        if ticket.customer is None:
            return gettext("Guest")
        address = reverse("admin:customers_customer_change", args=[ticket.customer_id])
        return format_html('<a href="{}">{}</a>', address, name_of(ticket.customer))

    @admin.display(description=_("state"), ordering="queue_rank")
    def standing(self, ticket: Any) -> str:
        shown = ticket.get_state_display()
        if not ticket.has_undelivered:
            return str(shown)
        words = gettext("an answer was not sent")
        return format_html('{} <span class="faint">{}</span>', shown, words)

    @admin.display(description=_("assignee"), ordering="assignee__username")
    def responsible(self, ticket: Ticket) -> str | None:
        return person(ticket.assignee) if ticket.assignee else None

    @admin.display(description=_("due by"), ordering=UnknownLast("due_at"))
    def until(self, ticket: Ticket) -> str | None:
        words = due_words(ticket, timezone.now())
        if not words:
            return None
        day = date_format(timezone.localtime(ticket.due_at), "SHORT_DATETIME_FORMAT")
        return format_html('{} <span class="faint">{}</span>', words, day)

    @admin.display(description=_("age"), ordering="-opened_at")
    def age(self, ticket: Ticket) -> str:
        return span_words(ticket.opened_at, timezone.now())

    @admin.display(description=_("source"), ordering="source__name")
    def origin(self, ticket: Ticket) -> str:
        return source_name(ticket.source)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write down a ticket of the customer that is named; otherwise lead to the customers."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.GET.get("customer", "")
        people = reached(Customer.objects.filter(lifecycle=Lifecycle.ACTIVE), request.user)
        customer = people.filter(pk=given).first() if given.isdigit() else None
        if customer is None:
            messages.info(
                request, gettext("Find who asks, open their page and choose “New ticket” there.")
            )
            return HttpResponseRedirect(reverse("admin:customers_customer_changelist"))
        form = NewTicketForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                ticket = tickets.create_ticket(
                    customer_id=customer.pk,
                    user_id=request.user.pk,
                    now=timezone.now(),
                    **form.cleaned_data,
                )
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, gettext("The ticket is written down."))
                return self._back(request, ticket)
        title = gettext("New ticket")
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "heading": title,
            "customer": customer,
            "customer_name": name_of(customer),
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "customers/ticket_add.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the conversation, and do what was asked for; a refusal keeps what was typed."""
        rows = reached(Ticket.objects.all(), request.user)
        rows = rows.select_related("customer", "assignee", "source", "order")
        ticket = rows.filter(pk=object_id).first() if object_id.isdigit() else None
        if ticket is None:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, ticket):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request, ticket, {})
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        refused = self._act(request, ticket)
        if refused is None:
            return self._back(request, ticket)
        ticket.refresh_from_db()
        return self._show(request, ticket, refused)

    def _act(self, request: HttpRequest, ticket: Ticket) -> dict[str, forms.Form] | None:
        """Do one thing; return the form with its refusal, or None when it is done."""
        done: dict[str, tuple[Callable[..., Any], Any]] = {
            "answer": (self._answer, _("The answer is on its way.")),
            "words": (self._keep, _("Kept.")),
            "assign": (self._assign, _("The assignee is changed.")),
            "due": (self._set_due, _("The time is set.")),
            "close": (self._close, _("The ticket is closed.")),
            "reopen": (self._reopen, _("The ticket is open again.")),
            "again": (self._send_again, _("The answer is on its way again.")),
        }
        name = request.POST.get("act", "")
        if name not in done:
            messages.error(request, gettext("This page does not know what was asked for."))
            return None
        act, words = done[name]
        form = FORMS[name](request.POST, prefix=name) if name in FORMS else None
        if form is not None and not form.is_valid():
            return {name: form}
        try:
            act(request, ticket, form.cleaned_data if form is not None else {})
        except DomainError as error:
            if form is None:
                messages.error(request, error.message)
                return None
            form.add_error(None, error.message)
            return {name: form}
        messages.success(request, str(words))
        return None

    def _answer(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        with transaction.atomic():
            tickets.answer(
                ticket_id=ticket.pk,
                text=told["text"],
                user_id=request.user.pk,
                now=timezone.now(),
                closes="closes" in request.POST,
            )
            queue_answers()

    def _send_again(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        given = request.POST.get("message", "")
        held = ticket.messages.filter(pk=given).first() if given.isdigit() else None
        with transaction.atomic():
            tickets.send_again(
                message_id=held.pk if held else 0, user_id=request.user.pk, now=timezone.now()
            )
            queue_answers()

    def _keep(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        keep = tickets.hear if told["kind"] == MessageKind.CUSTOMER else tickets.add_note
        keep(ticket_id=ticket.pk, text=told["text"], user_id=request.user.pk, now=timezone.now())

    def _assign(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        chosen = told["assignee"]
        tickets.assign(
            ticket_id=ticket.pk,
            assignee_id=chosen.pk if chosen else None,
            user_id=request.user.pk,
        )

    def _set_due(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        tickets.set_due(ticket_id=ticket.pk, due_at=told["due_at"])

    def _close(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        tickets.close(ticket_id=ticket.pk, user_id=request.user.pk, now=timezone.now())

    def _reopen(self, request: HttpRequest, ticket: Ticket, told: dict[str, Any]) -> None:
        tickets.reopen(ticket_id=ticket.pk, user_id=request.user.pk, now=timezone.now())

    def _show(
        self, request: HttpRequest, ticket: Ticket, refused: dict[str, forms.Form]
    ) -> HttpResponse:
        now, subject = timezone.now(), show_text(ticket.subject, request.user)
        context = {
            **self.admin_site.each_context(request),
            "title": subject,
            "heading": subject,
            "opts": self.model._meta,
            "ticket": ticket,
            "customer_name": name_of(ticket.customer) if ticket.customer else "",
            "assignee": person(ticket.assignee) if ticket.assignee else "",
            "source_name": source_name(ticket.source),
            "due_words": due_words(ticket, now),
            "conversation": [_shown(message) for message in _messages(ticket)],
            "orders": _newest_orders(request, ticket),
            "panels": panels(request, "ticket", ticket.customer_id),
        }
        if self.has_change_permission(request, ticket):
            context |= _actions(ticket, refused)
        return TemplateResponse(request, "customers/ticket.html", context)

    def _back(self, request: HttpRequest, ticket: Ticket) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_ticket_change", args=[ticket.pk]))


@admin.display(description=_("subject"), ordering="subject")
def masked_about(ticket: Ticket) -> str:
    """Tell the subject, the contacts in it masked."""
    return mask_text(ticket.subject)


# For views and addresses it is the column that others see in its place.
masked_about.__name__ = "about"


def source_name(source: Source) -> str:
    """Name where a ticket came from; what staff wrote down, in the reader's language."""
    return str(source.get_kind_display() if source.kind == SourceKind.MANUAL else source.name)


def _messages(ticket: Ticket) -> QuerySet[TicketMessage]:
    return TicketMessage.objects.filter(ticket=ticket).select_related("author")


def _shown(message: TicketMessage) -> dict[str, Any]:
    """Return what the page says of a message; an answer also tells what became of its e-mail."""
    return {
        "row": message,
        "author": person(message.author) if message.author else "",
        "reason": reason_words(message.error),
    }


def _newest_orders(request: HttpRequest, ticket: Ticket) -> list[tuple[Order, str]] | None:
    """Return the customer's newest orders with their totals, for who may see orders."""
    if ticket.customer_id is None or not request.user.has_perm("customers.view_order"):
        return None
    rows = reached(Order.objects.filter(customer=ticket.customer_id), request.user)
    rows = rows.order_by("-placed_at", "-pk")
    return [(order, money(order.total, order.currency)) for order in rows[:NEWEST_ORDERS]]


def _actions(ticket: Ticket, refused: dict[str, forms.Form]) -> dict[str, Any]:
    """Return the forms for what may be done with a ticket now."""
    initial: dict[str, dict[str, Any]] = {
        "assign": {"assignee": ticket.assignee_id},
        "due": {"due_at": ticket.due_at},
    }
    made = {
        name: refused.get(name) or form(prefix=name, initial=initial.get(name))
        for name, form in FORMS.items()
    }
    is_closed = ticket.state == TicketState.CLOSED
    unanswerable = ""
    if not is_closed:
        try:
            tickets.check_answerable(ticket.customer)
        except AnswerRefusedError as error:
            unanswerable = error.message
    return {
        "may_act": True,
        "is_closed": is_closed,
        "may_reopen": tickets.may_become(ticket, TicketState.OPEN),
        "unanswerable": unanswerable,
        "shows_answer": not unanswerable or "answer" in refused,
        "answer_form": made["answer"],
        "words_form": made["words"],
        "assign_form": made["assign"],
        "due_form": made["due"],
    }
