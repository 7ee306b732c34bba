"""The record in the web admin."""

from customers.admin import customer, imports, orders, rates, reconciliation, rows

__all__ = ["customer", "imports", "orders", "rates", "reconciliation", "rows"]
