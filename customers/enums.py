"""Named values of the record."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SourceKind(models.TextChoices):
    FILE = "file", _("File")
    API = "api", _("API")
    SHOP = "shop", _("Shop platform")
    MANUAL = "manual", _("By hand")


class IdentityKind(models.TextChoices):
    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    EXTERNAL_ID = "external_id", _("External id")
    USER_ID = "user_id", _("User id")
    ANONYMOUS_ID = "anonymous_id", _("Anonymous id")
    MARKETPLACE = "marketplace", _("Marketplace buyer id")
    MESSENGER = "messenger", _("Messenger id")


class Lifecycle(models.TextChoices):
    ACTIVE = "active", _("Active")
    MERGED = "merged", _("Merged")
    ERASED = "erased", _("Erased")


class AttributeType(models.TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    BOOLEAN = "boolean", _("Yes or no")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    PHONE = "phone", _("Phone")
    POST = "post", _("Post")
    MESSENGER = "messenger", _("Messenger")


class ConsentAction(models.TextChoices):
    GIVEN = "given", _("Given")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class SuppressionReason(models.TextChoices):
    BOUNCED = "bounced", _("Address does not exist")
    COMPLAINED = "complained", _("Complained")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    ERASED = "erased", _("Erased on request")
    MANUAL = "manual", _("Blocked by staff")


class OrderStatus(models.TextChoices):
    PENDING = "pending", _("Unpaid")
    PAID = "paid", _("Paid")
    SHIPPED = "shipped", _("Shipped")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


COUNTED_ORDER_STATUSES = (OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.COMPLETED)
"""Orders that are revenue: paid for and not cancelled."""


class LineKind(models.TextChoices):
    PRODUCT = "product", _("Product")
    CHARGE = "charge", _("Charge")
    DISCOUNT = "discount", _("Discount")


class RefundKind(models.TextChoices):
    RETURN = "return", _("Goods returned")
    REFUND_ONLY = "refund_only", _("Refund without return")
    CANCELLATION = "cancellation", _("Cancellation")


class SurveyMetric(models.TextChoices):
    CSAT = "csat", _("Satisfaction (1–5)")
    NPS = "nps", _("Recommendation (0–10)")
    CES = "ces", _("Effort (1–7)")


class TicketState(models.TextChoices):
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting for the customer")
    CLOSED = "closed", _("Closed")


class InteractionKind(models.TextChoices):
    NOTE = "note", _("Note")
    IMPORT = "import", _("Import")
    CONSENT = "consent", _("Consent")
    MERGE = "merge", _("Merge")
    MESSAGE = "message", _("Message")


class ImportFormat(models.TextChoices):
    ONLINE_RETAIL = "online_retail", _("Online Retail (one row per order line)")
    HUIKE_CUSTOMERS = "huike_customers", _("Huike customers")
    HUIKE_ORDERS = "huike_orders", _("Huike orders")
    HUIKE_ORDER_LINES = "huike_order_lines", _("Huike order lines")


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Uploaded")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    UNDONE = "undone", _("Undone")
