"""Take a file in: store it, recognise it, create its job."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm.core.services import jobs
from customers.connectors import tables
from customers.errors import UnknownFormatError, UnreadableFileError
from customers.models import ImportBatch, Source
from customers.services.importing import formats

KIND = "customers.import"


def start_import(
    *,
    file: "File[Any]",
    filename: str,
    source_key: str,
    user_id: int | None,
    now: datetime,
    format: str = "",
) -> ImportBatch:
    """Store a file and create its job, which the caller queues after commit.

    Raises UnreadableFileError (too large, empty, no table) and UnknownFormatError (unknown header);
    nothing is kept then.
    """
    size = file.size or 0
    if size > settings.UPLOAD_MAX_BYTES:
        raise UnreadableFileError(
            _("The file has %(size)d bytes; %(most)d is the most. Split it.")
            % {"size": size, "most": settings.UPLOAD_MAX_BYTES}
        )
    batch = ImportBatch(
        filename=Path(filename).name[:255],
        size=size,
        sha256=_sha256(file),
        uploaded_by_id=user_id,
    )
    batch.file.save(f"{now:%Y%m%dT%H%M%S}-{batch.filename}"[-180:], file, save=False)
    try:
        header = tables.read_layout(Path(batch.file.path)).names
        batch.format = formats.recognise(header, format)
        with transaction.atomic():
            batch.source = _source(source_key)
            batch.save()
            batch.job, _created = jobs.create_job(
                kind=KIND,
                title=f"Import of {batch.filename}",
                parameters={"batch": batch.pk, "file": batch.filename},
                user_id=user_id,
            )
            batch.save(update_fields=["job"])
    except Exception:
        batch.file.delete(save=False)
        raise
    batch.refresh_from_db()
    return batch


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
