"""Whether bytes that could be Chinese or accented letters are the one or the other."""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from math import log
from pathlib import Path

CHINESE, WESTERN = "chinese", "western"
PIECE = 1 << 16
MOST_SIGNS = 50_000
# How likely a sign is to look so in Chinese, and a pair of letters read as one in the West.
LOW_TRAIL = log(0.3 / 0.9)
HIGH_TRAIL = log(0.65 / 0.02)
ODD_TRAIL = log(0.06 / 0.005)
FOUR_BYTES = log(0.01 / 0.0001)
COMMON = log(0.97 / 0.25)
RARE = log(0.03 / 0.75)
BEHIND_LETTER = log(0.05 / 0.8)
BEHIND_OTHER = log(0.95 / 0.2)
BEFORE_LETTER = log(0.05 / 0.85)
BEFORE_OTHER = log(0.95 / 0.15)
DOUBT = 3.8
LEAST_COMMON = 0.5
BEYOND_ASCII = re.compile("[^\0-\x7f]")
NO_SIGN = "\ufffd"
INVALID = log(0.001 / 0.3)


def tell(path: Path) -> str:
    """Tell Chinese in GB18030 from the accented letters of Latin-1.

    Each pair of bytes that could be a Chinese sign speaks for Chinese when the sign is a common
    one, of simplified or of traditional writing, and its second byte is no Latin letter; it speaks
    for the West when a Latin letter stands before or behind it, as in “Müller”: “ül” would be a
    rare sign between letters. “é,” is no sign at all. What speaks for Chinese must outweigh a
    doubt: a file of the single sign “資” could as well be of “ÙY”, and is. Where half of the signs
    are rare, as those of Big5 read as GB18030, it is neither.
    """
    said, common, signs = 0.0, 0, 0
    for before, sign, behind in islice(_signs(path), MOST_SIGNS):
        if sign == NO_SIGN:
            said += INVALID
            continue
        weight, is_common = _look(sign)
        said += weight
        said += BEHIND_LETTER if _is_letter(before) else BEHIND_OTHER
        said += BEFORE_LETTER if _is_letter(behind) else BEFORE_OTHER
        common += is_common
        signs += 1
    if said <= DOUBT:
        return WESTERN
    return CHINESE if common >= LEAST_COMMON * signs else ""


def _signs(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what is beyond ASCII when the file is read as GB18030, with its neighbours."""
    decoder = codecs.getincrementaldecoder("gb18030")(errors="replace")
    before = text = ""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            text += decoder.decode(piece)
            for found in BEYOND_ASCII.finditer(text, len(before), max(len(text) - 1, 0)):
                place = found.start()
                yield text[place - 1 : place], found.group(), text[place + 1]
            # The last sign waits for what stands behind it, and remembers what stands before.
            before, text = text[-2:-1], text[-2:]
    if text and not text[-1].isascii():
        yield before, text[-1], ""


@lru_cache(maxsize=10_000)
def _look(sign: str) -> tuple[float, bool]:
    """Return how much a sign by itself speaks for Chinese, and whether it is common there."""
    pair = sign.encode("gb18030", errors="replace")
    is_common = _is_common(sign)
    weight = COMMON if is_common else RARE
    if len(pair) != 2:
        return weight + FOUR_BYTES, is_common
    if pair[1] >= 0x80:
        return weight + HIGH_TRAIL, is_common
    # A bar may part cells.
    is_odd = chr(pair[1]) in "@[\\]^_`{}~"
    return weight + (ODD_TRAIL if is_odd else LOW_TRAIL), is_common


def _is_common(sign: str) -> bool:
    """Tell whether a sign is in the first level of GB 2312 or of Big5, or marks and digits."""
    levels = (("gb2312", ((0xA1, 0xA1), (0xA3, 0xA3), (0xB0, 0xD7))), ("big5", ((0xA1, 0xC6),)))
    for codec, spans in levels:
        lead = sign.encode(codec, errors="ignore")[:1]
        if lead and any(least <= lead[0] <= most for least, most in spans):
            return True
    return False


def _is_letter(sign: str) -> bool:
    return sign.isascii() and sign.isalpha()
