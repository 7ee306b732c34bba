"""Named values of the record."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SourceKind(models.TextChoices):
    FILE = "file", _("File")
    API = "api", _("API")
    SHOP = "shop", _("Shop platform")
    MANUAL = "manual", _("By hand")
    SIMULATED = "simulated", _("Simulated")


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


class MessageKind(models.TextChoices):
    """Who speaks to whom in a ticket."""

    NOTE = "note", _("Internal note")
    ANSWER = "answer", _("Answer to the customer")
    CUSTOMER = "customer", _("From the customer")


class DeliveryState(models.TextChoices):
    """What became of an answer's e-mail. A lost worker leaves ``UNKNOWN``; nothing resends it."""

    QUEUED = "queued", _("Waits to be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Not sent")
    UNKNOWN = "unknown", _("Not known whether it was sent")


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
    HUIKE_PRODUCTS = "huike_products", _("Huike products")
    HUIKE_CATEGORIES = "huike_categories", _("Huike categories")
    HUIKE_REFUNDS = "huike_refunds", _("Huike refunds")
    HUIKE_REVIEWS = "huike_reviews", _("Huike reviews")
    HUIKE_ANSWERS = "huike_answers", _("Huike survey answers")
    HUIKE_TICKETS = "huike_tickets", _("Huike tickets")
    HUIKE_CONSENTS = "huike_consents", _("Huike consents")
    SHOPIFY_CUSTOMERS = "shopify_customers", _("Shopify customers")
    SHOPIFY_ORDERS = "shopify_orders", _("Shopify orders")
    SHOPIFY_PRODUCTS = "shopify_products", _("Shopify products")
    WOO_CUSTOMERS = "woocommerce_customers", _("WooCommerce customers")
    WOO_ORDERS = "woocommerce_orders", _("WooCommerce orders")
    TAOBAO_ORDERS = "taobao_orders", _("Taobao orders")
    TAOBAO_ITEMS = "taobao_items", _("Taobao order items")
    YOUZAN_ORDERS = "youzan_orders", _("Youzan orders")
    MAPPED = "mapped", _("Columns mapped by hand")


class PlaceKind(models.TextChoices):
    FOLDER = "folder", _("Folder on this server")
    SFTP = "sftp", _("SFTP server")
    HTTPS = "https", _("Signed https address")


class FetchOutcome(models.TextChoices):
    TAKEN = "taken", _("New files taken")
    NOTHING_NEW = "nothing_new", _("Nothing new")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class FileRefusal(models.TextChoices):
    HEADER = "header", _("Refused: another header")
    UNREADABLE = "unreadable", _("Refused: it cannot be read")


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Uploaded")
    CHECKED = "checked", _("Tried out")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    UNDONE = "undone", _("Undone")


class ExportKind(models.TextChoices):
    CUSTOMERS = "customers", _("Customers")
    ORDERS = "orders", _("Orders")
    LINES = "lines", _("Order lines")
    PRODUCTS = "products", _("Products")
    CATEGORIES = "categories", _("Categories")
    REFUNDS = "refunds", _("Refunds")
    REVIEWS = "reviews", _("Reviews")
    ANSWERS = "answers", _("Survey answers")
    TICKETS = "tickets", _("Tickets")
    CONSENTS = "consents", _("Consent log")


class FileFormat(models.TextChoices):
    CSV = "csv", _("CSV")
    XLSX = "xlsx", _("XLSX")
    PARQUET = "parquet", _("Parquet")


class ListOf(models.TextChoices):
    """Whose filters narrow a list."""

    API = "api", _("REST")
    ADMIN = "admin", _("Web admin")


class ExportState(models.TextChoices):
    RUNNING = "running", _("Being written")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")


ANSWER_KINDS = ("review", "csat", "nps", "ces")
"""How the kinds of answers are numbered in ``CustomerDays``; append only."""


class BulkKind(models.TextChoices):
    TAG = "tag", _("Add a tag")
    UNTAG = "untag", _("Remove a tag")
