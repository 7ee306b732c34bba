"""The record in the web admin."""

from customers.admin import customer, imports, rows, saved_imports

__all__ = ["customer", "imports", "rows", "saved_imports"]
