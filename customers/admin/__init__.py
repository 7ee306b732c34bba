"""The record in the web admin."""

from customers.admin import (
    customer,
    exports,
    imports,
    orders,
    rates,
    reconciliation,
    rows,
    saved_imports,
    tickets,
)

__all__ = [
    "customer",
    "exports",
    "imports",
    "orders",
    "rates",
    "reconciliation",
    "rows",
    "saved_imports",
    "tickets",
]
