"""Keys by which customers are recognised."""

import pytest

from customers.enums import IdentityKind
from customers.errors import IdentityTakenError, InvalidIdentityError
from customers.models import Identity
from customers.services.identities import add_identity, find_customer, normalise_phone
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_a_phone_is_as_good_a_key_as_an_address():
    customer = CustomerFactory()
    add_identity(
        customer_id=customer.pk, kind=IdentityKind.PHONE, value="138 1234 5678", region="CN"
    )

    assert find_customer(kind=IdentityKind.PHONE, value="+8613812345678") == customer
    assert normalise_phone("07700 900123", "GB") == "+447700900123"


def test_addresses_are_compared_without_case_and_spaces():
    customer = CustomerFactory()
    add_identity(customer_id=customer.pk, kind=IdentityKind.EMAIL, value=" Ann@Example.COM ")

    assert find_customer(kind=IdentityKind.EMAIL, value="ann@example.com") == customer


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentityKind.PHONE, "186******05"),
        (IdentityKind.EMAIL, "a***@example.com"),
        (IdentityKind.MARKETPLACE, "t***7"),
        (IdentityKind.EXTERNAL_ID, "——"),
        (IdentityKind.EMAIL, "not an address"),
        (IdentityKind.PHONE, "12"),
    ],
)
def test_masked_and_malformed_values_are_no_keys(kind, value):
    customer = CustomerFactory()

    with pytest.raises(InvalidIdentityError):
        add_identity(customer_id=customer.pk, kind=kind, value=value, issuer="shop", region="CN")

    assert not Identity.objects.exists()
    assert find_customer(kind=kind, value=value, issuer="shop") is None


def test_ids_of_two_issuers_are_two_keys():
    one, two = CustomerFactory(), CustomerFactory()
    add_identity(customer_id=one.pk, kind=IdentityKind.MESSENGER, value="o6_x", issuer="wechat-a")
    add_identity(customer_id=two.pk, kind=IdentityKind.MESSENGER, value="o6_x", issuer="wechat-b")

    found = find_customer(kind=IdentityKind.MESSENGER, value="o6_x", issuer="wechat-b")

    assert found == two


def test_a_scoped_id_needs_its_issuer():
    with pytest.raises(InvalidIdentityError, match="issued"):
        add_identity(customer_id=CustomerFactory().pk, kind=IdentityKind.MARKETPLACE, value="x1")


def test_a_key_of_somebody_else_is_refused():
    one, two = CustomerFactory(), CustomerFactory()
    add_identity(customer_id=one.pk, kind=IdentityKind.EMAIL, value="ann@example.com")

    with pytest.raises(IdentityTakenError):
        add_identity(customer_id=two.pk, kind=IdentityKind.EMAIL, value="ANN@example.com")

    assert Identity.objects.get().customer == one
