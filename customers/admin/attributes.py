"""Custom attributes: their declaration, and a customer's own."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from crm.core.admin.base import ListAdmin
from crm.core.errors import DomainError
from customers.admin.small_pages import customer_for, form_page, page_of
from customers.enums import AttributeType
from customers.models import Attribute, Customer
from customers.services import attributes

PREFIX = "attribute"


class ChoicesField(forms.CharField):
    """A list of words, one a line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 5})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class AttributeForm(forms.ModelForm):
    """A declaration; what the service would refuse is refused beside its field."""

    choices = ChoicesField(
        label=gettext_lazy("Choices"),
        required=False,
        help_text=gettext_lazy("One a line. Only for the type “Choice”."),
    )

    class Meta:
        model = Attribute
        fields = ("label", "key", "type", "choices")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].help_text = _(
                "The name in files and over REST, such as favourite_colour: small letters, digits "
                "and _. It stays for good."
            )
            self.fields["key"].validators.append(
                RegexValidator(
                    r"^[a-z][a-z0-9_]*$",
                    _("Use small letters, digits and _ only, and begin with a letter."),
                )
            )

    def clean(self) -> dict[str, Any]:
        """Try the change out: the service knows what does not go together."""
        cleaned = super().clean() or {}
        type_ = cleaned.get("type", self.instance.type)
        if type_ and "choices" in cleaned:
            try:
                attributes.check_declaration(
                    attribute_id=self.instance.pk,
                    type=AttributeType(type_),
                    choices=cleaned["choices"],
                )
            except DomainError as error:
                self.add_error("choices", error.message)
        return cleaned


@admin.register(Attribute)
class AttributeAdmin(ListAdmin):
    form = AttributeForm
    list_display = ("label", "key", "type", "choice_words")
    search_fields = ("label", "key")
    add_words = gettext_lazy("Declare an attribute")
    empty_words = gettext_lazy(
        "Declare what this shop wants to know about its customers beyond the profile, such as a "
        "shoe size or where they heard of it. Files may then have a column for it."
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep key and type: customers' values rest on them."""
        return ("key", "type") if obj else ()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Take declarations back one by one: each is looked for among the customers."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return dict(found)

    @admin.display(description=gettext_lazy("choices"))
    def choice_words(self, row: Attribute) -> str:
        return ", ".join(map(str, row.choices)) or "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand over to the service."""
        told = form.cleaned_data
        if change:
            attributes.change_attribute(
                attribute_id=obj.pk,
                label=told["label"],
                choices=told["choices"],
                user_id=request.user.pk,
            )
            return
        made = attributes.declare_attribute(
            key=told["key"],
            label=told["label"],
            type=AttributeType(told["type"]),
            choices=told["choices"],
            user_id=request.user.pk,
        )
        obj.pk = made.pk

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Refuse before it asks: what customers have a value for stays."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Attribute, pk=object_id if object_id.isdecimal() else 0)
        try:
            attributes.check_unused(row)
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            messages.error(request, error.message)
            address = reverse("admin:customers_attribute_change", args=[row.pk])
            return HttpResponseRedirect(address)

    def delete_model(self, request: HttpRequest, obj: Attribute) -> None:
        """Hand over to the service, which looks again."""
        attributes.remove_attribute(attribute_id=obj.pk, user_id=request.user.pk)


class AttributesForm(forms.Form):
    """A customer's custom attributes, each with a field of its type."""

    def __init__(self, *args: Any, declared: list[Attribute], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in declared:
            self.fields[one.key] = _field(one)

    def refuse(self, error: DomainError) -> None:
        """Show a refusal of the service beside the field it is about."""
        key = error.details.get("key")
        self.add_error(key if key in self.fields else None, error.message)


def attribute_urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses below those of the customers."""
    return [path("<int:pk>/attributes/", wrap(edit), name="customers_customer_attributes")]


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a customer's attributes; what does not do is said beside its field."""
    customer = customer_for(request, pk, "customers.change_customer")
    declared = list(Attribute.objects.all())
    form = AttributesForm(
        request.POST if request.method == "POST" else None,
        declared=declared,
        prefix=PREFIX,
        initial={one.key: python_value(one, customer) for one in declared},
    )
    if request.method == "POST" and form.is_valid():
        changed = {key: form.cleaned_data[key] for key in form.changed_data}
        try:
            attributes.set_attributes(
                customer_id=pk, values=_as_told(declared, changed), user_id=request.user.pk
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The attributes were changed."))
            return HttpResponseRedirect(page_of(pk, "panel-attributes"))
    return form_page(
        request,
        customer,
        title=_("Change the custom attributes"),
        form=form,
        submit=_("Keep the changes"),
        nothing=_("None is declared yet.") if not declared else "",
    )


def shown_value(one: Attribute, customer: Customer) -> str:
    """Return an attribute as people read it; empty where there is none."""
    value = python_value(one, customer)
    if value in (None, ""):
        return ""
    if one.type == AttributeType.BOOLEAN:
        return _("Yes") if value == "true" else _("No")
    if one.type == AttributeType.DATE and hasattr(value, "isoformat"):
        return date_format(value, "DATE_FORMAT")
    if one.type == AttributeType.NUMBER and isinstance(value, Decimal):
        return number_format(value.normalize(), force_grouping=True)
    return str(value)


def python_value(one: Attribute, customer: Customer) -> Any:
    """Return what a form begins with; what does not fit the type any more is left as text."""
    value = customer.attributes.get(one.key)
    if value is None:
        return None
    if one.type == AttributeType.BOOLEAN:
        return "true" if value is True else "false"
    if one.type == AttributeType.DATE:
        try:
            return parse_date(str(value)) or str(value)
        except ValueError:
            return str(value)
    if one.type == AttributeType.NUMBER and isinstance(value, int | float):
        return Decimal(repr(value))
    return str(value)


def _as_told(declared: list[Attribute], values: dict[str, Any]) -> dict[str, Any]:
    """Return cleaned values as the service takes them."""
    flags = {one.key for one in declared if one.type == AttributeType.BOOLEAN}
    words = {"true": True, "false": False, "": None}
    return {key: words[value] if key in flags else value for key, value in values.items()}


def _field(one: Attribute) -> forms.Field:
    common: dict[str, Any] = {"label": one.label, "required": False}
    if one.type == AttributeType.NUMBER:
        return forms.DecimalField(
            max_digits=15,
            decimal_places=6,
            widget=UnfoldAdminDecimalFieldWidget,
            error_messages={"invalid": _("Write a number, such as 12.5.")},
            **common,
        )
    if one.type == AttributeType.DATE:
        return forms.DateField(
            widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
            error_messages={"invalid": _("Write a day as 2026-03-31.")},
            **common,
        )
    if one.type in (AttributeType.BOOLEAN, AttributeType.CHOICE):
        offered = (
            [("true", _("Yes")), ("false", _("No"))]
            if one.type == AttributeType.BOOLEAN
            else [(str(choice), str(choice)) for choice in one.choices]
        )
        return forms.ChoiceField(
            choices=[("", "–"), *offered], widget=UnfoldAdminSelectWidget, **common
        )
    return forms.CharField(
        max_length=attributes.LONGEST_TEXT, widget=UnfoldAdminTextInputWidget, **common
    )
