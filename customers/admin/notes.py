"""Notes on a customer: write, read, change and take back one's own."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from customers.admin.small_pages import act, customer_for, form_page
from customers.models import Interaction
from customers.selectors.people import person_name
from customers.services import notes


class NoteForm(forms.Form):
    """What somebody wants to keep in mind."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=notes.LONGEST,
        error_messages={
            "required": gettext_lazy("Write something first: an empty note tells nobody anything.")
        },
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def note_urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses, below those of the customers."""
    return [
        path("<int:pk>/notes/add/", wrap(add), name="customers_note_add"),
        path("<int:pk>/notes/<int:note>/", wrap(change), name="customers_note"),
        path(
            "<int:pk>/notes/<int:note>/delete/",
            wrap(require_POST(delete)),
            name="customers_note_delete",
        ),
    ]


def may_write(user: Any) -> bool:
    return bool(user.has_perm("customers.add_interaction"))


def may_change(user: Any, note: Interaction) -> bool:
    """Tell whether this is one's own note, and one may change notes."""
    return bool(user.has_perm("customers.change_interaction")) and note.author_id == user.pk


def may_delete(user: Any, note: Interaction) -> bool:
    return bool(user.has_perm("customers.delete_interaction")) and note.author_id == user.pk


def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a note and go back to the customer."""
    customer = customer_for(request, pk, "customers.add_interaction")
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return act(
            request,
            pk,
            "panel-notes",
            lambda: notes.add_note(
                customer_id=pk,
                text=form.cleaned_data["text"],
                user_id=_id(request),
                now=timezone.now(),
            ),
            _("The note stands on the timeline."),
        )
    title = _("Write a note")
    return form_page(request, customer, title=title, form=form, submit=_("Keep the note"))


def change(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    """Show a note; who wrote it may change it here, or take it back."""
    customer = customer_for(request, pk, "customers.view_interaction")
    row = _note(pk, note)
    own = may_change(request.user, row)
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"text": row.text})
    if request.method == "POST":
        if not own:
            raise PermissionDenied
        if form.is_valid():
            return act(
                request,
                pk,
                "panel-notes",
                lambda: notes.edit_note(
                    note_id=note,
                    text=form.cleaned_data["text"],
                    user_id=_id(request),
                    now=timezone.now(),
                ),
                _("The note was changed."),
            )
    return form_page(
        request,
        customer,
        title=_("Note by %(name)s") % {"name": person_name(row.author)},
        form=form,
        submit=_("Keep the changes"),
        note=row,
        may_change=own,
        may_delete=may_delete(request.user, row),
    )


def delete(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    """Take one's own note back."""
    customer_for(request, pk, "customers.delete_interaction")
    row = _note(pk, note)
    if not may_delete(request.user, row):
        raise PermissionDenied
    return act(
        request,
        pk,
        "panel-notes",
        lambda: notes.delete_note(note_id=note, user_id=_id(request), now=timezone.now()),
        _("The note is gone."),
    )


def _note(customer_id: int, pk: int) -> Interaction:
    rows = Interaction.objects.notes().select_related("author")
    return get_object_or_404(rows, pk=pk, customer_id=customer_id)


def _id(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return int(request.user.pk)
