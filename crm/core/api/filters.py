"""Filters of lists: typed, bounded, and strict about names."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Model, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.constants import EMPTY_VALUES
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from crm.core.api.permissions import require
from crm.core.api.problems import BadQueryError
from crm.core.registry import ApiFilter, registry

PAGE_PARAMETERS = frozenset({"cursor", "limit", "ordering"})
_MOST = 10**15


class _Number(django_filters.NumberFilter):
    """A number within bounds that every column can be compared with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=-_MOST, max_value=_MOST, **kwargs)

    def get_max_validator(self) -> MaxValueValidator | None:
        """Leave the bounds to the field."""
        return None


@extend_schema_field({"type": "integer"})
class IntegerFilter(_Number):
    field_class = forms.IntegerField


@extend_schema_field({"type": "number"})
class FloatFilter(_Number):
    field_class = forms.FloatField


@extend_schema_field({"type": "string", "format": "decimal"})
class DecimalFilter(_Number):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_digits=20, decimal_places=4, **kwargs)


class DateFilter(django_filters.DateFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, input_formats=["%Y-%m-%d"], **kwargs)


class _InstantField(forms.Field):
    """Reads RFC 3339 with an offset; a bare local time would mean something else per reader."""

    default_error_messages = {
        "invalid": gettext_lazy("Give an instant with its offset, such as 2026-03-01T00:00:00Z.")
    }

    def to_python(self, value: Any) -> datetime | None:
        """Return the instant; raises ValidationError."""
        if not value:
            return None
        try:
            # A “+” that was not percent-encoded arrives as a blank.
            moment = parse_datetime(str(value).strip().replace(" ", "+"))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 1900 <= moment.year <= 2200:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantFilter(django_filters.Filter):
    field_class = _InstantField


@extend_schema_field({"type": "boolean"})
class BooleanFilter(django_filters.TypedChoiceFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            choices=[("true", "true"), ("false", "false")],
            coerce=lambda value: value == "true",
            **kwargs,
        )


class ChoicesFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One or more of a fixed set of values, separated by commas."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        values = [str(value) for value, _label in kwargs["choices"]]
        super().__init__(*args, null_value=None, empty_label=None, **kwargs)
        extend_schema_field({"type": "string", "description": _listed(values)})(self)

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep rows with one of the values."""
        if value in EMPTY_VALUES:
            return queryset
        return queryset.filter(**{f"{self.field_name}__in": value})


@extend_schema_field({"type": "string"})
class PublicIdFilter(django_filters.Filter):
    """The public id of a row that listed rows point at."""

    field_class = forms.RegexField

    def __init__(self, *args: Any, prefix: str, **kwargs: Any) -> None:
        super().__init__(*args, regex=rf"\A{prefix}_[0-9a-f]{{32}}\Z", **kwargs)


class TextFilter(django_filters.CharFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(*args, **kwargs)


class ResourceFilters(django_filters.FilterSet):
    """The filters of one list.

    ``ranges`` maps a name to a field path and a kind of filter, and gives ``<name>_min`` and
    ``<name>_max``, both inclusive.
    """

    ranges: ClassVar[Mapping[str, tuple[str, type[django_filters.Filter]]]] = {}

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        """Return the declared filters and those of the ranges."""
        filters: dict[str, django_filters.Filter] = dict(super().get_filters())
        for name, (path, kind) in cls.ranges.items():
            filters[f"{name}_min"] = kind(field_name=path, lookup_expr="gte")
            filters[f"{name}_max"] = kind(field_name=path, lookup_expr="lte")
        return filters


class ResourceFilterBackend(DjangoFilterBackend):
    """Applies a view's filters to its list, and refuses parameters nobody knows."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        """Return the view's filters with those the upper apps add."""
        base = getattr(view, "filters_class", None)
        if base is None or not getattr(view, "is_list", False):
            return None
        return with_slots(base, view.queryset.model, tuple(view.slot_filters()))

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        """Return the rows that match; a misspelt filter is an error, never “all rows”."""
        filters = self.get_filterset(request, queryset, view)
        known = set(view.other_parameters())
        if filters is not None:
            known |= {*filters.filters, *PAGE_PARAMETERS}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            message = _("This address does not know the parameter. It knows: %(names)s.") % {
                "names": ", ".join(sorted(known)) or "—"
            }
            raise BadQueryError(
                {_printable(name): [ErrorDetail(message, "unknown")] for name in unknown}
            )
        if filters is None:
            return queryset
        if not filters.is_valid():
            raise BadQueryError(translate_validation(filters.errors).detail)
        return filters.qs


@lru_cache(maxsize=64)
def with_slots(
    base: type[ResourceFilters], model: type[Model], slots: tuple[ApiFilter, ...]
) -> type[ResourceFilters]:
    """Return ``base`` with a filter, or a range, for every slot."""
    added: dict[str, django_filters.Filter] = {}
    for slot in slots:
        field = slot_field(model, slot)
        kind = _kind_of(field)
        if kind is None:
            added[slot.key] = _slotted(slot, ChoicesFilter, "exact", choices=field.choices)
            continue
        added[f"{slot.key}_min"] = _slotted(slot, kind, "gte")
        added[f"{slot.key}_max"] = _slotted(slot, kind, "lte")
    return type(base.__name__, (base,), added)


def slots_of(resource: str) -> list[ApiFilter]:
    """Return the filters upper apps add to a resource."""
    return [slot for slot in registry.api_filters if slot.resource == resource]


def slot_field(model: type[Model], slot: ApiFilter) -> models.Field:
    """Return the field that tells a slot's type; no query is made."""
    rows = model._default_manager.annotate(slot_value=slot.annotation())
    field: models.Field = rows.query.annotations["slot_value"].output_field
    return field


def _kind_of(field: models.Field) -> type[django_filters.Filter] | None:
    """Return the filter for ranges of a field, or None when it has choices."""
    kinds: list[tuple[type, type[django_filters.Filter]]] = [
        (models.DecimalField, DecimalFilter),
        (models.FloatField, FloatFilter),
        (models.IntegerField, IntegerFilter),
        (models.DateTimeField, InstantFilter),
        (models.DateField, DateFilter),
    ]
    if field.choices:
        return None
    for field_type, kind in kinds:
        if isinstance(field, field_type):
            return kind
    raise TypeError(f"A list cannot be filtered by a {type(field).__name__} without choices.")


class _Slotted:
    """A filter that annotates its rows, and asks for its slot's permission, only when used."""

    slot: ApiFilter
    parent: django_filters.FilterSet

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep the rows that match."""
        if value in EMPTY_VALUES:
            return queryset
        if self.slot.permission:
            require(self.parent.request, self.slot.permission)
        rows = queryset.alias(**{f"by_{self.slot.key}": self.slot.annotation()})
        kept: QuerySet[Any] = super().filter(rows, value)  # type: ignore[misc]  # the kind's filter
        return kept


def _slotted(
    slot: ApiFilter, kind: type[django_filters.Filter], lookup: str, **kwargs: Any
) -> django_filters.Filter:
    """Make the filter of a slot."""
    slotted = type(kind.__name__, (_Slotted, kind), {"slot": slot})
    return slotted(field_name=f"by_{slot.key}", lookup_expr=lookup, **kwargs)


def _listed(values: list[str]) -> str:
    return "One or more of these, separated by commas: " + ", ".join(values) + "."


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in name[:64])
