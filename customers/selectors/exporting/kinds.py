"""Each kind of export: the table, which of its rows may leave, and how a row is read."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import Q, QuerySet

from customers.connectors import huike
from customers.connectors.huike.writing import fields_of
from customers.connectors.tables.writing import FLAG, NUMBER, Field, Value
from customers.enums import ExportKind, Lifecycle
from customers.models import (
    Category,
    Consent,
    Customer,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    ShopSettings,
    Source,
    SurveyResponse,
    Ticket,
)
from customers.selectors.contacts import STAR, mask_email, mask_phone, mask_text
from customers.selectors.exporting import statements

ROWS = 5_000
LONG_ROWS = 1_000
"""Rows with long texts are read in smaller pieces, so that memory stays flat."""
KEYS = ("order_id", "review_id", "answer_id", "ticket_id", "sku")
"""Ids that look like a phone number at times, and are none."""
EVERY = Q()
ERASED = Q(customer__lifecycle=Lifecycle.ERASED)


@dataclass(frozen=True)
class Kind:
    """A kind of export.

    ``source`` leads from a row to its source; ``leaves`` says which rows may leave at all: those
    of merged and erased people do not, and what a column of another kind carries goes there.
    """

    name: str
    model: type[models.Model]
    columns: huike.Columns
    statement: str
    source: str = "source"
    leaves: Q = EVERY
    rows: int = ROWS

    @property
    def names_people(self) -> bool:
        """Tell whether the file names people by name or contact."""
        return "email" in self.columns

    @property
    def fields(self) -> list[Field]:
        """Return the columns that are always there."""
        return fields_of(self.columns)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            ExportKind.CUSTOMERS, Customer, huike.CUSTOMERS, statements.CUSTOMERS,
            leaves=Q(lifecycle=Lifecycle.ACTIVE)
            & (Q(external_id=None) | ~Q(external_id__contains="*")),
        ),
        Kind(ExportKind.ORDERS, Order, huike.ORDERS, statements.ORDERS),
        Kind(ExportKind.LINES, OrderLine, huike.LINES, statements.LINES, source="order__source"),
        Kind(ExportKind.PRODUCTS, Product, huike.PRODUCTS, statements.PRODUCTS),
        Kind(ExportKind.CATEGORIES, Category, huike.CATEGORIES, statements.CATEGORIES),
        Kind(
            ExportKind.REFUNDS, Refund, huike.REFUNDS, statements.REFUNDS,
            leaves=~(Q(external_id__endswith="|order") | Q(external_id__contains="|line|")),
        ),
        Kind(
            ExportKind.REVIEWS, Review, huike.REVIEWS, statements.REVIEWS,
            leaves=Q(customer=None) | ~ERASED, rows=LONG_ROWS,
        ),
        Kind(
            ExportKind.ANSWERS, SurveyResponse, huike.ANSWERS, statements.ANSWERS,
            leaves=Q(customer=None) | ~ERASED, rows=LONG_ROWS,
        ),
        Kind(
            ExportKind.TICKETS, Ticket, huike.TICKETS, statements.TICKETS,
            leaves=Q(customer=None) | ~ERASED, rows=LONG_ROWS,
        ),
        Kind(
            ExportKind.CONSENTS, Consent, huike.CONSENTS, statements.CONSENTS,
            leaves=Q(customer__lifecycle=Lifecycle.ACTIVE) & ~Q(evidence=""), rows=LONG_ROWS,
        ),
    )
}  # fmt: skip


def exportable(kind: Kind, rows: QuerySet[Any], source: Source) -> QuerySet[Any]:
    """Keep the rows of a list that may leave, of one source."""
    return rows.filter(kind.leaves, **{kind.source: source})


def permissions_for(kind: Kind) -> list[str]:
    """Return what somebody must be allowed to take these rows out."""
    names = [kind.model._meta.model_name, "customer" if kind.names_people else None]
    views = [f"customers.view_{name}" for name in dict.fromkeys(names) if name]
    return [*views, "customers.add_export"]


def read_rows(
    kind: Kind,
    ids: Sequence[int],
    fields: Sequence[Field],
    source: Source,
    shop: ShopSettings,
    *,
    shows_contacts: bool = True,
    sources: Collection[int] | None = None,
) -> Iterator[list[Value]]:
    """Yield rows as their format has them; instants are told in the shop's zone.

    What other than these ``sources`` wrote down about consent is left out, if some are given.
    """
    values: dict[str, Any] = {
        "ids": list(ids),
        "source": source.pk,
        "issuer": source.key,
        "currency": shop.currency,
        "sources": None if sources is None else list(sources),
    }
    zone = ZoneInfo(shop.zone)
    with connection.cursor() as cursor:
        cursor.execute(kind.statement, values)
        for row in cursor:
            cells = _customer(row, fields) if kind.model is Customer else list(row)
            if not shows_contacts:
                cells = [_masked(field, cell) for field, cell in zip(fields, cells, strict=True)]
            yield [cell.astimezone(zone) if isinstance(cell, datetime) else cell for cell in cells]


def _masked(field: Field, cell: Any) -> Any:
    """Return a cell for a file without contacts: what people wrote may hold some too."""
    if not isinstance(cell, str) or field.name in KEYS:
        return cell
    if field.name in ("email", "phone"):
        return (mask_email if field.name == "email" else mask_phone)(cell, STAR)
    return mask_text(cell, STAR)


def _customer(row: Sequence[Any], fields: Sequence[Field]) -> list[Any]:
    """Return a customer's cells: their own, and those of attributes and ids that there are."""
    *cells, attributes, ids = row
    held: Mapping[str, Any] = {
        **{f"{huike.ATTRIBUTE}{key}": value for key, value in _loaded(attributes).items()},
        **_loaded(ids),
    }
    # A masked contact is many people's; it names nobody.
    cells[2:4] = ["" if "*" in contact else contact for contact in cells[2:4]]
    return cells + [_as_told(field, held.get(field.name)) for field in fields[len(cells) :]]


def _loaded(value: Any) -> dict[str, Any]:
    loaded = json.loads(value) if isinstance(value, str) else value
    return loaded or {}


def _as_told(field: Field, value: Any) -> Value:
    """Return an attribute's value as its column has it; what is of another type is left out."""
    if value is None or isinstance(value, dict | list):
        return None
    if field.type == FLAG:
        return value if isinstance(value, bool) else None
    if field.type == NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Decimal(str(value)) if is_number else None
    return str(value)
