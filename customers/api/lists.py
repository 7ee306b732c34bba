"""Lists by their filters, for who takes their rows out."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.utils import translate_validation
from rest_framework.exceptions import ErrorDetail, ValidationError

from crm.core.api.filters import ResourceFilters, slots_of, with_slots
from crm.core.selectors.reach import reached
from customers.api import filters as lists
from customers.enums import ExportKind
from customers.selectors.exporting import KINDS

FILTERS: dict[str, type[ResourceFilters]] = {
    ExportKind.CUSTOMERS: lists.CustomerFilters,
    ExportKind.ORDERS: lists.OrderFilters,
    ExportKind.LINES: lists.LineFilters,
    ExportKind.PRODUCTS: lists.ProductFilters,
    ExportKind.CATEGORIES: lists.CategoryFilters,
    ExportKind.REFUNDS: lists.RefundFilters,
    ExportKind.REVIEWS: lists.ReviewFilters,
    ExportKind.ANSWERS: lists.AnswerFilters,
    ExportKind.TICKETS: lists.TicketFilters,
    ExportKind.CONSENTS: lists.ConsentFilters,
}


def listed_rows(*, kind: str, filters: Mapping[str, Any], user: Any) -> QuerySet[Any]:
    """Return the rows that ``GET /api/v1/<kind>/`` lists with these parameters.

    Raises ValidationError under the name “filters”, and PermissionDenied for what ``user`` may not
    filter by.
    """
    model = KINDS[kind].model
    base: Any = FILTERS[kind]
    filters_class = with_slots(base, model, tuple(slots_of(kind)))
    texts = {name: _as_parameter(name, value) for name, value in filters.items()}
    narrowed = filters_class(
        data=texts,
        queryset=reached(model._default_manager.all(), user),
        request=SimpleNamespace(user=user),
    )
    if unknown := sorted(set(texts) - set(narrowed.filters)):
        message = _("This list does not know the filter. It knows: %(names)s.") % {
            "names": ", ".join(sorted(narrowed.filters))
        }
        raise ValidationError(
            {"filters": {name: [ErrorDetail(message, "unknown")] for name in unknown}}
        )
    if not narrowed.is_valid():
        raise ValidationError({"filters": translate_validation(narrowed.errors).detail})
    rows: QuerySet[Any] = narrowed.qs
    return rows


def _as_parameter(name: str, value: Any) -> str:
    """Return a filter's value as it stands in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_as_parameter(name, part) for part in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise ValidationError(
        {"filters": {name: [ErrorDetail(_("Give text, a number, true or false."), "invalid")]}}
    )
