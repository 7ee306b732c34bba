"""The record in the web admin."""

from customers.admin import customer, imports, reconciliation, rows

__all__ = ["customer", "imports", "reconciliation", "rows"]
