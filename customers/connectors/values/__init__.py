"""Read foreign cells by a locale's rules: text in, canonical text out, or a phrase saying why not.

Canonical is what ``connectors/huike.py`` parses: ISO instants with an offset, plain decimals,
phones in E.164, ``true`` and ``false``, the record's own statuses. Nothing here knows columns.
"""

from customers.connectors.huike import CellError
from customers.connectors.values.dates import day, instant, moment
from customers.connectors.values.guessing import Explanation, guess_rules, unknown_statuses
from customers.connectors.values.keys import MaskedError, article, email, key, masked_text, phone
from customers.connectors.values.money import amount, count, currency, money
from customers.connectors.values.rules import Rules
from customers.connectors.values.words import clean, flag, is_empty, status, text

__all__ = [
    "CellError",
    "Explanation",
    "MaskedError",
    "Rules",
    "amount",
    "article",
    "clean",
    "count",
    "currency",
    "day",
    "email",
    "flag",
    "guess_rules",
    "instant",
    "is_empty",
    "key",
    "masked_text",
    "moment",
    "money",
    "phone",
    "status",
    "text",
    "unknown_statuses",
]
