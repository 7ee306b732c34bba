"""The consent log: the newest line counts, and none without evidence."""

from datetime import timedelta

import pytest

from customers.enums import Channel, ConsentAction, SuppressionReason
from customers.errors import ConsentEvidenceError
from customers.models import Consent, Suppression
from customers.services.consent import consented, is_suppressed, record_consent, suppress
from tests.factories import NOON, CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db


def say(customer, action, at, evidence="Form at checkout"):
    return record_consent(
        customer_id=customer.pk,
        channel=Channel.EMAIL,
        action=action,
        at=at,
        source_id=SourceFactory().pk,
        evidence=evidence,
    )


def test_the_newest_line_counts_in_whatever_order_lines_arrive(django_assert_num_queries):
    withdrawn, given, silent = CustomerFactory(), CustomerFactory(), CustomerFactory()
    say(withdrawn, ConsentAction.WITHDRAWN, NOON + timedelta(days=1))
    say(withdrawn, ConsentAction.GIVEN, NOON)
    say(given, ConsentAction.GIVEN, NOON)

    with django_assert_num_queries(1):
        found = consented(customer_ids=[withdrawn.pk, given.pk, silent.pk], channel=Channel.EMAIL)

    assert found == {given.pk}


def test_no_evidence_no_consent():
    with pytest.raises(ConsentEvidenceError):
        say(CustomerFactory(), ConsentAction.GIVEN, NOON, evidence="  ")

    assert not Consent.objects.exists()


def test_the_same_line_twice_is_one():
    customer = CustomerFactory()
    say(customer, ConsentAction.GIVEN, NOON)
    say(customer, ConsentAction.GIVEN, NOON)

    assert Consent.objects.count() == 1


def test_a_suppressed_address_is_found_in_any_spelling_and_kept_as_a_hash():
    suppress(
        channel=Channel.EMAIL,
        address="Ann@Example.com",
        reason=SuppressionReason.BOUNCED,
        now=NOON,
    )

    assert is_suppressed(channel=Channel.EMAIL, address=" ann@example.com")
    assert not is_suppressed(channel=Channel.EMAIL, address="bea@example.com")
    assert "ann" not in Suppression.objects.get().address_hash
