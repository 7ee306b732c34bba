"""Save an import to be run daily, change it, pause it and start it again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.alerts import resolve_alert
from crm.core.services.audit import record_audit
from crm.core.services.sealing import seal
from customers.connectors import places
from customers.enums import FileRefusal, ImportState, PlaceKind
from customers.errors import InvalidSavedImportError, SavedImportStateError
from customers.models import ImportBatch, SavedImport, SavedImportFile
from customers.services.importing.starting import fingerprint
from customers.services.saved_imports.places import alert_keys

SAVABLE = (ImportState.FINISHED, ImportState.CHECKED)


@dataclass(frozen=True)
class Where:
    """Where and when a saved import looks; an empty ``secret`` leaves the one that is held."""

    name: str
    place: str
    folder: str = ""
    pattern: str = "*.csv"
    host: str = ""
    port: int = 22
    username: str = ""
    secret: str = ""
    hour: int = 5
    missing_days: int = 2


def save_import(*, batch_id: int, where: Where, user_id: int | None, now: datetime) -> SavedImport:
    """Run imports like this one every day.

    Raises InvalidSavedImportError, PlaceError and SavedImportStateError.
    The import must have been brought in or tried out, so that its columns are known to be right.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_related("source").get(pk=batch_id)
        saved = SavedImport(
            source=batch.source, active_since=now, created_by_id=user_id, **_as_of(batch)
        )
        _set(saved, where)
        saved.save()
        _record(saved, "saved_import.created", user_id)
    return SavedImport.objects.get(pk=saved.pk)


def update_saved_import(*, saved_id: int, where: Where, user_id: int | None) -> SavedImport:
    """Change where and when it looks; another host must show its key anew."""
    with transaction.atomic():
        saved = _locked(saved_id)
        _set(saved, where)
        saved.save()
        _record(saved, "saved_import.changed", user_id)
    return saved


def check_where(*, saved_id: int | None, where: Where) -> None:
    """Raise what saving this would raise, and change nothing."""
    held = SavedImport.objects.filter(pk=saved_id).first() if saved_id else None
    _set(held or SavedImport(), where)


def remove(*, saved_id: int, user_id: int | None, now: datetime) -> None:
    """Forget a saved import with its secret; the imports it made stay."""
    with transaction.atomic():
        saved = _locked(saved_id)
        for key in alert_keys(saved):
            resolve_alert(key=key, now=now)
        _record(saved, "saved_import.removed", user_id)
        saved.delete()


def pause(*, saved_id: int, user_id: int | None) -> SavedImport:
    """Let it rest until somebody starts it again."""
    with transaction.atomic():
        saved = _locked(saved_id)
        saved.is_active = False
        saved.save(update_fields=["is_active", "updated_at"])
        _record(saved, "saved_import.paused", user_id)
    return saved


def resume(
    *, saved_id: int, user_id: int | None, now: datetime, adopt: bool = False
) -> SavedImport:
    """Start it again; ``adopt`` takes the header of the refused file, once that was brought in.

    Without it the former header is expected again. Raises SavedImportStateError.
    """
    with transaction.atomic():
        saved = _locked(saved_id)
        if adopt:
            batch = refused_batch(saved)
            if batch is None:
                raise SavedImportStateError(_("No file was refused, so there is no new header."))
            for name, value in _as_of(batch).items():
                setattr(saved, name, value)
        saved.is_active, saved.stopped_reason, saved.active_since = True, {}, now
        saved.save()
        for key in alert_keys(saved):
            resolve_alert(key=key, now=now)
        _record(saved, "saved_import.resumed", user_id, new_header=adopt)
    return saved


def refused_batch(saved: SavedImport) -> ImportBatch | None:
    """Return the import of the file whose header stopped it, if it is still there."""
    if not saved.stopped_reason:
        return None
    files = SavedImportFile.objects.filter(
        saved=saved, refusal=FileRefusal.HEADER, batch__isnull=False
    )
    file = files.select_related("batch").order_by("-pk").first()
    return file.batch if file else None


def _as_of(batch: ImportBatch) -> dict[str, Any]:
    """Return how a batch was read; raises SavedImportStateError while nobody has tried that."""
    if batch.state not in SAVABLE or not batch.format:
        raise SavedImportStateError(_("First bring the file in, or try it out."))
    # What people agreed to was said about the people of one file.
    return {
        "header": batch.header,
        "fingerprint": fingerprint(batch.header),
        "format": batch.format,
        "mapping": batch.mapping,
        "options": {**batch.options, "consent": {}},
    }


def _set(saved: SavedImport, where: Where) -> None:
    given = {name: _clean(value) for name, value in asdict(where).items() if name != "secret"}
    secret = where.secret.strip()
    moved = (saved.place, saved.host, saved.port) != tuple(
        given[name] for name in ("place", "host", "port")
    )
    had = saved.sealed if saved.place == given["place"] else ""
    for name, value in given.items():
        setattr(saved, name, value)
    if saved.place == PlaceKind.HTTPS:
        _set_address(saved, secret)
    elif saved.place == PlaceKind.SFTP:
        if moved:
            # A password must not be sent to a host it was not entered for.
            saved.host_key, had = "", ""
        _need(saved.host, _("Name the host."))
        _need(saved.username, _("Name the user."))
        _need(secret or had, _("Enter the password or the private key."))
    else:
        _need(PurePosixPath(saved.folder).is_absolute(), _("Give the folder's whole path."))
        _folder(saved).real()
        saved.host = saved.username = ""
        had = ""
    saved.sealed = seal(secret) if secret and saved.place != PlaceKind.FOLDER else had
    others = {field.name for field in SavedImport._meta.fields} - set(given)
    try:
        saved.full_clean(exclude=others, validate_constraints=False)
    except ValidationError as error:
        raise InvalidSavedImportError(" ".join(error.messages)) from error
    if saved.place == PlaceKind.HTTPS:
        _need(saved.sealed, _("Enter the address."))


def _folder(saved: SavedImport) -> places.FolderPlace:
    limits = places.Limits(most_bytes=settings.UPLOAD_MAX_BYTES)
    return places.FolderPlace(saved.folder, saved.pattern, settings.IMPORT_FOLDERS, limits)


def _set_address(saved: SavedImport, address: str) -> None:
    """Show the host of a signed address, which is no secret, and nothing else of it."""
    saved.folder, saved.username, saved.pattern, saved.host_key = "", "", "*", ""
    if address:
        limits = places.Limits(most_bytes=settings.UPLOAD_MAX_BYTES)
        saved.host = places.HttpsPlace(address, (), limits).host
    else:
        held = SavedImport.objects.filter(pk=saved.pk, place=PlaceKind.HTTPS)
        saved.host = held.values_list("host", flat=True).first() or ""


def _need(value: object, words: str) -> None:
    if not value:
        raise InvalidSavedImportError(words)


def _clean(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _locked(saved_id: int) -> SavedImport:
    return SavedImport.objects.select_for_update().get(pk=saved_id)


def _record(saved: SavedImport, action: str, user_id: int | None, **details: Any) -> None:
    public_id = saved.public_id
    if not isinstance(public_id, str):
        public_id = SavedImport.objects.values_list("public_id", flat=True).get(pk=saved.pk)
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customers.savedimport",
        object_id=public_id,
        details={"name": saved.name, "place": saved.place, "host": saved.host, **details},
    )
