"""Huike's own files: customers, orders and order lines."""

from customers.connectors.huike import CUSTOMERS, LINES, ORDERS
from customers.enums import ImportFormat
from customers.services.importing.huike.customers import write_customers
from customers.services.importing.huike.kind import Kind
from customers.services.importing.huike.lines import write_lines
from customers.services.importing.huike.orders import write_orders

KINDS = {
    ImportFormat.HUIKE_CUSTOMERS: Kind("customers", CUSTOMERS, "customer_id", write_customers),
    ImportFormat.HUIKE_ORDERS: Kind("orders", ORDERS, "order_id", write_orders),
    ImportFormat.HUIKE_ORDER_LINES: Kind("lines", LINES, "line_id", write_lines),
}
