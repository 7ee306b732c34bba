"""Reviews, survey answers, tickets and consents by file."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from customers.models import (
    Consent,
    Customer,
    CustomerFacts,
    FactsMark,
    Order,
    Product,
    Review,
    SurveyResponse,
    Ticket,
)
from customers.services.erasure import erase_customer
from customers.services.merging import merge_customers
from tests.customers.importing.files import bring, fates, rebuild_drift, rejects
from tests.factories import CustomerFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db
REVIEWS = "review_id,customer_id,email,phone,sku,order_id,rating,text,written_at"
ANSWERS = "answer_id,customer_id,order_id,metric,value,comment,answered_at"
TICKETS = "ticket_id,customer_id,order_id,subject,body,state,opened_at,closed_at"
CONSENTS = "customer_id,email,phone,channel,topic,action,at,evidence"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")


@pytest.fixture
def record():
    bring("customer_id,email,phone", "k1,ann@example.com,", "k2,,+4915112345678", "k3,c@x.de,")
    bring("order_id,customer_id,placed_at,total", "1,k1,2026-01-02,90", "2,,2026-01-03,10")
    bring("sku,title", "A,Cup")


def by_id(model, *names):
    return {row[0]: row[1:] for row in model.objects.values_list("external_id", *names)}


@pytest.mark.usefixtures("record")
def test_reviews_find_writer_article_and_order_and_are_kept_without():
    batch = bring(
        REVIEWS,
        "r1,k1,,,A,1,5,很好,2026-01-09 10:00",
        "r2,,c@x.de,,,,,Fine,2026-01-09",
        "r3,,,+4915112345678,B,9,1,,2026-01-09",
        "r4,,,,A,1,4,,2026-01-09",
        "r5,k9,,,A,1,4,,2026-01-09",
        "r6,,nobody@x.de,,,1,4,,2026-01-09",
        "r7,k1,,,A,1,6,,2026-01-09",
        "r8,k1,,,A,1,4.5,,2026-01-09",
        "r9,k1,,,A,1,4,,2999-01-09",
        "r4,,,,,,3,,2026-01-09",
    )

    assert fates(batch) == (10, 6, 0, 0, 4)
    found = by_id(Review, "customer__external_id", "product__sku", "order__external_id", "rating")
    assert found == {
        "r1": ("k1", "A", "1", 5),
        "r2": ("k3", None, None, None),
        "r3": ("k2", None, None, 1),
        "r4": (None, None, None, 3),
        "r5": (None, "A", "1", 4),
        "r6": ("k1", None, "1", 4),
    }
    first = Review.objects.get(external_id="r1")
    assert (first.text, first.written_at) == ("很好", datetime(2026, 1, 9, 2, 0, tzinfo=UTC))
    audit = batch.audit
    assert (audit["unknown_customers"], audit["unknown_orders"]) == (1, 1)
    assert audit["unknown_products"] == 1
    assert (Product.objects.count(), Customer.objects.count()) == (1, 3)
    assert rebuild_drift() == 0
    facts = CustomerFacts.objects.get(customer__external_id="k1")
    assert (facts.review_count, facts.rating_mean) == (2, 4.5)


@pytest.mark.usefixtures("record")
def test_what_was_unknown_is_found_when_the_file_comes_again():
    rows = (REVIEWS, "r1,k7,,,B,7,5,Good,2026-01-09", "r2,,,,,8,,Well,2026-01-09")
    bring(*rows)
    bring("order_id,customer_id,placed_at,total", "7,k7,2026-01-02,90", "8,k7,2026-01-02,90")
    bring("sku", "B")
    rebuild_drift()

    batch = bring(*rows)
    unknown = bring(REVIEWS, "r1,k8,,,C,9,,,2026-01-09")

    assert (fates(batch), fates(unknown)) == ((2, 0, 2, 0, 0), (1, 0, 0, 1, 0))
    found = by_id(Review, "customer__external_id", "product__sku", "order__external_id", "text")
    assert found == {"r1": ("k7", "B", "7", "Good"), "r2": ("k7", None, "8", "Well")}
    assert unknown.audit["unknown_customers"] == 1
    assert rebuild_drift() == 0
    assert CustomerFacts.objects.get(customer__external_id="k7").review_count == 2


@pytest.mark.usefixtures("record")
def test_answers_stay_on_their_scale():
    batch = bring(
        ANSWERS,
        "a1,k1,1,csat,5,Fast,2026-01-09",
        "a2,k2,,nps,0,,2026-01-09",
        "a3,,1,ces,7,,2026-01-09",
        "a4,k1,,csat,0,,2026-01-09",
        "a5,k1,,csat,6,,2026-01-09",
        "a6,k1,,nps,11,,2026-01-09",
        "a7,k1,,ces,8,,2026-01-09",
        "a8,k1,,mood,3,,2026-01-09",
    )

    assert fates(batch) == (8, 3, 0, 0, 5)
    reasons = [row["reason"].partition(":")[0] for row in rejects(batch)]
    assert reasons == ["value"] * 4 + ["metric"]
    assert by_id(SurveyResponse, "customer__external_id", "metric", "value", "comment") == {
        "a1": ("k1", "csat", 5, "Fast"),
        "a2": ("k2", "nps", 0, ""),
        "a3": ("k1", "ces", 7, ""),
    }
    assert rebuild_drift() == 0
    assert CustomerFacts.objects.get(customer__external_id="k1").survey_count == 2


@pytest.mark.usefixtures("record")
def test_a_ticket_is_opened_closed_and_opened_again():
    head = TICKETS
    opened = bring(
        head,
        "t1,k1,1,Where is it?,,,2026-01-09,",
        "t2,k1,,Broken,Handle off,waiting,2026-01-09,",
        "t3,k1,,Done,,,2026-01-09,2026-01-10",
        "t4,k1,,No,,closed,2026-01-09,",
        "t5,k1,,No,,closed,2026-01-09,2026-01-08",
    )
    assert fates(opened) == (5, 3, 0, 0, 2)
    assert [row["reason"].partition(":")[0] for row in rejects(opened)] == ["closed_at"] * 2
    states = by_id(Ticket, "state", "closed_at")
    closed = datetime(2026, 1, 9, 16, 0, tzinfo=UTC)
    assert states == {"t1": ("open", None), "t2": ("waiting", None), "t3": ("closed", closed)}
    rebuild_drift()
    assert CustomerFacts.objects.get(customer__external_id="k1").open_ticket_count == 2

    batch = bring(
        head,
        "t1,k2,1,Where is it?,,closed,2026-01-09,2026-01-10",
        "t2,,,Broken,,,2026-01-09,",
        "t3,k1,,Done,,open,2026-01-09,",
    )

    assert fates(batch) == (3, 0, 2, 1, 0)
    assert by_id(Ticket, "customer__external_id", "state", "closed_at", "body") == {
        "t1": ("k2", "closed", closed, ""),
        "t2": ("k1", "waiting", None, "Handle off"),
        "t3": ("k1", "open", None, ""),
    }
    assert rebuild_drift() == 0
    facts = CustomerFacts.objects.get(customer__external_id="k1")
    assert (facts.ticket_count, facts.open_ticket_count) == (2, 2)


@pytest.mark.usefixtures("record")
def test_consents_are_added_to_customers_who_are_known():
    rows = (
        CONSENTS,
        "k1,,,email,,given,2026-01-09 10:00,Checkbox",
        ",,+4915112345678,sms,news,withdrawn,2026-01-09,Hotline",
        "k1,,,email,,given,2026-01-09 10:00,Again",
        "k9,ann@example.com,,post,,given,2026-01-09,Letter",
        "k9,,,email,,given,2026-01-09,Checkbox",
        "k1,c@x.de,,email,,given,2026-01-09,Checkbox",
        ",,,email,,given,2026-01-09,Checkbox",
        "k1,,,email,,given,2026-01-09,",
        "k1,,,fax,,given,2026-01-09,Checkbox",
        "k1,,,email,,given,2999-01-09,Checkbox",
    )
    batch = bring(*rows)
    FactsMark.objects.all().delete()
    again = bring(*rows)

    assert (fates(batch), fates(again)) == ((10, 3, 0, 1, 6), (10, 0, 0, 4, 6))
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == [
        *["customer_id"] * 3,
        "evidence",
        "channel",
        "at",
    ]
    lines = Consent.objects.order_by("pk").values_list(
        "customer__external_id", "channel", "topic", "action", "evidence"
    )
    assert list(lines) == [
        ("k1", "email", "marketing", "given", "Checkbox"),
        ("k1", "post", "marketing", "given", "Letter"),
        ("k2", "sms", "news", "withdrawn", "Hotline"),
    ]
    assert Customer.objects.count() == 3
    assert not FactsMark.objects.exists()


@pytest.mark.usefixtures("record")
def test_merged_customers_are_found_and_the_erased_stay_erased(staff):
    ann, bob = Customer.objects.filter(external_id__in=["k1", "k2"]).order_by("external_id")
    rows = (REVIEWS, "r1,k1,,,A,1,5,My name is Ann,2026-01-09", "r2,k2,,,,,1,Bad,2026-01-09")
    bring(*rows)
    merge_customers(source_id=bob.pk, target_id=ann.pk, user_id=staff.pk, now=timezone.now())
    keyless = CustomerFactory(source=ann.source, external_id="k5")

    merged = bring(*rows, "r3,k5,,,,,2,,2026-01-09")
    assert fates(merged) == (3, 1, 0, 2, 0)
    assert set(Review.objects.values_list("customer", flat=True)) == {ann.pk, keyless.pk}

    erase_customer(customer_id=ann.pk, user_id=staff.pk, now=timezone.now())
    erased = bring(*rows, "r4,,,,,1,4,,2026-01-09")

    assert fates(erased) == (3, 1, 0, 2, 0)
    assert by_id(Review, "text", "customer")["r1"] == ("", ann.pk)
    assert by_id(Review, "text", "customer")["r4"] == ("", None)
    assert Order.objects.get(external_id="1").customer_id == ann.pk
    assert rebuild_drift() == 0
