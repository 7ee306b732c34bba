"""Tables of the record."""

from customers.models.consent import Consent, Suppression
from customers.models.customer import Attribute, Customer, Identity, MergeRecord
from customers.models.days import CustomerDays
from customers.models.export import Export
from customers.models.facts import CustomerFacts, FactsMark
from customers.models.importing import ImportBatch, ImportChange, ImportMapping, ImportRow
from customers.models.interaction import Interaction
from customers.models.order import Order, OrderLine, Refund
from customers.models.product import Category, Product
from customers.models.reconciliation import Reconciliation, RejectedOrder
from customers.models.role import RoleSource
from customers.models.saved_import import SavedImport, SavedImportFile
from customers.models.shop import ExchangeRate, ShopSettings, Source
from customers.models.tag import BulkAction, BulkPart, CustomerTag, Tag
from customers.models.task import Task
from customers.models.voice import Review, SurveyResponse, Ticket, TicketMessage

__all__ = [
    "Attribute",
    "BulkAction",
    "BulkPart",
    "Category",
    "Consent",
    "Customer",
    "CustomerDays",
    "CustomerFacts",
    "CustomerTag",
    "ExchangeRate",
    "Export",
    "FactsMark",
    "Identity",
    "ImportBatch",
    "ImportChange",
    "ImportMapping",
    "ImportRow",
    "Interaction",
    "MergeRecord",
    "Order",
    "OrderLine",
    "Product",
    "Reconciliation",
    "Refund",
    "RejectedOrder",
    "Review",
    "RoleSource",
    "SavedImport",
    "SavedImportFile",
    "ShopSettings",
    "Source",
    "Suppression",
    "SurveyResponse",
    "Tag",
    "Task",
    "Ticket",
    "TicketMessage",
]
