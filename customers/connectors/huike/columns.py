"""The columns of Huike's own files, kind by kind.

They are told to users in ``docs/importing.md``; a test holds both together.
"""

from dataclasses import dataclass
from functools import partial

from customers.connectors.huike import cells, rules
from customers.connectors.huike.cells import MOST_INTEGER, Read
from customers.connectors.huike.rules import Rule

# The record's own words; a test holds them to its enums.
STATUSES = frozenset({"pending", "paid", "shipped", "completed", "cancelled"})
LINE_KINDS = frozenset({"product", "charge", "discount"})
REFUND_KINDS = frozenset({"return", "refund_only", "cancellation"})
METRICS = frozenset(rules.RANGES)
TICKET_STATES = frozenset({"open", "waiting", "closed"})
CHANNELS = frozenset({"email", "sms", "phone", "post", "messenger"})
ACTIONS = frozenset({"given", "withdrawn"})

INSTANT = "instant"
EMAIL = "email"
PHONE = "phone"


@dataclass(frozen=True)
class Column:
    """A column: how its cells are read; ``read`` may name a reader that the caller supplies.

    A required column must be in the header; each of its cells must be filled, or the kind's rule
    says when it may be empty.
    """

    name: str
    read: Read | str
    is_required: bool = False
    may_be_empty: bool = False


class Columns(dict[str, Column]):
    """The columns of one kind of row, by name.

    ``rule`` says what cells of a row say against each other. An open kind also takes columns of
    custom attributes and of ids that someone else gave out.
    """

    def __init__(
        self,
        *given: tuple[str, Read | str],
        required: tuple[str, ...],
        may_be_empty: tuple[str, ...] = (),
        rule: Rule = rules.of_none,
        is_open: bool = False,
    ) -> None:
        super().__init__(
            (name, Column(name, read, name in required, name in may_be_empty))
            for name, read in given
        )
        self.rule = rule
        self.is_open = is_open

    @property
    def required(self) -> list[str]:
        """Return the names of the columns that must be there and filled."""
        return [column.name for column in self.values() if column.is_required]


_KEY = cells.key
_AMOUNT = cells.amount_from_zero
_FLAG = cells.flag
_ACTION = partial(cells.one_of, ACTIONS)


def _text(most: int) -> Read:
    return partial(cells.text_up_to, most)


