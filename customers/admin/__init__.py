"""The record in the web admin."""

from customers.admin import customer, exports, imports, rows

__all__ = ["customer", "exports", "imports", "rows"]
