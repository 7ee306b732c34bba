"""Show one masked contact to who gives a reason, on record."""

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.errors import NoContactError, ReasonMissingError
from customers.models import Customer
from customers.selectors.contacts import contact_value, mask_text

LONGEST_REASON = 200


def reveal_contact(*, customer_id: int, field: str, reason: str, user_id: int) -> str:
    """Return one contact of a customer and write down who asked for it, and why.

    ``field`` is “email”, “phone” or “identity-<id>”; the caller has checked the permission. Raises
    ReasonMissingError without a reason and NoContactError when there is nothing to show.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise ReasonMissingError(_("Say why you need it: the reason is written down."))
    with transaction.atomic():
        customer = Customer.objects.get(pk=customer_id)
        value = contact_value(customer, field)
        if not value:
            raise NoContactError(_("There is nothing to show."))
        record_audit(
            actor_id=user_id,
            action="customer.contact_shown",
            object_type="customer",
            object_id=customer.public_id,
            # The log outlives the person's erasure: no contact gets into it with the reason.
            details={"field": field, "reason": mask_text(reason)},
        )
    return value