CUSTOMERS = Columns(
    ("customer_id", _KEY),
    ("name", _text(200)),
    ("email", EMAIL),
    ("phone", PHONE),
    ("country", _text(64)),
    ("city", _text(120)),
    ("language", _text(16)),
    ("time_zone", cells.time_zone),
    ("birthday", cells.day),
    ("is_test", _FLAG),
    ("is_wholesale", _FLAG),
    ("consent_email", _ACTION),
    ("consent_sms", _ACTION),
    ("consent_at", INSTANT),
    ("consent_evidence", _text(1000)),
    ("updated_at", INSTANT),
    required=("customer_id",),
    may_be_empty=("customer_id",),
    rule=rules.of_customer,
    is_open=True,
)
ORDERS = Columns(
    ("order_id", _KEY),
    ("customer_id", _KEY),
    ("customer_name", _text(200)),
    ("email", EMAIL),
    ("phone", PHONE),
    ("placed_at", INSTANT),
    ("status", partial(cells.one_of, STATUSES)),
    ("currency", cells.currency),
    ("total", _AMOUNT),
    ("charges", _AMOUNT),
    ("shop_discount", _AMOUNT),
    ("platform_discount", _AMOUNT),
    ("tax", _AMOUNT),
    ("platform_fee", _AMOUNT),
    ("shipping_cost", _AMOUNT),
    ("deposit", _AMOUNT),
    ("deposit_paid_at", INSTANT),
    ("paid_at", INSTANT),
    ("promised_at", INSTANT),
    ("delivered_at", INSTANT),
    ("cancelled_at", INSTANT),
    ("refunded_amount", _AMOUNT),
    ("refunded_at", INSTANT),
    ("country", _text(64)),
    ("is_test", _FLAG),
    ("updated_at", INSTANT),
    required=("order_id", "placed_at", "total"),
    rule=rules.of_order,
)
LINES = Columns(
    ("order_id", _KEY),
    ("line_id", _KEY),
    ("kind", partial(cells.one_of, LINE_KINDS)),
    ("sku", _KEY),
    ("title", _text(400)),
    ("category", _text(120)),
    ("quantity", partial(cells.count, 1)),
    ("unit_price", cells.price),
    ("amount", cells.amount),
    ("unit_cost", cells.price_from_zero),
    ("refunded_quantity", partial(cells.count, 0)),
    ("refunded_amount", _AMOUNT),
    ("refunded_at", INSTANT),
    required=("order_id", "line_id", "sku", "quantity", "unit_price"),
    rule=rules.of_line,
)
PRODUCTS = Columns(
    ("sku", _KEY),
    ("title", _text(400)),
    ("category", _text(120)),
    ("brand", _text(120)),
    ("price", cells.price_from_zero),
    ("currency", cells.currency),
    ("unit_cost", cells.price_from_zero),
    ("stock", partial(cells.count, -MOST_INTEGER)),
    ("is_active", _FLAG),
    ("updated_at", INSTANT),
    required=("sku",),
)
CATEGORIES = Columns(
    ("category_id", _KEY),
    ("name", _text(200)),
    ("parent_id", _KEY),
    required=("category_id", "name"),
    rule=rules.of_category,
)
REFUNDS = Columns(
    ("refund_id", _KEY),
    ("order_id", _KEY),
    ("sku", _KEY),
    ("quantity", partial(cells.count, 0)),
    ("amount", _AMOUNT),
    ("currency", cells.currency),
    ("kind", partial(cells.one_of, REFUND_KINDS)),
    ("refunded_at", INSTANT),
    ("customer_id", _KEY),
    required=("refund_id", "amount", "refunded_at"),
    rule=rules.of_refund,
)
REVIEWS = Columns(
    ("review_id", _KEY),
    ("customer_id", _KEY),
    ("email", EMAIL),
    ("phone", PHONE),
    ("sku", _KEY),
    ("order_id", _KEY),
    ("rating", partial(cells.count, 1, most=5)),
    ("text", _text(20_000)),
    ("written_at", INSTANT),
    required=("review_id", "written_at"),
)
ANSWERS = Columns(
    ("answer_id", _KEY),
    ("customer_id", _KEY),
    ("email", EMAIL),
    ("phone", PHONE),
    ("order_id", _KEY),
    ("metric", partial(cells.one_of, METRICS)),
    ("value", partial(cells.count, 0)),
    ("comment", _text(20_000)),
    ("answered_at", INSTANT),
    required=("answer_id", "metric", "value", "answered_at"),
    rule=rules.of_answer,
)
TICKETS = Columns(
    ("ticket_id", _KEY),
    ("customer_id", _KEY),
    ("email", EMAIL),
    ("phone", PHONE),
    ("order_id", _KEY),
    ("subject", _text(300)),
    ("body", _text(50_000)),
    ("state", partial(cells.one_of, TICKET_STATES)),
    ("opened_at", INSTANT),
    ("closed_at", INSTANT),
    required=("ticket_id", "subject", "opened_at"),
    rule=rules.of_ticket,
)
CONSENTS = Columns(
    ("customer_id", _KEY),
    ("email", EMAIL),
    ("phone", PHONE),
    ("channel", partial(cells.one_of, CHANNELS)),
    ("topic", _text(48)),
    ("action", _ACTION),
    ("at", INSTANT),
    ("evidence", _text(1000)),
    required=("channel", "action", "at", "evidence"),
    rule=rules.of_consent,
)
