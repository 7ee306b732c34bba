"""Take down what a back office says, and what files told of and the record did not take."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.errors import InvalidTotalError
from customers.models import Reconciliation


def state_total(
    *, source_id: int, month: date, currency: str, stated: Decimal, zone: str, user_id: int | None
) -> Reconciliation:
    """Store a month's total of a source's back office; a later word replaces an earlier one.

    Raises InvalidTotalError for a zone or currency that does not exist, or a negative total.
    """
    code = currency.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise InvalidTotalError(_("“%(code)s” is no currency; write EUR or CNY.") % {"code": code})
    if zone not in available_timezones():
        raise InvalidTotalError(
            _("“%(zone)s” is no time zone; write Asia/Shanghai or Europe/Berlin.") % {"zone": zone}
        )
    if not stated.is_finite() or stated < 0:
        raise InvalidTotalError(_("The total must be zero or more."))
    with transaction.atomic():
        row, created = Reconciliation.objects.update_or_create(
            source_id=source_id,
            month=month.replace(day=1),
            currency=code,
            defaults={"stated": stated, "zone": zone, "entered_by_id": user_id},
        )
        details: dict[str, Any] = {"month": f"{row.month:%Y-%m}", "stated": str(stated)}
        record_audit(
            actor_id=user_id,
            action="reconciliation.stated" if created else "reconciliation.changed",
            object_type="customers.reconciliation",
            object_id=row.public_id,
            details=details,
        )
    row.refresh_from_db()
    return row
