"""From a saved import's row to the place it reads, and the key its host must show."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from crm.core.services.alerts import resolve_alert
from crm.core.services.audit import record_audit
from crm.core.services.sealing import SealBrokenError, unseal
from customers.connectors import places
from customers.connectors.places.sftp import SftpPlace, fingerprint_of
from customers.enums import PlaceKind
from customers.errors import SavedImportStateError
from customers.models import SavedImport, SavedImportFile


def place_of(saved: SavedImport) -> places.Place:
    """Return the place of a saved import; raises PlaceError when its secret cannot be read."""
    if saved.place == PlaceKind.FOLDER:
        return places.FolderPlace(saved.folder, saved.pattern, settings.IMPORT_FOLDERS, _limits())
    if saved.place == PlaceKind.SFTP:
        return _sftp(saved)
    last = SavedImportFile.objects.filter(saved=saved).order_by("-pk").first()
    return places.HttpsPlace(
        address=_secret(saved),
        allowed=settings.IMPORT_ALLOWED_NETWORKS,
        limits=_limits(),
        former=last.version if last else "",
        authorities=settings.IMPORT_CA_FILE,
    )


def shown_host_key(saved: SavedImport) -> tuple[str, str]:
    """Return the key an SFTP host shows now and its fingerprint; raises PlaceError."""
    key = _sftp(saved).shown_key()
    return key, fingerprint_of(key)


def confirm_host_key(*, saved_id: int, host_key: str, user_id: int | None, now: datetime) -> None:
    """Trust the host's key from now on; raises SavedImportStateError when it shows another."""
    saved = SavedImport.objects.get(pk=saved_id)
    shown, fingerprint = shown_host_key(saved)
    if shown != host_key:
        raise SavedImportStateError(places.problem("host_key_changed", host=saved.host).message)
    with transaction.atomic():
        SavedImport.objects.filter(pk=saved_id, host=saved.host, port=saved.port).update(
            host_key=host_key, updated_at=now
        )
        resolve_alert(key=failed_key(saved), now=now)
        record_audit(
            actor_id=user_id,
            action="saved_import.host_key_confirmed",
            object_type="customers.savedimport",
            object_id=saved.public_id,
            details={"host": saved.host, "fingerprint": fingerprint},
        )


def failed_key(saved: SavedImport) -> str:
    """Return the key of the alert that a saved import failed."""
    return f"saved_import_failed:{saved.public_id}"


def stopped_key(saved: SavedImport) -> str:
    """Return the key of the alert that a saved import was stopped."""
    return f"saved_import_stopped:{saved.public_id}"


def missing_key(saved: SavedImport) -> str:
    """Return the key of the alert that no new file came."""
    return f"saved_import_missing:{saved.public_id}"


def unreadable_key(saved: SavedImport) -> str:
    """Return the key of the alert that a file could not be read."""
    return f"saved_import_unreadable:{saved.public_id}"


def alert_keys(saved: SavedImport) -> tuple[str, ...]:
    """Return the keys of all the alerts about a saved import."""
    return stopped_key(saved), failed_key(saved), missing_key(saved), unreadable_key(saved)


def _sftp(saved: SavedImport) -> SftpPlace:
    return places.SftpPlace(
        host=saved.host,
        port=saved.port,
        username=saved.username,
        secret=_secret(saved),
        host_key=saved.host_key,
        folder=saved.folder,
        pattern=saved.pattern,
        allowed=settings.IMPORT_ALLOWED_NETWORKS,
        limits=_limits(),
    )


def _secret(saved: SavedImport) -> str:
    try:
        return unseal(saved.sealed)
    except SealBrokenError:
        raise places.problem("secret_unreadable") from None


def _limits() -> places.Limits:
    return places.Limits(
        most_bytes=settings.UPLOAD_MAX_BYTES, seconds=settings.IMPORT_FETCH_SECONDS
    )
