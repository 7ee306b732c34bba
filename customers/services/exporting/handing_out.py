"""Hand a file out to who may have it, on record, until it expires; then remove it."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.enums import ExportState
from customers.errors import ExportExpiredError, ExportStateError
from customers.models import Export
from customers.selectors.exporting import without_people
from customers.services.exporting import folders
from customers.services.exporting.starting import audit_details


def hand_out(
    *,
    export_id: int,
    user_id: int | None,
    now: datetime,
    api_key_id: int | None = None,
    request_id: str = "",
) -> Export:
    """Count a download and write it down; the caller has checked the permission and sends the file.

    Raises ExportExpiredError behind its last day and ExportStateError when there is no file yet.
    """
    with transaction.atomic():
        export = (
            Export.objects.select_for_update(of=("self",))
            .select_related("source")
            .get(pk=export_id)
        )
        _refuse_without_file(export, now)
        Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
        record_audit(
            actor_id=user_id,
            api_key_id=api_key_id,
            action="export.downloaded",
            object_type="customers.export",
            object_id=export.public_id,
            details={**audit_details(export), "rows": export.rows},
            request_id=request_id,
        )
    return export


def expire_exports(*, now: datetime, limit: int = 500) -> int:
    """Remove files past their last day, and what dead workers left; return how many expired."""
    with transaction.atomic():
        old = list(
            Export.objects.select_for_update(skip_locked=True)
            .filter(state=ExportState.READY, expires_at__lte=now)
            .order_by("pk")[:limit]
        )
        for export in old:
            export.state, export.file = ExportState.EXPIRED, ""
            export.filters = without_people(export.filters)
            export.save(update_fields=["state", "file", "filters", "updated_at"])
    _sweep()
    return len(old)


def _sweep() -> None:
    """Remove the folders of exports that have ended, or that nobody knows."""
    found = folders.public_ids()
    living = Export.objects.filter(
        public_id__in=found, state__in=[ExportState.RUNNING, ExportState.READY]
    )
    for public_id in set(found) - set(living.values_list("public_id", flat=True)):
        folders.remove_folder(public_id)


def _refuse_without_file(export: Export, now: datetime) -> None:
    is_over = export.expires_at is not None and export.expires_at <= now
    if export.state == ExportState.EXPIRED or (export.state == ExportState.READY and is_over):
        raise ExportExpiredError(_("This file has expired and was removed. Export the list again."))
    if export.state != ExportState.READY:
        raise ExportStateError(
            _("There is no file: the export is “%(state)s”.")
            % {"state": export.get_state_display()}
        )
