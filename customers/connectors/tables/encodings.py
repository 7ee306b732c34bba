"""In which encoding a text file is written; what is no text is told what to do instead."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from customers.connectors.tables import languages
from customers.errors import UnreadableFileError

PIECE = 1 << 20
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FEW_CONTROLS = 16
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
RUNS = re.compile(rb"[\x80-\xff]+")
UTF8 = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+"
)
# Two or more signs of Chinese in UTF-8: nine of a million chance runs of GB18030 look so.
UTF8_CHINESE = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){2,}")


@dataclass(frozen=True)
class Encoding:
    """A codec, and the length of the mark that stands before the text."""

    codec: str
    mark: int = 0


def detect(path: Path) -> Encoding:
    """Return the encoding that the whole file fits; raises UnreadableFileError for no text."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    for mark, codec in MARKS:
        if start.startswith(mark):
            if not _decodes(path, codec, len(mark)):
                raise UnreadableFileError(
                    _("The file says it is %(codec)s, and is not; save it as CSV in UTF-8.")
                    % {"codec": codec.upper()}
                )
            return Encoding(codec, len(mark))
    if start.count(0) * 50 > len(start):
        raise UnreadableFileError(
            _("The file is full of NUL bytes and so no text; save it as CSV in UTF-8.")
        )
    if len(CONTROLS.findall(start)) > max(FEW_CONTROLS, len(start) // 20):
        raise UnreadableFileError(
            _("The file is full of control signs and so no text; save it as CSV in UTF-8.")
        )
    if _decodes(path, "utf-8", 0):
        return Encoding("utf-8")
    language = languages.tell(path)
    if language == languages.CHINESE and _is_gb18030(path):
        return Encoding("gb18030")
    if language == languages.WESTERN and _is_western(path) and not _has_utf8(path, UTF8, 10):
        return Encoding("cp1252" if _decodes(path, "cp1252", 0) else "latin-1")
    raise UnreadableFileError(
        _(
            "The file is neither UTF-8 nor GB18030 nor Latin-1 throughout: it mixes encodings, is "
            "damaged, or is in another one. Save it as CSV in UTF-8."
        )
    )


def _decodes(path: Path, codec: str, mark: int) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            file.seek(mark)
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_gb18030(path: Path) -> bool:
    return _decodes(path, "gb18030", 0) and not _has_utf8(path, UTF8_CHINESE, 1000)


def _is_western(path: Path) -> bool:
    """Tell “Zoé,Conceição” from anything else: accented letters stand alone or by two."""
    short = runs = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found = RUNS.findall(piece)
            runs += len(found)
            short += sum(len(run) <= 2 for run in found)
    return short * 2 > runs


def _has_utf8(path: Path, pattern: re.Pattern[bytes], one_in: int) -> bool:
    """Tell whether more than one in so many runs beyond ASCII is UTF-8, and not by chance."""
    told = runs = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found = RUNS.findall(piece)
            runs += len(found)
            told += sum(pattern.fullmatch(run) is not None for run in found)
    return told > 1 and told * one_in > runs
