"""What the record puts on a role's page: the sources the role is limited to."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from customers.models import Source


def sources_field() -> forms.ModelMultipleChoiceField:
    """Return the field by which an owner limits a role."""
    return forms.ModelMultipleChoiceField(
        Source.objects.order_by("name"),
        required=False,
        label=_("Limited to sources"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_(
            "None chosen: all of the shop. Otherwise people with this role see what is of these "
            "sources, and nothing else is there for them. A customer is of a source when the "
            "profile came from it, when it has given them an id, or when an order or a ticket of "
            "it names them. Who has several roles sees what any of them may see; a role without "
            "a limit, or a permission of a person's own, opens all."
        ),
    )
