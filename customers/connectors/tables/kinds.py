"""Which kind of file this is, by its first bytes; what is no table is told what to do instead."""

from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.connectors.tables.layout import CSV, PARQUET, XLSX
from customers.errors import UnreadableFileError

OLD_EXCEL = gettext_noop(
    "This is a spreadsheet in the old format or with a password. Open it and save it as .xlsx "
    "without a password, or as CSV in UTF-8."
)
PACKED = gettext_noop("The file is packed. Unpack it, and bring in the file that is inside.")
PICTURE = gettext_noop("This is a picture, not a table. Export the data as CSV or XLSX.")
WEB_PAGE = gettext_noop(
    "This is a web page, whatever its name ends in: some shops export one as .xls. Open it in a "
    "spreadsheet and save it as .xlsx, or as CSV in UTF-8. If it asks you to log in, download it "
    "again."
)
XML = gettext_noop("This is XML, not a table. Open it in a spreadsheet and save it as .xlsx.")
PDF = gettext_noop("This is a PDF, not a table. Export the data as CSV or XLSX.")
DOCUMENT = gettext_noop("This is a text document, not a table. Export the data as CSV or XLSX.")
JSON = gettext_noop("This is JSON, not a table. Send it over the API, or export it as CSV.")
SIGNS = (
    (b"\xd0\xcf\x11\xe0", OLD_EXCEL),
    (b"\x09\x08\x10\x00", OLD_EXCEL),
    (b"\x1f\x8b", PACKED),
    (b"BZh", PACKED),
    (b"\xfd7zXZ", PACKED),
    (b"7z\xbc\xaf", PACKED),
    (b"Rar!", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"%PDF", PDF),
    (b"{\\rtf", DOCUMENT),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
)
TAGS = (b"<html", b"<!doctype html", b"<table", b"<head", b"<meta", b"<body", b"<div", b"<script")


def recognise(path: Path) -> str:
    """Return ``csv``, ``parquet`` or ``xlsx``; raises UnreadableFileError for anything else."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise UnreadableFileError(_("The file is empty, or its first line is."))
    for sign, told in SIGNS:
        if start.startswith(sign):
            raise UnreadableFileError(_(told))
    if start.startswith(b"PAR1"):
        return PARQUET
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return XLSX
    _refuse_markup(start)
    return CSV


def _refuse_markup(start: bytes) -> None:
    text = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if text.startswith(TAGS) or (text.startswith(b"<") and b"<table" in text):
        raise UnreadableFileError(_(WEB_PAGE))
    if text.startswith((b"<?xml", b"<!--")):
        told = WEB_PAGE if b"<html" in text else XML
        raise UnreadableFileError(_(told))
    if text.startswith((b'{"', b"[{", b"{\n", b"[\n")):
        raise UnreadableFileError(_(JSON))
