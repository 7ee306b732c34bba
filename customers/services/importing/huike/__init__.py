"""Huike's own files: what is written of each kind."""

from customers.connectors import huike
from customers.enums import ImportFormat
from customers.services.importing.huike.categories import write_categories
from customers.services.importing.huike.consents import write_consents
from customers.services.importing.huike.customers import write_customers
from customers.services.importing.huike.kind import Kind
from customers.services.importing.huike.lines import write_lines
from customers.services.importing.huike.orders import write_orders
from customers.services.importing.huike.products import write_products
from customers.services.importing.huike.refunds import write_refunds
from customers.services.importing.huike.voice import write_answers, write_reviews, write_tickets

KINDS = {
    ImportFormat.HUIKE_CUSTOMERS: Kind(
        "customers", huike.CUSTOMERS, "customer_id", write_customers
    ),
    ImportFormat.HUIKE_CATEGORIES: Kind(
        "categories", huike.CATEGORIES, "category_id", write_categories
    ),
    ImportFormat.HUIKE_PRODUCTS: Kind("products", huike.PRODUCTS, "sku", write_products),
    ImportFormat.HUIKE_ORDERS: Kind("orders", huike.ORDERS, "order_id", write_orders),
    ImportFormat.HUIKE_ORDER_LINES: Kind("lines", huike.LINES, "line_id", write_lines),
    ImportFormat.HUIKE_REFUNDS: Kind("refunds", huike.REFUNDS, "refund_id", write_refunds),
    ImportFormat.HUIKE_REVIEWS: Kind("reviews", huike.REVIEWS, "review_id", write_reviews),
    ImportFormat.HUIKE_ANSWERS: Kind("answers", huike.ANSWERS, "answer_id", write_answers),
    ImportFormat.HUIKE_TICKETS: Kind("tickets", huike.TICKETS, "ticket_id", write_tickets),
    ImportFormat.HUIKE_CONSENTS: Kind("consents", huike.CONSENTS, "", write_consents),
}
