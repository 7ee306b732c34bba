"""Take a file in: store it, recognise it, create its job."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm.core.models import Job
from crm.core.services import jobs
from customers.connectors import presets, tables
from customers.connectors.presets import folded
from customers.enums import ImportFormat, ImportState
from customers.errors import (
    ImportStateError,
    InvalidMappingError,
    UnknownFormatError,
    UnreadableFileError,
    UnrecognisedError,
)
from customers.models import ImportBatch, ImportMapping, ImportRow, Source
from customers.selectors.import_review import preset_of
from customers.services.importing import formats
from customers.services.importing.options import Options

KIND = "customers.import"
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")
WAITING = (
    ImportState.UPLOADED,
    ImportState.CHECKED,
    ImportState.FAILED,
    ImportState.CANCELLED,
)


def start_import(
    *,
    file: "File[Any]",
    filename: str,
    source_key: str,
    user_id: int | None,
    now: datetime,
    format: str = "",
    mapping: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> ImportBatch:
    """Store a file and create its job, which the caller queues after commit.

    Raises UnreadableFileError (too large, empty, no table), UnknownFormatError (unknown header),
    InvalidMappingError and InvalidOptionsError; nothing is kept then.
    """
    with _kept_or_gone(file, filename, user_id, now) as batch:
        _place(batch, source_key, format, mapping, options)
        if not batch.format:
            formats.recognise(batch.header)
        begin_import(batch_id=batch.pk, user_id=user_id, dry_run=dry_run)
    batch.refresh_from_db()
    return batch


def receive_file(
    *,
    file: "File[Any]",
    filename: str,
    source_key: str,
    user_id: int | None,
    now: datetime,
    mapping: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportBatch:
    """Store a file and say what it is, without reading its rows yet.

    Its format stays empty when the header is not known: then a mapping must be chosen. Raises
    UnreadableFileError, InvalidMappingError and InvalidOptionsError; nothing is kept then.
    """
    with _kept_or_gone(file, filename, user_id, now) as batch:
        _place(batch, source_key, "", mapping, options)
    batch.refresh_from_db()
    return batch


def describe_import(
    *,
    batch_id: int,
    mapping: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportBatch:
    """Say how a waiting file is read, and remember a mapping for its source; drops a dry run.

    Raises ImportStateError when it runs or has run, InvalidMappingError and InvalidOptionsError.
    """
    with transaction.atomic():
        batch = _waiting(batch_id)
        if mapping is not None:
            _set_mapping(batch, mapping)
            _refuse_doubled(batch)
        if options is not None:
            batch.options = Options.from_json(options).as_json()
        batch.trial = {}
        batch.state = ImportState.UPLOADED
        batch.save()
        ImportRow.objects.filter(batch=batch).delete()
        _keep_mapping(batch)
    return batch


def begin_import(*, batch_id: int, user_id: int | None, dry_run: bool = False) -> Job:
    """Create the job of a waiting file, which the caller queues after commit.

    Raises ImportStateError when it runs or has run, UnknownFormatError while nobody said how it is
    read.
    """
    with transaction.atomic():
        batch = _waiting(batch_id)
        if not batch.format:
            raise UnknownFormatError(_("First say which column is which."))
        what = "Dry run" if dry_run else "Import"
        job, _created = jobs.create_job(
            kind=KIND,
            title=f"{what} of {batch.filename}",
            parameters={"batch": batch.pk, "file": batch.filename, "dry_run": dry_run},
            user_id=user_id,
        )
        batch.job = job
        batch.state = ImportState.UPLOADED
        batch.error = ""
        batch.save(update_fields=["job", "state", "error", "updated_at"])
    return job


def same_mapping(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two mappings read a file alike; raises InvalidMappingError for no mapping."""
    return bool(other) and (
        presets.Mapping.from_json(one).as_json() == presets.Mapping.from_json(other).as_json()
    )


def fingerprint(header: Iterable[str]) -> str:
    """Return what a header is remembered by: its names in their order, however they are written."""
    names = "\0".join(folded(name) for name in header)
    return hashlib.sha256(names.encode()).hexdigest()


def _waiting(batch_id: int) -> ImportBatch:
    """Lock a batch that has not run; raises ImportStateError for another."""
    batch = (
        ImportBatch.objects.select_for_update(of=("self",))
        .select_related("source", "job")
        .get(pk=batch_id)
    )
    if batch.job is not None and not batch.job.is_final:
        raise ImportStateError(_("A worker reads this file already; cancel that job first."))
    if not batch.file:
        raise ImportStateError(_("This file is no longer kept; upload it again."))
    if batch.state not in WAITING:
        raise ImportStateError(
            _("This file has been brought in already; upload it again to read it again.")
        )
    return batch


