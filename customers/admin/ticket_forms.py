"""What the tickets' pages ask for: filters of the queue, and the forms of one conversation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from customers.enums import MessageKind
from customers.models import Ticket


class WhoseFilter(admin.SimpleListFilter):
    """Keeps my tickets, or those nobody has taken; what it cannot read keeps nobody."""

    title = _("assignee")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("mine", _("Mine")), ("nobody", _("Unassigned"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        match self.value():
            case None | "":
                return queryset
            case "mine":
                return queryset.filter(assignee_id=request.user.pk)
            case "nobody":
                return queryset.filter(assignee=None)
        return queryset.none()


class DueFilter(admin.SimpleListFilter):
    """Keeps what should have been done by now; what it cannot read keeps nobody."""

    title = _("due by")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("overdue", _("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        if self.value() != "overdue":
            return queryset.none()
        return queryset.overdue(timezone.now())


class DueInput(forms.DateTimeInput):
    """A day and an hour of the shop's zone, as browsers send them."""

    def __init__(self) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")


def _long_text(rows: int) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


class NewTicketForm(forms.Form):
    """What a customer asks for."""

    subject = forms.CharField(label=_("Subject"), max_length=300, widget=UnfoldAdminTextInputWidget)
    text = forms.CharField(label=_("What the customer says"), required=False, widget=_long_text(6))


class AnswerForm(forms.Form):
    """An e-mail to the customer."""

    text = forms.CharField(label=_("Answer by e-mail"), widget=_long_text(7))


class WordsForm(forms.Form):
    """Something said that is no e-mail."""

    kind = forms.ChoiceField(
        label=_("Keep as"),
        choices=[
            (MessageKind.NOTE, _("A note for colleagues")),
            (MessageKind.CUSTOMER, _("What the customer said: the ticket opens again")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    text = forms.CharField(label=_("Text"), widget=_long_text(3))


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return person(obj)


class AssignForm(forms.Form):
    """Who works on it."""

    assignee = PersonField(
        get_user_model()
        ._default_manager.filter(is_active=True, is_staff=True)
        .order_by("first_name", "username"),
        label=_("Assignee"),
        required=False,
        empty_label=_("Nobody"),
        widget=UnfoldAdminSelectWidget,
    )


class DueForm(forms.Form):
    """Until when it should be done."""

    due_at = forms.DateTimeField(
        label=_("Due by"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        help_text=_("Empty: nothing is due."),
        widget=DueInput,
    )


FORMS: dict[str, type[forms.Form]] = {
    "answer": AnswerForm,
    "words": WordsForm,
    "assign": AssignForm,
    "due": DueForm,
}


def person(user: Any) -> str:
    """Name a member of staff."""
    return str(user.get_full_name() or user.get_username())
