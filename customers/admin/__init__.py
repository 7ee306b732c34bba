"""The record in the web admin."""

from customers.admin import customer, imports, orders, rows

__all__ = ["customer", "imports", "orders", "rows"]
