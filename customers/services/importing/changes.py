"""What an import does to the record is written down while it does it, for some weeks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from customers.models import ImportBatch, ImportChange

SETTING = "huike.import_batch"
ERASED = "{}"
"""What a row was before, once its customer has been erased."""
# Orders stay after an erasure, without a name; of everything else nothing may come back.
_KEPT_AT_ERASURE = ("customers_order",)
_SCRUB = """
    UPDATE customers_importchange SET before = %(erased)s::jsonb
    WHERE before IS NOT NULL AND table_name <> ALL(%(kept)s)
        AND ((table_name = 'customers_customer' AND row_id = %(customer)s)
            OR before ->> 'customer_id' = %(customer)s::text)
"""


@contextmanager
def recorded(batch_id: int) -> Iterator[None]:
    """Let the tables' triggers write down what the block does; it lies within a transaction.

    An exception takes the setting back together with the block's rows.
    """
    _set(str(batch_id))
    yield
    _set("")


def scrub_changes(customer_id: int) -> None:
    """Forget what rows of an erased customer were before imports changed them.

    The undo of such an import is refused from then on.
    """
    values: dict[str, Any] = {
        "erased": ERASED,
        "kept": list(_KEPT_AT_ERASURE),
        "customer": customer_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SCRUB, values)


def kept_until(batch: ImportBatch) -> datetime:
    """Return until when what an import changed is kept."""
    return batch.created_at + timedelta(days=settings.IMPORT_UNDO_DAYS)


def prune_changes(*, now: datetime, limit: int = 100) -> int:
    """Drop the changes of imports that are too old to be undone; return how many imports."""
    before = now - timedelta(days=settings.IMPORT_UNDO_DAYS)
    with transaction.atomic():
        old = list(
            ImportBatch.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(keeps_changes=True, created_at__lt=before)
            .order_by("pk")
            .values_list("pk", flat=True)[:limit]
        )
        ImportChange.objects.filter(batch_id__in=old).delete()
        ImportBatch.objects.filter(pk__in=old).update(keeps_changes=False)
    return len(old)


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
