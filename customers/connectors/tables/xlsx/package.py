"""The ZIP archive around a workbook, opened with care: what it may unpack to is known before."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from django.utils.translation import gettext as _

from customers.connectors.tables.kinds import PACKED
from customers.errors import UnreadableFileError

PIECE = 1 << 16
END = b"PK\x05\x06"
END_SIZE = 22
LONGEST_COMMENT = 1 << 16
MOST_DIRECTORY = 1 << 20
MOST_PARTS = 2_000
# Deflate shrinks at most 1,032 times; sheets of even the dullest rows stay below 100.
MOST_RATIO = 250
HARMLESS = 4 << 20
MOST_UNPACKED = 2 << 30
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError)


class Package:
    """The parts of a workbook's archive; raises UnreadableFileError for what no workbook is."""

    def __init__(self, path: Path) -> None:
        _refuse_directory(path)
        try:
            self.archive = zipfile.ZipFile(path)
        except (*BROKEN, struct.error, UnicodeDecodeError) as error:
            raise damaged() from error
        self.parts = {part.filename.lstrip("/"): part for part in self.archive.infolist()}
        try:
            self._refuse_parts()
        except UnreadableFileError:
            self.archive.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.archive.close()

    def _refuse_parts(self) -> None:
        if "xl/workbook.xml" not in self.parts:
            if "xl/workbook.bin" in self.parts or "content.xml" in self.parts:
                raise UnreadableFileError(
                    _("This spreadsheet is .xlsb or .ods; save it as .xlsx or as CSV in UTF-8.")
                )
            raise UnreadableFileError(_(PACKED))
        if len(self.parts) > MOST_PARTS:
            raise too_large()
        if sum(part.file_size for part in self.parts.values()) > MOST_UNPACKED:
            raise too_large()
        for part in self.parts.values():
            if part.file_size > max(HARMLESS, MOST_RATIO * part.compress_size):
                raise too_large()
            if part.flag_bits & 0x1:
                raise UnreadableFileError(_("The workbook has a password; save it without."))

    def pieces(self, name: str, *, most: int = MOST_UNPACKED, skip: int = 0) -> Iterator[bytes]:
        """Yield a part's bytes behind the first ``skip``; never more than ``most`` are unpacked.

        What really comes out is counted as well: a directory may lie about sizes.
        """
        if name not in self.parts:
            raise damaged()
        unpacked = 0
        try:
            with self.archive.open(self.parts[name]) as part:
                while piece := part.read(PIECE):
                    unpacked += len(piece)
                    if unpacked > most:
                        raise too_large()
                    if unpacked > skip:
                        yield piece[max(0, skip - unpacked + len(piece)) :]
        except (*BROKEN, RuntimeError) as error:
            raise damaged() from error


def damaged() -> UnreadableFileError:
    """Return the refusal of a file that ends early or is bent."""
    return UnreadableFileError(_("The workbook is damaged; open it and save it again as .xlsx."))


def too_large() -> UnreadableFileError:
    """Return the refusal of a file that would unpack beyond measure."""
    return UnreadableFileError(
        _("The workbook would unpack to far more than its size; save it as CSV in UTF-8.")
    )


def _refuse_directory(path: Path) -> None:
    """Refuse an archive whose directory alone would fill the memory, before anything reads it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - LONGEST_COMMENT - END_SIZE))
        tail = file.read()
    place = tail.rfind(END)
    if place < 0 or len(tail) - place < END_SIZE:
        raise damaged()
    _sign, _disk, _start, _here, entries, directory = struct.unpack_from("<4s4HL", tail, place)
    if entries > MOST_PARTS or directory > MOST_DIRECTORY:
        raise too_large()
