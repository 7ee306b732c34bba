"""What people and orders are known by: ids, e-mails, phones. Masked values are never keys."""

import hashlib
import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop

from customers.connectors.huike import CUT, CellError
from customers.connectors.values.rules import Rules
from customers.connectors.values.words import clean

MASKED = gettext_noop("masked: many people share it, so it is no key")
TOO_LONG = gettext_noop("the text is too long")
NO_EMAIL = gettext_noop("no e-mail address")
NO_PHONE = gettext_noop("no phone number; write it as +8613812345678")
MASK = re.compile(r"[*＊●•]")
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?e\+?\d{1,2}", re.I)
LONGEST_KEY = 120
# Stand-ins that shops write where a form insists on an address.
STAND_INS = frozenset({"noreply", "no-reply", "none", "guest", "unknown", "anonymous"})


class MaskedError(CellError):
    """A value that stands for many people: the column is left empty, the row is kept."""


def key(cell: str, rules: Rules) -> str:
    """Return an id as text, without a spreadsheet's ``.0``; masked and cut ones are refused."""
    text = clean(cell)
    if re.fullmatch(r"\d+\.0+", text):
        text = text.partition(".")[0]
    if SCIENTIFIC.fullmatch(text):
        raise CellError(CUT)
    if MASK.search(text):
        raise MaskedError(MASKED)
    if len(text) > LONGEST_KEY:
        raise CellError(TOO_LONG)
    return text


def article(cell: str, rules: Rules) -> str:
    """Return an article's code, or the title that stands in for one, as a key.

    Here a star is no mask (“3*5 cm”) and is written ×; a title too long for a key keeps its
    beginning and a mark of the whole.
    """
    text = clean(cell).replace("*", "×")
    if SCIENTIFIC.fullmatch(text):
        raise CellError(CUT)
    if len(text) > LONGEST_KEY:
        mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]
        return f"{text[:100]}~{mark}"
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def masked_text(cell: str, rules: Rules) -> str:
    """Return a name; a masked one is no name."""
    if MASK.search(cell):
        raise MaskedError(gettext_noop("masked, so it is left empty"))
    return clean(cell)


def email(cell: str, rules: Rules) -> str:
    """Return the address, lower case."""
    text = clean(cell).lower().removeprefix("mailto:")
    if MASK.search(text):
        raise MaskedError(MASKED)
    try:
        validate_email(text)
    except ValidationError:
        raise CellError(NO_EMAIL) from None
    if len(text) > 254:
        raise CellError(NO_EMAIL)
    if text.partition("@")[0] in STAND_INS:
        raise MaskedError(gettext_noop("an address that many orders share is no key"))
    return text


def phone(cell: str, rules: Rules) -> str:
    """Return the number in E.164; without ``+`` it is one of the rules' region."""
    text = unicodedata.normalize("NFKC", clean(cell)).replace("\t", " ")
    if MASK.search(text) or "xxxx" in text.lower():
        raise MaskedError(MASKED)
    if SCIENTIFIC.fullmatch(text):
        raise CellError(CUT)
    # 0086 138… and 86-138… are how Chinese exports write +86 138….
    if text.startswith("00"):
        text = "+" + text[2:]
    text = text.removesuffix(".0").split("/")[0].split(";")[0]
    number = _valid(text, rules.region)
    if number is None:
        raise CellError(NO_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _valid(text: str, region: str) -> "phonenumbers.PhoneNumber | None":
    """Return the number; without ``+`` and without a region nobody can say whose it is."""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    # Without + the region is a guess, which a number must bear out to be a key.
    is_one = phonenumbers.is_possible_number if text[:1] == "+" else phonenumbers.is_valid_number
    return number if is_one(number) else None
