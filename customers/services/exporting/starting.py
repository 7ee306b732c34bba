"""Ask for a file: check what can be known before, store the wish, create its job."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.core.services import jobs
from crm.core.services.audit import record_audit
from customers.connectors.tables.writing import MOST_ROWS, UnwritableError
from customers.connectors.tables.writing.workbook import too_many_rows
from customers.enums import ExportKind, FileFormat, ListOf
from customers.errors import ExportRefusedError, SeveralSourcesError
from customers.models import Export, Source
from customers.selectors.contacts import may_see_contacts
from customers.selectors.exporting import KINDS, exportable, sources_of, without_people

KIND = "customers.export"


def start_export(
    *,
    kind: str,
    format: str,
    source: Source,
    rows: QuerySet[Any],
    filters: Mapping[str, Any],
    filtered_by: ListOf,
    user_id: int,
    api_key_id: int | None = None,
    request_id: str = "",
) -> Export:
    """Store the wish for a list's rows of one source and create its job; the caller queues it.

    ``rows`` is the list now, ``filters`` makes it again in the worker. Raises ExportRefusedError
    when such a file cannot hold so many rows. Contacts are masked in the file of whoever may not
    see them.
    """
    wanted, written = ExportKind(kind), FileFormat(format)
    user = get_user_model().objects.get(pk=user_id)
    _refuse_too_many(exportable(KINDS[wanted], rows, source), written)
    with transaction.atomic():
        export = _store(
            Export(
                kind=wanted,
                format=written,
                source=source,
                filters=dict(filters),
                filtered_by=filtered_by,
                created_by_id=user_id,
                shows_contacts=may_see_contacts(user),
            )
        )
        record_audit(
            actor_id=user_id,
            api_key_id=api_key_id,
            request_id=request_id,
            action="export.started",
            object_type="customers.export",
            object_id=export.public_id,
            details=audit_details(export),
        )
    return export


def one_source(*, kind: str, rows: QuerySet[Any], among: QuerySet[Source] | None = None) -> Source:
    """Return the one source, ``among`` some, a list's rows are of; of an empty list the first.

    Raises SeveralSourcesError that names them, and ExportRefusedError when the shop has none.
    """
    sources = Source.objects.all() if among is None else among
    found = sources_of(KINDS[ExportKind(kind)], rows, sources)
    if len(found) > 1:
        raise SeveralSourcesError(
            _("These rows are of several sources. Choose one by the filter “source”: %(names)s.")
            % {"names": ", ".join(source.key for source in found)}
        )
    source = found[0] if found else sources.order_by("pk").first()
    if source is None:
        raise ExportRefusedError(_("There is nothing to export yet: no source has given rows."))
    return source


def _store(export: Export) -> Export:
    """Store a wish with its job."""
    export.save()
    export.refresh_from_db(fields=["public_id", "created_at"])
    export.job, _created = jobs.create_job(
        kind=KIND,
        title=f"Export of {export.kind} as {export.format}",
        parameters={
            "export": export.pk,
            "kind": str(export.kind),
            "format": str(export.format),
        },
        user_id=export.created_by_id,
    )
    export.save(update_fields=["job", "updated_at"])
    return export


def audit_details(export: Export) -> dict[str, Any]:
    """Return what the audit log keeps of an export; nobody's name or contact stays in it."""
    return {
        "kind": export.kind,
        "format": export.format,
        "source": export.source.key,
        "filters": without_people(export.filters),
        "shows_contacts": export.shows_contacts and KINDS[export.kind].names_people,
    }


def _refuse_too_many(rows: QuerySet[Any], format: FileFormat) -> None:
    most = MOST_ROWS.get(format)
    if most is None:
        return
    if rows.order_by().values_list("pk")[: most + 1].count() > most:
        raise refusal(too_many_rows())


def refusal(error: UnwritableError) -> ExportRefusedError:
    """Return the refusal that staff read."""
    return ExportRefusedError(str(error))
