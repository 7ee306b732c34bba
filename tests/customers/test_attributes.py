"""Custom attributes: declared before they are used, and typed."""

from datetime import date
from decimal import Decimal

import pytest

from customers.enums import AttributeType
from customers.errors import AttributeInUseError, InvalidAttributeError
from customers.models import Attribute, Customer
from customers.services import attributes
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def declare(key, type, *choices):
    return attributes.declare_attribute(
        key=key, label=key.title(), type=AttributeType(type), choices=choices, user_id=None
    )


@pytest.fixture
def declared():
    return [
        declare("motto", "text"),
        declare("shoe", "number"),
        declare("member", "boolean"),
        declare("since", "date"),
        declare("colour", "choice", "red", "blue"),
    ]


def write(customer, **values):
    return attributes.set_attributes(customer_id=customer.pk, values=values, user_id=None)


def test_values_are_kept_as_imports_keep_them_and_others_stay(declared):
    customer = CustomerFactory(attributes={"motto": "old"})

    write(customer, shoe=Decimal("42.50"), member=False, since=date(2026, 3, 31), colour="blue")

    customer.refresh_from_db()
    assert customer.attributes == {
        "motto": "old", "shoe": 42.5, "member": False, "since": "2026-03-31", "colour": "blue",
    }  # fmt: skip
    write(customer, shoe=Decimal("43"), motto=None)
    customer.refresh_from_db()
    assert customer.attributes["shoe"] == 43
    assert "motto" not in customer.attributes


@pytest.mark.parametrize(
    ("key", "value"),
    [("shoe", "large"), ("shoe", True), ("member", 1), ("since", "soon"), ("colour", "green"),
     ("nothing", "x"), ("motto", "x" * 1001)],
)  # fmt: skip
def test_what_was_not_declared_so_is_refused_and_nothing_changes(declared, key, value):
    customer = CustomerFactory(attributes={"motto": "old"})

    with pytest.raises(InvalidAttributeError) as refused:
        write(customer, **{"shoe": Decimal(1), key: value})

    assert refused.value.details["key"] == key
    customer.refresh_from_db()
    assert customer.attributes == {"motto": "old"}


def test_choices_belong_to_choices_alone():
    with pytest.raises(InvalidAttributeError):
        declare("colour", "choice", "red")
    with pytest.raises(InvalidAttributeError):
        declare("shoe", "number", "1", "2")

    assert not Attribute.objects.exists()


def test_a_choice_somebody_has_stays_and_others_go(declared):
    CustomerFactory(attributes={"colour": "blue"})
    colour = declared[-1]

    with pytest.raises(AttributeInUseError, match="blue"):
        attributes.change_attribute(
            attribute_id=colour.pk, label="Hue", choices=["red", "green"], user_id=None
        )
    colour.refresh_from_db()
    assert (colour.label, colour.choices) == ("Colour", ["red", "blue"])
    attributes.change_attribute(
        attribute_id=colour.pk, label="Hue", choices=["blue", "green"], user_id=None
    )

    colour.refresh_from_db()
    assert (colour.label, colour.choices) == ("Hue", ["blue", "green"])


def test_an_attribute_in_use_is_not_removed(declared):
    customer = CustomerFactory(attributes={"member": False})
    member = declared[2]

    with pytest.raises(AttributeInUseError, match="Member"):
        attributes.remove_attribute(attribute_id=member.pk, user_id=None)
    assert Attribute.objects.filter(pk=member.pk).exists()
    Customer.objects.filter(pk=customer.pk).update(attributes={})
    attributes.remove_attribute(attribute_id=member.pk, user_id=None)

    assert not Attribute.objects.filter(pk=member.pk).exists()
