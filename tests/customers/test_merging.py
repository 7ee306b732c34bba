"""Two profiles made one, and exactly two again; a person erased everywhere."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from customers.enums import Channel, ConsentAction, IdentityKind
from customers.errors import MergeRefusedError, UnmergeRefusedError
from customers.models import Consent, Customer, Identity, Order, Review
from customers.services.consent import consented, is_suppressed
from customers.services.erasure import erase_customer
from customers.services.identities import add_identity
from customers.services.merging import merge_customers, unmerge_customers
from tests.factories import (
    NOON,
    ConsentFactory,
    CustomerFactory,
    NoteFactory,
    OrderFactory,
    RefundFactory,
    ReviewFactory,
    SurveyResponseFactory,
    TaskFactory,
    TicketFactory,
)

pytestmark = pytest.mark.django_db


def table_rows():
    """Return every row of the record, but for what a merge adds and facts recompute."""
    left_out = {"customers_factsmark", "customers_mergerecord", "customers_customerfacts"}
    rows = {}
    for model in apps.get_app_config("customers").get_models():
        table = model._meta.db_table
        if table in left_out or table.endswith("event"):
            continue
        values = [
            {name: value for name, value in row.items() if name != "updated_at"}
            for row in model._default_manager.order_by("pk").values()
        ]
        rows[table] = values
    return rows


def full_customer(name):
    customer = CustomerFactory(name=name, email=f"{name}@example.com")
    add_identity(customer_id=customer.pk, kind=IdentityKind.EMAIL, value=customer.email)
    order = OrderFactory(customer=customer)
    RefundFactory(customer=customer, order=order)
    ReviewFactory(customer=customer, text=f"secret words of {name}")
    SurveyResponseFactory(customer=customer, comment=f"secret words of {name}")
    TicketFactory(customer=customer, subject=f"secret words of {name}")
    ConsentFactory(customer=customer, evidence=f"said so by {name}")
    NoteFactory(customer=customer, text=f"secret words of {name}")
    TaskFactory(customer=customer, title=f"secret words of {name}")
    return customer


def test_merge_moves_everything_and_unmerge_restores_it_exactly():
    source, target = full_customer("ann"), full_customer("bea")
    before = table_rows()

    record = merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)

    assert Order.objects.filter(customer=target).count() == 2
    assert not Identity.objects.filter(customer=source).exists()
    source.refresh_from_db()
    assert (source.lifecycle, source.merged_into_id) == ("merged", target.pk)
    unmerge_customers(merge_id=record.pk, now=NOON)
    assert table_rows() == before


def test_what_came_after_the_merge_stays_with_the_kept_profile():
    source, target = full_customer("ann"), full_customer("bea")
    record = merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)
    newcomer = OrderFactory(customer=target)

    unmerge_customers(merge_id=record.pk, now=NOON)

    newcomer.refresh_from_db()
    assert newcomer.customer_id == target.pk
    assert Order.objects.filter(customer=source).count() == 1


def test_unmerge_refuses_when_a_moved_row_is_gone_and_changes_nothing():
    source, target = full_customer("ann"), full_customer("bea")
    record = merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)
    Review.objects.filter(text__contains="ann").delete()
    before = table_rows()

    with pytest.raises(UnmergeRefusedError, match="reviews"):
        unmerge_customers(merge_id=record.pk, now=NOON)

    assert table_rows() == before


def test_merge_refuses_itself_and_profiles_that_are_not_active():
    source, target, third = full_customer("ann"), full_customer("bea"), full_customer("cat")
    with pytest.raises(MergeRefusedError):
        merge_customers(source_id=source.pk, target_id=source.pk, user_id=None, now=NOON)
    merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)

    with pytest.raises(MergeRefusedError):
        merge_customers(source_id=source.pk, target_id=third.pk, user_id=None, now=NOON)


def test_a_consent_line_both_profiles_have_is_kept_once_each():
    source, target = CustomerFactory(), CustomerFactory()
    ConsentFactory(customer=source)
    ConsentFactory(customer=target)

    record = merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)

    assert Consent.objects.filter(customer=target).count() == 1
    unmerge_customers(merge_id=record.pk, now=NOON)
    assert Consent.objects.filter(customer=source).count() == 1


def test_the_newest_consent_of_both_profiles_counts_after_a_merge():
    source, target = CustomerFactory(), CustomerFactory()
    ConsentFactory(customer=target, at=NOON)
    ConsentFactory(customer=source, action=ConsentAction.WITHDRAWN, at=NOON + timedelta(days=1))

    merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)

    assert consented(customer_ids=[target.pk], channel=Channel.EMAIL) == set()


def test_erasure_leaves_no_personal_word_in_any_table():
    customer, merged = full_customer("zerlina"), full_customer("yolanda")
    merge_customers(source_id=merged.pk, target_id=customer.pk, user_id=None, now=NOON)
    Customer.objects.filter(pk=customer.pk).update(name="zerlina two")  # leaves history

    erase_customer(customer_id=customer.pk, user_id=None, now=NOON)

    assert tables_with("zerlina") == []
    assert tables_with("yolanda") == []
    assert is_suppressed(channel=Channel.EMAIL, address="zerlina@example.com")
    assert is_suppressed(channel=Channel.EMAIL, address="yolanda@example.com")
    assert Order.objects.filter(customer=customer).count() == 2


def test_a_contact_that_is_no_address_does_not_keep_a_person_from_being_erased():
    customer = full_customer("xenia")
    Customer.objects.filter(pk=customer.pk).update(email="xenia at home")

    erase_customer(customer_id=customer.pk, user_id=None, now=NOON)

    assert tables_with("xenia") == []
    assert is_suppressed(channel=Channel.EMAIL, address="xenia@example.com")


def tables_with(word):
    """Return the tables in which any row, written out as text, contains a word."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        names = [row[0] for row in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(
                f'SELECT 1 FROM "{name}" t WHERE t::text ILIKE %s LIMIT 1', [f"%{word}%"]
            )
            found += [name] if cursor.fetchone() else []
    return found
