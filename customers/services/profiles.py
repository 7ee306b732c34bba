"""What every change of one profile by hand begins with."""

from django.utils.translation import gettext as _

from customers.enums import Lifecycle
from customers.errors import ProfileClosedError
from customers.models import Customer


def locked_profile(customer_id: int) -> Customer:
    """Lock a profile for the caller's transaction; raises ProfileClosedError unless it is active.

    What is added to a profile must not cross with its merge or its erasure.
    """
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)
    if customer.lifecycle != Lifecycle.ACTIVE:
        raise ProfileClosedError(
            _("This profile was merged or erased: nothing is added to it any more.")
        )
    return customer
