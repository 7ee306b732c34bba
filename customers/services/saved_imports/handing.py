"""Hand a fetched file over to the usual import, or stop because its header is another."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files import File
from django.urls import reverse

from crm.core.enums import AlertSeverity
from crm.core.models import Alert
from crm.core.services.alerts import raise_alert, resolve_alert
from customers.connectors import tables
from customers.enums import FileRefusal, ImportFormat
from customers.errors import HeaderChangedError, UnknownFormatError, UnreadableFileError
from customers.models import ImportBatch, SavedImport, SavedImportFile
from customers.selectors.alert_words import reason_words
from customers.services.importing import formats
from customers.services.importing.starting import fingerprint, receive_file
from customers.services.saved_imports.changes import header_change
from customers.services.saved_imports.places import stopped_key, unreadable_key


def hand_over(
    saved: SavedImport, file: SavedImportFile, path: Path, *, now: datetime
) -> HeaderChangedError | None:
    """Store a file as an import that waits for its turn, read as the saved one was.

    With another header nothing of it is brought in: the saved import is stopped, an alert names
    the columns, and the file waits to be looked at. What is no table is refused by an alert of
    its own, and stands in no other file's way.
    """
    try:
        header = tables.read_layout(path).names
    except UnreadableFileError as error:
        file.refusal = FileRefusal.UNREADABLE
        _tell_unreadable(saved, file.name, error, now=now)
        return None
    if fingerprint(header) == saved.fingerprint and _is_read_alike(header, saved):
        mapping = saved.mapping if saved.format == ImportFormat.MAPPED else None
        file.batch = _receive(saved, file, path, mapping, now)
        _forget_unreadable(saved, file.name, now=now)
        return None
    file.refusal = FileRefusal.HEADER
    # A kind of file that suffers no strange column is not even kept.
    with suppress(UnknownFormatError):
        file.batch = _receive(saved, file, path, None, now)
    return _stop(saved, file.name, header, now=now)


def _receive(
    saved: SavedImport,
    file: SavedImportFile,
    path: Path,
    mapping: dict[str, Any] | None,
    now: datetime,
) -> ImportBatch:
    with path.open("rb") as content:
        return receive_file(
            file=File(content),
            filename=file.name,
            source_key=saved.source.key,
            user_id=saved.created_by_id,
            now=now,
            mapping=mapping,
            options=saved.options,
        )


def _is_read_alike(header: list[str], saved: SavedImport) -> bool:
    """Tell whether a header is still recognised as the format that was saved."""
    if saved.format == ImportFormat.MAPPED:
        return True
    try:
        return formats.recognise(header) == saved.format
    except UnknownFormatError:
        return False


def _tell_unreadable(
    saved: SavedImport, filename: str, error: UnreadableFileError, *, now: datetime
) -> None:
    raise_alert(
        key=unreadable_key(saved),
        code="saved_import_unreadable",
        severity=AlertSeverity.ERROR,
        parameters={"name": saved.name, "file": filename, "error": error.message},
        link=reverse("admin:customers_savedimport_change", args=[saved.pk]),
        now=now,
    )


def _forget_unreadable(saved: SavedImport, filename: str, *, now: datetime) -> None:
    """Take the alert back once the file it names has come in a form that can be read."""
    key = unreadable_key(saved)
    if Alert.objects.open().filter(key=key, parameters__file=filename).exists():
        resolve_alert(key=key, now=now)


def _stop(
    saved: SavedImport, filename: str, header: list[str], *, now: datetime
) -> HeaderChangedError:
    change = header_change(saved.header, header)
    code = "header_changed" if any(change.values()) else "format_changed"
    reason = {"code": code, "parameters": {"file": filename, **change}}
    SavedImport.objects.filter(pk=saved.pk).update(
        is_active=False, stopped_reason=reason, updated_at=now
    )
    raise_alert(
        key=stopped_key(saved),
        code="saved_import_stopped",
        severity=AlertSeverity.ERROR,
        parameters={"name": saved.name, "reason": reason},
        link=reverse("admin:customers_savedimport_change", args=[saved.pk]),
        now=now,
    )
    return HeaderChangedError(reason_words(reason))
