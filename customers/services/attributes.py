"""Custom attributes: what is declared of them, and what a customer's are."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.enums import AttributeType
from customers.errors import AttributeInUseError, InvalidAttributeError
from customers.models import Attribute, Customer
from customers.services.profiles import locked_profile

LONGEST_TEXT = 1000
LONGEST_CHOICE = 120
MOST_CHOICES = 200


def set_attributes(
    *, customer_id: int, values: Mapping[str, Any], user_id: int | None
) -> dict[str, Any]:
    """Write some of a customer's attributes, None to clear one; others stay as they are.

    Values are as Python has them: text, Decimal, bool, date. Raises InvalidAttributeError, with the
    attribute's ``key`` among its details, for what was not declared so.
    """
    declared = {one.key: one for one in Attribute.objects.filter(key__in=list(values))}
    stored = {key: _stored(declared.get(key), key, value) for key, value in values.items()}
    with transaction.atomic():
        customer = locked_profile(customer_id)
        kept = {key: value for key, value in customer.attributes.items() if key not in stored}
        after = kept | {key: value for key, value in stored.items() if value is not None}
        changed = sorted(key for key in stored if customer.attributes.get(key) != after.get(key))
        if changed:
            customer.attributes = after
            customer.save(update_fields=["attributes", "updated_at"])
            record_audit(
                actor_id=user_id,
                action="customer.attributes",
                object_type="customer",
                object_id=customer.public_id,
                details={"keys": changed},
            )
    return after


def declare_attribute(
    *, key: str, label: str, type: AttributeType, choices: Sequence[str], user_id: int | None
) -> Attribute:
    """Declare an attribute; raises InvalidAttributeError where choices do not fit its type."""
    words = _clean_choices(type, choices)
    with transaction.atomic():
        row = Attribute.objects.create(key=key, label=label, type=type, choices=words)
        _record("attribute.declared", row, user_id)
    return row


def change_attribute(
    *, attribute_id: int, label: str, choices: Sequence[str], user_id: int | None
) -> Attribute:
    """Change label and choices; key and type stay, as customers' values rest on them.

    Raises AttributeInUseError for a choice taken away that some customer has.
    """
    with transaction.atomic():
        row = Attribute.objects.select_for_update().get(pk=attribute_id)
        words = _kept_choices(row, choices)
        row.label, row.choices = label, words
        row.save(update_fields=["label", "choices", "updated_at"])
        _record("attribute.changed", row, user_id)
    return row


def remove_attribute(*, attribute_id: int, user_id: int | None) -> None:
    """Take a declaration back; raises AttributeInUseError while any customer has a value."""
    with transaction.atomic():
        row = Attribute.objects.select_for_update().get(pk=attribute_id)
        check_unused(row)
        _record("attribute.removed", row, user_id)
        row.delete()


def check_unused(row: Attribute) -> None:
    """Raise AttributeInUseError while any customer has a value."""
    if Customer.objects.filter(attributes__has_key=row.key).exists():
        raise AttributeInUseError(
            _(
                "“%(label)s” stays: some customers have a value for it. Clear those values "
                "first, on the customers' pages or by an import."
            )
            % {"label": row.label}
        )


def check_declaration(
    *, attribute_id: int | None, type: AttributeType, choices: Sequence[str]
) -> None:
    """Raise what declaring or changing it would raise, and change nothing."""
    row = Attribute.objects.filter(pk=attribute_id).first() if attribute_id else None
    if row is None:
        _clean_choices(type, choices)
    else:
        _kept_choices(row, choices)


def _kept_choices(row: Attribute, choices: Sequence[str]) -> list[str]:
    """Return the new choices; raises AttributeInUseError where one goes that somebody has."""
    words = _clean_choices(AttributeType(row.type), choices)
    for gone in [choice for choice in map(str, row.choices) if choice not in words]:
        if Customer.objects.filter(attributes__contains={row.key: gone}).exists():
            raise AttributeInUseError(
                _("“%(choice)s” stays: some customers have it. Change theirs first.")
                % {"choice": gone}
            )
    return words


def _stored(attribute: Attribute | None, key: str, value: Any) -> Any:
    """Return a value as the record keeps it, the same way imports write it."""
    if attribute is None:
        raise InvalidAttributeError(
            _("“%(key)s” is not declared as a custom attribute.") % {"key": key}, key=key
        )
    if value is None or value == "":
        return None
    kinds: dict[str, tuple[type, ...]] = {
        AttributeType.TEXT: (str,),
        AttributeType.NUMBER: (Decimal, int),
        AttributeType.BOOLEAN: (bool,),
        AttributeType.DATE: (date,),
        AttributeType.CHOICE: (str,),
    }
    is_bool_as_number = isinstance(value, bool) and attribute.type == AttributeType.NUMBER
    if not isinstance(value, kinds[attribute.type]) or is_bool_as_number:
        raise InvalidAttributeError(
            _("“%(label)s” takes: %(type)s.")
            % {"label": attribute.label, "type": attribute.get_type_display()},
            key=key,
        )
    return _written(attribute, key, value)


def _written(attribute: Attribute, key: str, value: Any) -> Any:
    if attribute.type == AttributeType.DATE:
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if attribute.type == AttributeType.CHOICE and value not in map(str, attribute.choices):
        raise InvalidAttributeError(
            _("“%(value)s” is none of the choices: %(choices)s.")
            % {"value": value, "choices": ", ".join(map(str, attribute.choices))},
            key=key,
        )
    if isinstance(value, str):
        text = value.replace("\0", "").strip()
        if len(text) > LONGEST_TEXT:
            raise InvalidAttributeError(
                _("“%(label)s” takes at most %(most)d characters.")
                % {"label": attribute.label, "most": LONGEST_TEXT},
                key=key,
            )
        return text or None
    return value


def _clean_choices(type: AttributeType, choices: Sequence[str]) -> list[str]:
    words = list(dict.fromkeys(choice.strip() for choice in choices if choice.strip()))
    if type != AttributeType.CHOICE:
        if words:
            raise InvalidAttributeError(_("Only the type “Choice” has choices: leave them empty."))
        return []
    if not 2 <= len(words) <= MOST_CHOICES or max(map(len, words)) > LONGEST_CHOICE:
        raise InvalidAttributeError(
            _(
                "Write the choices one a line: at least two and at most %(most)d, each of at most "
                "%(longest)d characters."
            )
            % {"most": MOST_CHOICES, "longest": LONGEST_CHOICE}
        )
    return words


def _record(action: str, row: Attribute, user_id: int | None) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customers.attribute",
        object_id=row.key,
        details={"type": row.type, "choices": len(row.choices)},
    )
