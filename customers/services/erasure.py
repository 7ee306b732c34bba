"""Erase a person on request: money stays, the person goes."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.registry import registry
from crm.core.services.audit import record_audit
from customers.enums import Channel, IdentityKind, Lifecycle, SuppressionReason
from customers.errors import InvalidIdentityError, MergeRefusedError
from customers.models import Customer, Identity
from customers.services.consent import suppress
from customers.services.facts import mark_dirty
from customers.services.importing.changes import scrub_changes
from customers.services.references import scrub_history


def erase_customer(*, customer_id: int, user_id: int | None, now: datetime) -> None:
    """Anonymise a customer everywhere, history included; known addresses are suppressed first.

    Orders stay, without a name. Raises MergeRefusedError for an erased customer.
    """
    with transaction.atomic():
        customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)
        if customer.lifecycle == Lifecycle.ERASED:
            raise MergeRefusedError(_("This customer was erased already."))
        for profile in _with_merged_profiles(customer):
            _erase_profile(profile, now)
        record_audit(
            actor_id=user_id,
            action="customer.erased",
            object_type="customer",
            object_id=customer.public_id,
            details={},
            request_id="",
        )


def _with_merged_profiles(customer: Customer) -> list[Customer]:
    """Return the customer and every profile merged into them, directly or through others."""
    found = [customer]
    for profile in found:
        found += Customer.objects.filter(merged_into=profile).exclude(lifecycle=Lifecycle.ERASED)
    return found


def _erase_profile(customer: Customer, now: datetime) -> None:
    _suppress_addresses(customer, now)
    for handler in registry.reference_handlers:
        handler.erase(customer.pk)
    Customer.objects.filter(pk=customer.pk).update(
        lifecycle=Lifecycle.ERASED,
        external_id=None,
        name="",
        email="",
        phone="",
        city="",
        zone="",
        birthday=None,
        attributes={},
        updated_at=now,
    )
    scrub_history(customer.pk)
    scrub_changes(customer.pk)
    mark_dirty([customer.pk])


def _suppress_addresses(customer: Customer, now: datetime) -> None:
    addresses = {(Channel.EMAIL, customer.email), (Channel.SMS, customer.phone)}
    channels = {IdentityKind.EMAIL: Channel.EMAIL, IdentityKind.PHONE: Channel.SMS}
    for kind, value in Identity.objects.filter(
        customer=customer, kind__in=list(channels)
    ).values_list("kind", "value"):
        addresses.add((channels[IdentityKind(kind)], value))
    for channel, address in sorted(addresses):
        if not address:
            continue
        try:
            suppress(channel=channel, address=address, reason=SuppressionReason.ERASED, now=now)
        except InvalidIdentityError:
            # What is no address can reach nobody; it must not keep the person from being erased.
            continue
