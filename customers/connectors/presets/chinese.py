"""What exports of Chinese platforms have in common: local time, yuan, mobiles, masked people."""

import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.values import CellError, MaskedError, Rules

RULES: dict[str, Any] = {"zone": "Asia/Shanghai", "currency": "CNY", "region": "CN"}
VIRTUAL = re.compile(r"\d{11}\s*(?:-|转|#|,)\s*\d{1,6}")
VIRTUAL_NUMBER = gettext_noop("a number lent for this delivery only is no key")


def mobile(cell: str, rules: Rules) -> str:
    """Return a phone; masked ones and numbers lent for one delivery are no keys."""
    if VIRTUAL.fullmatch(values.clean(cell)):
        raise MaskedError(VIRTUAL_NUMBER)
    try:
        return values.phone(cell, rules)
    except MaskedError:
        raise
    except CellError as error:
        raise MaskedError(str(error)) from None


def paid_at_first(due: Decimal, paid: Decimal, refunded: Decimal) -> Decimal:
    """Return what the customer paid before anything went back.

    Taobao's “paid” is what is left after refunds; files in which it is not are told by their sum,
    which then exceeds what was due. Where nothing is settled yet, what was due counts.
    """
    if not paid and not refunded:
        return due
    return paid + refunded if paid + refunded <= due else max(paid, refunded)
