"""Likely duplicates: found by what speaks for them, by indexes alone."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.enums import IdentityKind
from customers.models import Customer, Identity
from customers.selectors.duplicates import MOST, likely_duplicates
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
BORN = date(1990, 5, 17)


def found(customer):
    candidates = likely_duplicates(customer, list(customer.identities.all()))
    return {one.customer.name: one.reasons for one in candidates}


def test_each_rule_finds_its_own_and_nobody_else():
    ann = CustomerFactory(
        name="Ann Lee", email="ann@example.com", phone="+8613812345678", birthday=BORN, city="York"
    )
    CustomerFactory(name="caps", email="ANN@example.com")
    CustomerFactory(name="plus", email="ann+shop@example.com")
    CustomerFactory(name="prefix", phone="+4413812345678")
    CustomerFactory(name="ANN LEE", birthday=BORN)
    CustomerFactory(name="Ann lee", city="york")
    keyed = CustomerFactory(name="keyed")
    Identity.objects.create(customer=keyed, kind=IdentityKind.EMAIL, value="ann@example.com")
    # Nobody of these is her.
    CustomerFactory(name="Ann Lee", city="Leeds")
    CustomerFactory(name="longer", email="anna@example.com")
    CustomerFactory(name="elsewhere", email="ann@example.org")
    CustomerFactory(name="other phone", phone="+8613812345679")
    CustomerFactory(name="erased", email="ann@example.com", lifecycle="erased")

    all_of_them = found_all(ann)

    assert all_of_them == {
        "caps": ["the same e-mail address"],
        "plus": ["the same mailbox, written in another way"],
        "prefix": ["the same phone number, with another prefix"],
        "ANN LEE": ["the same name and birthday"],
        "Ann lee": ["the same name and city"],
        "keyed": ["the same e-mail address"],
    }
    assert len(found(ann)) == MOST
    assert "Ann lee" not in found(ann)  # the weakest reason gives way


def found_all(customer):
    from customers.selectors import duplicates

    most, duplicates.MOST = duplicates.MOST, 50
    try:
        return found(customer)
    finally:
        duplicates.MOST = most


def test_who_has_nothing_to_go_by_has_no_duplicates(django_assert_num_queries):
    customer = CustomerFactory(name="", external_id="X1")
    CustomerFactory(name="", external_id="X2")

    with django_assert_num_queries(1):  # the keys
        assert found(customer) == {}


def test_every_rule_can_be_answered_by_an_index():
    ann = CustomerFactory(
        name="王芳", email="fang@example.com", phone="+8613812345678", birthday=BORN, city="上海"
    )
    CustomerFactory.create_batch(3)
    Identity.objects.create(customer=ann, kind=IdentityKind.EMAIL, value="fang@example.com")
    keys = list(ann.identities.all())
    with CaptureQueriesContext(connection) as seen:
        likely_duplicates(ann, keys)
    union = seen[0]["sql"]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {union}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "customer_email" in plan
    assert "customer_phone_trgm" in plan
    assert "customer_name_trgm" in plan
    assert "Seq Scan on customers_customer" not in plan
    # An index searched without a single trigram would be read whole.
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(show_trgm(upper('王芳')))")
        assert cursor.fetchone()[0] > 1
    assert Customer.objects.count() == 4
