"""Factories for rows; tests say only what matters to them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import factory
from django.contrib.auth import get_user_model

from analytics.models import ScoringRun
from crm.core.models import Alert, Job
from customers.models import (
    Category,
    Consent,
    Customer,
    Export,
    Identity,
    ImportBatch,
    Interaction,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    SavedImport,
    ShopSettings,
    Source,
    SurveyResponse,
    Task,
    Ticket,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class HuikeFactory(factory.django.DjangoModelFactory):
    """Reads the row back, so that what the database made (public ids) is there."""

    class Meta:
        abstract = True
        skip_postgeneration_save = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        row = super()._create(model_class, *args, **kwargs)
        row.refresh_from_db()
        return row


class UserFactory(HuikeFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    is_active = True


class ShopSettingsFactory(HuikeFactory):
    class Meta:
        model = ShopSettings
        django_get_or_create = ("id",)

    id = 1
    name = "Test shop"
    zone = "UTC"
    currency = "GBP"


class SourceFactory(HuikeFactory):
    class Meta:
        model = Source
        django_get_or_create = ("key",)

    key = "test"
    name = "Test source"


class CustomerFactory(HuikeFactory):
    class Meta:
        model = Customer

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"C{n:06d}")
    name = factory.Sequence(lambda n: f"Customer {n}")


class IdentityFactory(HuikeFactory):
    class Meta:
        model = Identity

    customer = factory.SubFactory(CustomerFactory)
    kind = "email"
    value = factory.Sequence(lambda n: f"customer{n}@example.com")


class CategoryFactory(HuikeFactory):
    class Meta:
        model = Category

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"cat-{n}")
    name = factory.Sequence(lambda n: f"Category {n}")


class ProductFactory(HuikeFactory):
    class Meta:
        model = Product

    source = factory.SubFactory(SourceFactory)
    sku = factory.Sequence(lambda n: f"SKU{n:05d}")
    title = factory.Sequence(lambda n: f"Product {n}")


class OrderFactory(HuikeFactory):
    class Meta:
        model = Order

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"O{n:06d}")
    customer = factory.SubFactory(CustomerFactory)
    placed_at = NOON
    placed_day = factory.LazyAttribute(lambda order: order.placed_at.date())
    currency = "GBP"
    exchange_rate = Decimal(1)
    total = Decimal("20.00")
    total_shop = factory.LazyAttribute(
        lambda order: order.total * order.exchange_rate if order.exchange_rate else None
    )


class OrderLineFactory(HuikeFactory):
    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    line_key = factory.Sequence(str)
    product = factory.SubFactory(ProductFactory)
    sku = factory.LazyAttribute(lambda line: line.product.sku if line.product else "")
    quantity = 1
    unit_price = Decimal("20.00")
    amount = factory.LazyAttribute(lambda line: line.quantity * line.unit_price)


class RefundFactory(HuikeFactory):
    class Meta:
        model = Refund

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"R{n:06d}")
    refunded_at = NOON
    refunded_day = factory.LazyAttribute(lambda refund: refund.refunded_at.date())
    currency = "GBP"
    amount = Decimal("5.00")
    amount_shop = factory.LazyAttribute(lambda refund: refund.amount)


class ReviewFactory(HuikeFactory):
    class Meta:
        model = Review

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"rev-{n}")
    customer = factory.SubFactory(CustomerFactory)
    rating = 5
    written_at = NOON


class SurveyResponseFactory(HuikeFactory):
    class Meta:
        model = SurveyResponse

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"ans-{n}")
    customer = factory.SubFactory(CustomerFactory)
    metric = "csat"
    value = 4
    answered_at = NOON


class TicketFactory(HuikeFactory):
    class Meta:
        model = Ticket

    source = factory.SubFactory(SourceFactory)
    external_id = factory.Sequence(lambda n: f"tkt-{n}")
    customer = factory.SubFactory(CustomerFactory)
    subject = "Where is my parcel?"
    opened_at = NOON


class ConsentFactory(HuikeFactory):
    class Meta:
        model = Consent

    customer = factory.SubFactory(CustomerFactory)
    source = factory.SubFactory(SourceFactory)
    channel = "email"
    action = "given"
    at = NOON
    evidence = "Checkbox at checkout"


class JobFactory(HuikeFactory):
    class Meta:
        model = Job

    kind = "test.work"
    title = "Test work"


class AlertFactory(HuikeFactory):
    class Meta:
        model = Alert

    key = factory.Sequence(lambda n: f"matter {n}")
    code = "import_failed"
    parameters = {"file": "orders.csv", "error": "It broke."}
    raised_at = NOON


class ImportBatchFactory(HuikeFactory):
    class Meta:
        model = ImportBatch

    source = factory.SubFactory(SourceFactory)
    filename = "orders.csv"
    format = "online_retail"


class ExportFactory(HuikeFactory):
    class Meta:
        model = Export

    source = factory.SubFactory(SourceFactory)
    kind = "customers"
    format = "csv"


class SavedImportFactory(HuikeFactory):
    class Meta:
        model = SavedImport

    source = factory.SubFactory(SourceFactory)
    name = factory.Sequence(lambda n: f"Saved import {n}")
    place = "folder"
    folder = "/srv/inbox"
    format = "huike_customers"
    header = ["customer_id", "name"]
    active_since = NOON


class ScoringRunFactory(HuikeFactory):
    class Meta:
        model = ScoringRun

    trigger = "manual"
    as_of_day = date(2026, 3, 2)


class TaskFactory(HuikeFactory):
    class Meta:
        model = Task

    customer = factory.SubFactory(CustomerFactory)
    title = factory.Sequence(lambda n: f"Call back, number {n}")
    assignee = factory.SubFactory(UserFactory)
    author = factory.SelfAttribute("assignee")
    due_day = NOON.date()
    created_at = NOON


class NoteFactory(HuikeFactory):
    class Meta:
        model = Interaction

    customer = factory.SubFactory(CustomerFactory)
    kind = "note"
    at = NOON
    text = factory.Sequence(lambda n: f"Note number {n}")
    author = factory.SubFactory(UserFactory)
