"""By which keys a customer is recognised."""

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from customers.enums import IdentityKind
from customers.errors import IdentityTakenError, InvalidIdentityError
from customers.models import Customer, Identity

EMPTY = {"", "-", "—", "——", "null", "none", "n/a"}
UNSCOPED = (IdentityKind.EMAIL, IdentityKind.PHONE)


def normalise_email(value: str) -> str:
    """Return the address as it is compared: trimmed, lower case. Raises InvalidIdentityError."""
    address = value.strip().lower()
    _refuse_masked(address)
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidIdentityError(
            _("“%(value)s” is not an e-mail address.") % {"value": value}
        ) from error
    return address


def normalise_phone(value: str, region: str | None = None) -> str:
    """Return a phone in international form (E.164); ``region`` reads national notations.

    Raises InvalidIdentityError for masked and impossible numbers.
    """
    _refuse_masked(value)
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentityError(
            _("“%(value)s” is not a phone number. Write it as +8613812345678.") % {"value": value}
        ) from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentityError(_("“%(value)s” is no possible phone number.") % {"value": value})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise(*, kind: IdentityKind, value: str, region: str | None = None) -> str:
    """Return an identity's value as it is compared. Raises InvalidIdentityError."""
    if kind == IdentityKind.EMAIL:
        return normalise_email(value)
    if kind == IdentityKind.PHONE:
        return normalise_phone(value, region)
    _refuse_masked(value)
    return value.strip()


def add_identity(
    *, customer_id: int, kind: IdentityKind, value: str, issuer: str = "", region: str | None = None
) -> Identity:
    """Give a customer a key. Ids of shops and apps name their issuer; e-mail and phone do not.

    Raises InvalidIdentityError for masked or malformed values and IdentityTakenError when the key
    belongs to somebody else; the same key twice is one.
    """
    scope = "" if kind in UNSCOPED else issuer.strip()
    if kind not in UNSCOPED and not scope:
        raise InvalidIdentityError(_("Say who issued this id: the shop or the app."))
    normal = normalise(kind=kind, value=value, region=region)
    with transaction.atomic():
        row, _created = Identity.objects.get_or_create(
            issuer=scope, kind=kind, value=normal, defaults={"customer_id": customer_id}
        )
        if row.customer_id != customer_id:
            raise IdentityTakenError(
                _("This key belongs to another customer. Merge the two profiles instead.")
            )
    return row


def find_customer(*, kind: IdentityKind, value: str, issuer: str = "") -> Customer | None:
    """Return who has this key, or None; masked and malformed values find nobody."""
    try:
        normal = normalise(kind=kind, value=value)
    except InvalidIdentityError:
        return None
    scope = "" if kind in UNSCOPED else issuer
    found = Identity.objects.keyed(issuer=scope, kind=kind, value=normal)
    row = found.select_related("customer").first()
    return row.customer if row else None


def _refuse_masked(value: str) -> None:
    if value.strip().lower() in EMPTY:
        raise InvalidIdentityError(_("An empty value is no key."))
    if "*" in value:
        raise InvalidIdentityError(
            _("“%(value)s” is masked: many people share it, so it is no key.") % {"value": value}
        )
