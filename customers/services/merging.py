"""Make two profiles one, and two again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.registry import registry
from crm.core.services.audit import record_audit
from customers.enums import Lifecycle
from customers.errors import MergeRefusedError, UnmergeRefusedError
from customers.models import Customer, MergeRecord
from customers.services.facts import mark_dirty


def merge_customers(
    *, source_id: int, target_id: int, user_id: int | None, now: datetime
) -> MergeRecord:
    """Move everything of one to the other; raises MergeRefusedError unless both are active."""
    with transaction.atomic():
        source, target = _locked(source_id, target_id)
        if source.pk == target.pk:
            raise MergeRefusedError(_("A customer cannot be merged with themselves."))
        for customer in (source, target):
            if customer.lifecycle != Lifecycle.ACTIVE:
                raise MergeRefusedError(
                    _("%(name)s was merged or erased already.") % {"name": customer}
                )
        moved = {
            handler.key: handler.merge(source_id, target_id)
            for handler in registry.reference_handlers
        }
        source.lifecycle = Lifecycle.MERGED
        source.merged_into = target
        source.save(update_fields=["lifecycle", "merged_into", "updated_at"])
        mark_dirty([source_id, target_id])
        record = MergeRecord.objects.create(
            source_customer=source,
            target_customer=target,
            moved=moved,
            merged_at=now,
            merged_by_id=user_id,
        )
        record.refresh_from_db(fields=["public_id"])
        _record("customer.merged", record, user_id)
    return record


def unmerge_customers(*, merge_id: int, now: datetime, user_id: int | None = None) -> MergeRecord:
    """Give back exactly what a merge moved; what came to the kept profile since stays there.

    Raises UnmergeRefusedError, and changes nothing, when a moved row has gone or a profile was
    merged on or erased.
    """
    with transaction.atomic():
        record = MergeRecord.objects.select_for_update().get(pk=merge_id)
        source, target = _locked(record.source_customer_id, record.target_customer_id)
        if record.unmerged_at:
            raise UnmergeRefusedError(_("These profiles were parted already."))
        if source.lifecycle != Lifecycle.MERGED or target.lifecycle != Lifecycle.ACTIVE:
            raise UnmergeRefusedError(
                _("One of the two profiles was merged on or erased: part that first.")
            )
        for handler in registry.reference_handlers:
            handler.unmerge(source.pk, target.pk, record.moved.get(handler.key))
        source.lifecycle = Lifecycle.ACTIVE
        source.merged_into = None
        source.save(update_fields=["lifecycle", "merged_into", "updated_at"])
        record.unmerged_at = now
        record.save(update_fields=["unmerged_at"])
        mark_dirty([source.pk, target.pk])
        _record("customer.unmerged", record, user_id)
    return record


def _record(action: str, record: MergeRecord, user_id: int | None) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customer",
        object_id=record.target_customer.public_id,
        details={"merge": record.public_id, "other": record.source_customer.public_id},
    )


def _locked(source_id: int, target_id: int) -> tuple[Customer, Customer]:
    """Lock both rows in one order, so that two merges cannot wait for each other."""
    rows = Customer.objects.select_for_update(of=("self",)).in_bulk(sorted({source_id, target_id}))
    return rows[source_id], rows[target_id]
