"""The tables an import writes, and what points where: read from the models."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model, UniqueConstraint
from psycopg import sql

from crm.core.registry import registry
from customers.models import (
    Category,
    Consent,
    Customer,
    Identity,
    Interaction,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    SurveyResponse,
    Ticket,
)

RECORD: tuple[type[Model], ...] = (
    Customer,
    Order,
    OrderLine,
    Refund,
    Product,
    Category,
    Review,
    SurveyResponse,
    Ticket,
    Consent,
    Identity,
    Interaction,
)
"""What an import may write; people and orders come first, also when refusals are named."""


@dataclass(frozen=True)
class Reference:
    """A foreign key: rows of ``model`` point at rows of ``target`` by ``column``."""

    model: type[Model]
    target: type[Model]
    key: str
    column: str


def execute(cursor: Any, statement: sql.Composed) -> None:
    """Run a statement without parameters; within a request it is looked at as text."""
    cursor.execute(statement.as_string(None))


def table(model: type[Model]) -> sql.Identifier:
    """Return a model's table, quoted."""
    return sql.Identifier(model._meta.db_table)


def row_key(model: type[Model]) -> sql.Composable:
    """Return the column that names a row; a row known by several columns has no one name."""
    column = getattr(model._meta.pk, "column", None)
    return sql.Identifier("m", column) if column else sql.SQL("NULL")


def columns(model: type[Model]) -> list[str]:
    """Return the columns a row is put back with."""
    fields: list[Any] = [f for f in model._meta.concrete_fields if not getattr(f, "generated", 0)]
    return [str(field.column) for field in fields]


def references_from(model: type[Model]) -> Iterator[Reference]:
    """Yield the foreign keys of a model."""
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and field.concrete:
            yield Reference(
                model,
                field.related_model,
                f"{model._meta.label}.{field.name}",
                str(field.column),
            )


def references_to_record() -> Iterator[Reference]:
    """Yield every foreign key to a table of the record, whichever app it belongs to.

    Left out are what is computed from the record, and history, whose rows are copies.
    """
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or hasattr(model, "pgh_tracked_model"):
            continue
        for found in references_from(model):
            if found.target in RECORD and found.key not in registry.computed_rows:
                yield found


def unique_columns(model: type[Model]) -> Iterator[list[str]]:
    """Yield the columns that no two rows of a table share."""
    for field in model._meta.concrete_fields:
        if field.unique and not field.primary_key:
            yield [str(field.column)]
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and not constraint.condition:
            fields: list[Any] = [model._meta.get_field(name) for name in constraint.fields]
            yield [str(field.column) for field in fields]


def history_of(model: type[Model]) -> Iterator[type[Model]]:
    """Yield the tables that keep copies of a model's former rows."""
    for event in apps.get_models():
        if getattr(event, "pgh_tracked_model", None) is model:
            yield event
