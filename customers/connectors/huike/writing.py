"""Which type of value each column of Huike's own files holds, for writing them."""

from functools import partial

from customers.connectors.huike import cells
from customers.connectors.huike.columns import INSTANT as READS_INSTANT
from customers.connectors.huike.columns import Column, Columns
from customers.connectors.huike.rows import ATTRIBUTE
from customers.connectors.tables.writing import (
    AMOUNT,
    COUNT,
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Field,
)

AMOUNTS = (cells.amount, cells.amount_from_zero, cells.price, cells.price_from_zero)
ATTRIBUTE_TYPES = {"number": NUMBER, "boolean": FLAG}


def fields_of(columns: Columns) -> list[Field]:
    """Return the fields of a kind's own columns, in their order."""
    return [Field(column.name, _type(column)) for column in columns.values()]


def attribute_field(key: str, type: str) -> Field:
    """Return the field of a custom attribute."""
    return Field(f"{ATTRIBUTE}{key}", ATTRIBUTE_TYPES.get(type, TEXT))


def is_writable(name: str) -> bool:
    """Tell whether a column of this name is read back under the same name."""
    return name == name.strip().lower().replace(" ", "_") and len(name) <= 200


def _type(column: Column) -> str:
    read = column.read
    if read == READS_INSTANT:
        return INSTANT
    if read in AMOUNTS:
        return AMOUNT
    if read is cells.flag:
        return FLAG
    if read is cells.day:
        return DAY
    is_count = isinstance(read, partial) and read.func is cells.count
    return COUNT if is_count else TEXT
