"""The record in the web admin."""

from customers.admin import (
    attributes,
    customer,
    exports,
    imports,
    orders,
    rates,
    reconciliation,
    rows,
    saved_imports,
    staff_tasks,
    tag_words,
    tickets,
)

__all__ = [
    "attributes",
    "customer",
    "exports",
    "imports",
    "orders",
    "rates",
    "reconciliation",
    "rows",
    "saved_imports",
    "staff_tasks",
    "tag_words",
    "tickets",
]
