"""Send stored files as downloads."""

from django.db.models.fields.files import FieldFile
from django.http import FileResponse


def send_file(file: FieldFile, name: str) -> FileResponse:
    """Stream a stored file to be saved under ``name``; no cache may keep it."""
    response = FileResponse(file.open("rb"), as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store, private"
    return response
