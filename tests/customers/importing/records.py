"""What the record holds, without keys that depend on who came first."""

from customers.models import Consent, Customer, Identity, Order, OrderLine, Product, Refund
from tests.customers.importing import files

WHO = "customer__external_id"
COLUMNS = {
    Customer: ("source__key", "external_id", "name", "city", "country", "email", "phone",
               "birthday", "is_test", "source_updated_at"),
    Identity: ("issuer", "kind", "value", WHO, "customer__email"),
    Consent: (WHO, "channel", "action", "at", "evidence"),
    Order: ("external_id", WHO, "customer__email", "placed_at", "placed_day", "total", "charges",
            "tax", "shop_discount", "refunded", "status", "currency", "is_test"),
    OrderLine: ("order__external_id", "line_key", "sku", "title", "quantity", "unit_price",
                "amount", "unit_cost", "product__sku"),
    Product: ("source__key", "sku", "title"),
    Refund: ("external_id", "order__external_id", "sku", "quantity", "amount", "refunded_at"),
}  # fmt: skip


def told_record():
    """Return the rows of the tables that files of customers and orders write, by their words."""
    return {
        model.__name__: sorted(model.objects.values_list(*names), key=repr)
        for model, names in COLUMNS.items()
    }


def told_fates(batch):
    """Return what became of an import's rows: how many, and which were rejected, and why."""
    rejected = files.rejects(batch) if batch.rows_rejected else []
    return files.fates(batch), [(row["row"], row["reason"]) for row in rejected]
