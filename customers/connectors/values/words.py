"""Text, yes and no, statuses."""

import re
import unicodedata

from django.utils.translation import gettext_noop

from customers.connectors.huike import STATUSES as RECORDS
from customers.connectors.huike import CellError
from customers.connectors.values.rules import STATUSES, Rules

INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"))
PUNCTUATION = re.compile(r"[\s,，、;；:：/_.\-]+")
FORMULA = re.compile(r'^="(.*)"$', re.DOTALL)


def clean(cell: str) -> str:
    """Return a cell without invisible signs, outer blanks and what guards it from a spreadsheet.

    Shops write ids as ``'123``, ``="123"`` or behind a tab so that no spreadsheet rounds them.
    """
    text = (cell if cell.isascii() else cell.translate(INVISIBLE)).strip()
    if text[:1] == "=" and (guarded := FORMULA.match(text)):
        text = guarded.group(1).strip()
    return text[1:].strip() if text[:1] == "'" else text


def is_empty(cell: str, rules: Rules) -> bool:
    """Tell whether a cell holds nothing, in the words of this file."""
    text = clean(cell)
    return not text or text.lower() in rules.empty


def folded(text: str) -> str:
    """Return a word as it is compared: one width, lower case, no blanks and no punctuation."""
    return PUNCTUATION.sub("", unicodedata.normalize("NFKC", clean(text)).casefold())


def text(cell: str, rules: Rules) -> str:
    """Return the text; empty words are none."""
    found = clean(cell)
    return "" if found.lower() in rules.empty else found


def flag(cell: str, rules: Rules) -> str:
    """Return ``true`` or ``false``."""
    word = unicodedata.normalize("NFKC", clean(cell)).lower()
    if word in rules.yes:
        return "true"
    if word in rules.no:
        return "false"
    raise CellError(gettext_noop("neither yes nor no; write true or false"))


def status(cell: str, rules: Rules) -> str:
    """Return the record's word for an order's state; the file's own mapping comes first."""
    word = folded(cell).removeprefix("wc")
    own = {folded(given): ours for given, ours in rules.statuses}
    found = own.get(folded(cell)) or STATUSES.get(word)
    if found not in RECORDS:
        raise CellError(gettext_noop("this status is not known; map it to one of ours"))
    return str(found)
