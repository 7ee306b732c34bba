"""The record in the web admin."""

from customers.admin import customer, imports, rows

__all__ = ["customer", "imports", "rows"]
