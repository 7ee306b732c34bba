"""The ``Idempotency-Key`` header of calls that start work."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm.core.services import idempotency

HEADER = "Idempotency-Key"
_KEPT_HEADERS = ("Location",)
_LONGEST = 255


def answer_once(request: Request, work: Callable[[], Response]) -> Response:
    """Do ``work`` in one transaction, once per key and day; a repeated call gets the old answer."""
    key = request.headers.get(HEADER)
    if key is None:
        with transaction.atomic():
            return work()
    if not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise ParseError(
            _("The Idempotency-Key must be 1 to %(most)d printable ASCII characters.")
            % {"most": _LONGEST}
        )
    claim = idempotency.claim_call(
        user_id=request.user.pk or 0, key=key, fingerprint=fingerprint(request), now=timezone.now()
    )
    if claim.answer is not None:
        return Response(
            claim.answer.body,
            status=claim.answer.status_code,
            headers={**claim.answer.headers, "Idempotent-Replayed": "true"},
        )
    try:
        with transaction.atomic():
            response = work()
            idempotency.store_answer(
                claim=claim,
                status_code=response.status_code,
                body=json.loads(JSONRenderer().render(response.data)),
                headers={
                    name: response[name] for name in _KEPT_HEADERS if response.has_header(name)
                },
            )
    except BaseException:
        idempotency.release_call(claim=claim)
        raise
    return response


def fingerprint(request: Request) -> str:
    """Return a hash of all that makes a call this call, an uploaded file's bytes included."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    data: Any = request.data
    if hasattr(data, "lists"):
        parts = [(name, value) for name, values in data.lists() for value in values]
        for name, value in sorted(parts, key=lambda part: part[0]):
            content = _file_hash(value) if isinstance(value, UploadedFile) else f"={value}"
            digest.update(f"{name} {content}\n".encode())
    else:
        digest.update(json.dumps(data, sort_keys=True).encode())
    return digest.hexdigest()


def _file_hash(file: UploadedFile) -> str:
    """Hash a file's name and bytes, and rewind it."""
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return f"{file.name} {digest.hexdigest()}"
