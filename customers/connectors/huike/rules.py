"""What the cells of one row may not say against each other: “column: phrase”, or nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from customers.connectors.huike.cells import MOST_MONEY

Rule = Callable[[Mapping[str, Any]], str]
KEYS = ("customer_id", "email", "phone")
RANGES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def of_none(_values: Mapping[str, Any]) -> str:
    """Find nothing."""
    return ""


def of_customer(values: Mapping[str, Any]) -> str:
    """Ask for a key of the customer, and hold consent to its evidence and its time."""
    if not any(name in KEYS or ":" in name for name in values if not name.startswith("attribute:")):
        return "customer_id: " + gettext_noop("empty")
    says = "consent_email" in values or "consent_sms" in values
    if says and "consent_evidence" not in values:
        return "consent_evidence: " + gettext_noop("without evidence there is no consent")
    if says and "consent_at" not in values:
        return "consent_at: " + gettext_noop("say when it was given or withdrawn")
    return ""


def of_order(values: Mapping[str, Any]) -> str:
    """Hold a cancellation to its time, and refunds to what was paid."""
    refunded = Decimal(values.get("refunded_amount", 0))
    if values.get("status") == "cancelled" and "cancelled_at" not in values:
        return "cancelled_at: " + gettext_noop("a cancelled order needs the time")
    if refunded and "refunded_at" not in values:
        return "refunded_at: " + gettext_noop("a refund needs its time")
    if refunded > Decimal(values["total"]):
        return "refunded_amount: " + gettext_noop("more than was paid")
    return ""


def of_line(values: Mapping[str, Any]) -> str:
    """Hold amounts to their signs, and what came back to what was bought."""
    quantity, price = values["quantity"], Decimal(values["unit_price"])
    amount = Decimal(values.get("amount", quantity * price))
    is_discount = values.get("kind") == "discount"
    back = values.get("refunded_quantity", 0)
    refunded = Decimal(values.get("refunded_amount", 0))
    if (price < 0 or amount < 0) and not is_discount:
        return "unit_price: " + gettext_noop("only a discount may be negative")
    if abs(amount) >= MOST_MONEY:
        return "unit_price: " + gettext_noop("the amount is out of range")
    if back > quantity:
        return "refunded_quantity: " + gettext_noop("more than was bought")
    if refunded > max(amount, Decimal(0)):
        return "refunded_amount: " + gettext_noop("more than was paid")
    if (back or refunded) and "refunded_at" not in values:
        return "refunded_at: " + gettext_noop("a refund needs its time")
    return ""


def of_category(values: Mapping[str, Any]) -> str:
    """Refuse a category that lies on itself."""
    if values.get("parent_id") == values["category_id"]:
        return "parent_id: " + gettext_noop("a category cannot lie on itself")
    return ""


def of_refund(values: Mapping[str, Any]) -> str:
    """Keep the ids free that the orders' and lines' own refund columns give out."""
    if values["refund_id"].endswith("|order") or "|line|" in values["refund_id"]:
        return "refund_id: " + gettext_noop("such an id is that of an order's own refund column")
    return ""


def of_answer(values: Mapping[str, Any]) -> str:
    """Hold an answer to the scale of its question."""
    least, most = RANGES[values["metric"]]
    if not least <= values["value"] <= most:
        return "value: " + gettext_noop("not on the scale of this question")
    return ""


def of_ticket(values: Mapping[str, Any]) -> str:
    """Hold a closed ticket to its time."""
    closed_at = values.get("closed_at")
    if values.get("state") == "closed" and closed_at is None:
        return "closed_at: " + gettext_noop("a closed ticket needs the time")
    if closed_at and datetime.fromisoformat(closed_at) < datetime.fromisoformat(
        values["opened_at"]
    ):
        return "closed_at: " + gettext_noop("closed before it was opened")
    return ""


def of_consent(values: Mapping[str, Any]) -> str:
    """Ask for the customer whose consent it is."""
    if not {"customer_id", "email", "phone"} & values.keys():
        return "customer_id: " + gettext_noop("say whose consent it is")
    return ""