@contextmanager
def _kept_or_gone(
    file: "File[Any]", filename: str, user_id: int | None, now: datetime
) -> Iterator[ImportBatch]:
    """Yield a batch with its file stored; the file goes when the block fails."""
    size = file.size or 0
    if size > settings.UPLOAD_MAX_BYTES:
        raise UnreadableFileError(
            _("The file has %(size)d bytes; %(most)d is the most. Split it.")
            % {"size": size, "most": settings.UPLOAD_MAX_BYTES}
        )
    batch = ImportBatch(
        filename=_told_name(filename),
        size=size,
        sha256=_sha256(file),
        uploaded_by_id=user_id,
    )
    batch.file.save(_stored_name(batch.filename, now), file, save=False)
    try:
        batch.header = tables.read_layout(Path(batch.file.path)).names
        with transaction.atomic():
            yield batch
    except Exception:
        batch.file.delete(save=False)
        raise


def _told_name(filename: str) -> str:
    """Return what a person called the file, as the database can hold it."""
    name = Path(filename).name.replace("\0", "").encode(errors="replace").decode()
    return name[:255] or "file"


def _stored_name(filename: str, now: datetime) -> str:
    """Return a name that every file system takes, however long or strange the file's own is."""
    path = Path(filename)
    ending = path.suffix if ENDING.fullmatch(path.suffix) else ""
    return f"{now:%Y%m%dT%H%M%S}-{slugify(path.stem, allow_unicode=True)[:30]}{ending}"


def _place(
    batch: ImportBatch,
    source_key: str,
    format: str,
    mapping: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None,
) -> None:
    """Give a new batch its source and, where it is known or remembered, how it is read."""
    batch.options = Options.from_json(options or {}).as_json()
    if format or mapping is None:
        batch.format = _known(batch.header, format)
    batch.source = _source(source_key)
    if mapping is not None:
        _set_mapping(batch, mapping)
    elif not batch.format:
        _remember(batch, is_told=bool(options))
    _refuse_doubled(batch)
    batch.save()
    _keep_mapping(batch)


def _refuse_doubled(batch: ImportBatch) -> None:
    """Refuse a file in which a column that is read stands twice: nobody knows which is meant."""
    preset = preset_of(batch)
    twice = [name for name in batch.header if f"{name} (2)" in batch.header]
    if preset is not None and (names := preset.doubled(batch.header, twice)):
        raise UnknownFormatError(
            _("Columns appear twice: %(names)s. Rename one.") % {"names": ", ".join(names)}
        )


def _known(header: list[str], wanted: str) -> str:
    """Return the format of a header; nothing when it is unknown and nobody asked for one."""
    try:
        return formats.recognise(header, wanted)
    except UnrecognisedError:
        if wanted:
            raise
        return ""


def _remember(batch: ImportBatch, *, is_told: bool) -> None:
    """Take the mapping that was chosen the last time, with its options unless told others."""
    held = ImportMapping.objects.filter(
        source=batch.source, fingerprint=fingerprint(batch.header)
    ).first()
    if held is None:
        return
    batch.format, batch.mapping = ImportFormat.MAPPED, held.mapping
    if not is_told:
        # What people agreed to is asked for every file anew.
        batch.options = {**held.options, "consent": {}}


def _keep_mapping(batch: ImportBatch) -> None:
    """Keep a batch's mapping for the next file of this source with this header."""
    if batch.format == ImportFormat.MAPPED:
        ImportMapping.objects.update_or_create(
            source=batch.source,
            fingerprint=fingerprint(batch.header),
            defaults={"mapping": batch.mapping, "options": batch.options},
        )


def _set_mapping(batch: ImportBatch, given: Mapping[str, Any]) -> None:
    mapping = presets.Mapping.from_json(given)
    if problems := mapping.problems(batch.header):
        raise InvalidMappingError(" ".join(problems))
    batch.format, batch.mapping = ImportFormat.MAPPED, mapping.as_json()


def _source(key: str) -> Source:
    slug = slugify(key)[:64]
    if not slug:
        raise UnknownFormatError(_("Name the source in Latin letters, digits and hyphens."))
    row, _created = Source.objects.get_or_create(key=slug, defaults={"name": key[:120]})
    return row


def _sha256(file: "File[Any]") -> str:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
