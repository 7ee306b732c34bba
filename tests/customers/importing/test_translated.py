"""Files of other systems: translated, tried out, mapped by hand, with what staff said of them."""

from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.models import Job
from customers.enums import ImportFormat, ImportState
from customers.errors import (
    ImportStateError,
    InvalidMappingError,
    InvalidOptionsError,
    UnknownFormatError,
)
from customers.models import (
    Consent,
    Customer,
    Identity,
    ImportBatch,
    ImportMapping,
    ImportRow,
    Order,
    OrderLine,
    ShopSettings,
)
from customers.services import importing
from tests.customers.importing import files

SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
    "Billing Name,Refunded Amount,Id,Cancelled at",
    "#1001,ann@example.com,paid,2026-01-05 10:00:00 +0100,fulfilled,EUR,40.00,5.00,0.00,45.00,"
    "0.00,2026-01-05 09:59:00 +0100,2,Mug,15.00,MUG-1,Ann Lee,0.00,9001,",
    "#1001,ann@example.com,,,,,,,,,,2026-01-05 09:59:00 +0100,1,Tea,10.00,TEA-1,,,,",
    "#1002,,paid,2026-01-06 10:00:00 +0100,,EUR,10.00,0.00,0.00,10.00,"
    "0.00,2026-01-06 09:59:00 +0100,1,Tea,10.00,TEA-1,,0.00,9002,",
)
OTHER = (
    "Bestellung;Kunde;Datum;Summe",
    "A-1;K7;13.02.2026 10:00;1.234,50",
    "A-2;K7;14.02.2026 11:00;12,00",
    "A-3;K8;99.99.2026;1,00",
)
MAPPING = {
    "kind": "orders",
    "columns": {
        "order_id": "Bestellung",
        "customer_id": "Kunde",
        "placed_at": "Datum",
        "total": "Summe",
    },
    "rules": {"decimal_mark": ",", "date_order": "dmy", "zone": "Europe/Berlin"},
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(db):
    """A shop in Berlin that counts in euro."""
    ShopSettings.objects.create(name="Shop", currency="EUR", zone="Europe/Berlin")


def receive(*rows, **more):
    return importing.receive_file(
        file=ContentFile(("\n".join(rows) + "\n").encode()),
        filename="file.csv",
        source_key="shop",
        user_id=None,
        now=timezone.now(),
        **more,
    )


def run(batch, **more):
    importing.begin_import(batch_id=batch.pk, user_id=None, **more)
    batch.refresh_from_db()
    return files.finish(batch)


def test_a_row_of_a_shopify_file_tells_of_an_order_and_of_a_line():
    batch = files.bring(*SHOPIFY)
    assert batch.format == ImportFormat.SHOPIFY_ORDERS
    order = Order.objects.get(external_id="#1001")
    assert (order.total, order.charges, order.currency) == (Decimal(45), Decimal(5), "EUR")
    assert order.customer.email == "ann@example.com"
    lines = OrderLine.objects.filter(order=order).order_by("pk").values_list("sku", "quantity")
    assert list(lines) == [("MUG-1", 2), ("TEA-1", 1)]
    assert files.fates(batch) == (3, 3, 0, 0, 0)
    assert batch.audit["kinds"]["orders"]["created"] == 2
    assert batch.audit["kinds"]["lines"]["created"] == 3
    assert Order.objects.get(external_id="#1002").customer is None
    assert files.fates(files.bring(*SHOPIFY)) == (3, 0, 0, 3, 0)


def test_one_changed_line_updates_its_row_alone():
    files.bring(*SHOPIFY)
    changed = [
        row.replace("1,Tea,10.00,TEA-1,,,,", "1,Green tea,10.00,TEA-1,,,,") for row in SHOPIFY
    ]
    assert files.fates(files.bring(*changed)) == (3, 0, 1, 2, 0)


def test_rows_of_products_are_counted_with_the_products_they_make():
    rows = (
        "Handle,Title,Vendor,Option1 Value,Variant SKU,Variant Price,Image Src",
        "mug,Mug,Acme,Blue,MUG-B,9.00,",
        "mug,,,Red,MUG-R,9.00,",
        "mug,,,,,,https://example.com/mug.jpg",
    )

    batch = files.bring(*rows)

    assert batch.format == ImportFormat.SHOPIFY_PRODUCTS
    assert batch.audit["kinds"]["products"]["created"] == 2
    assert files.fates(batch) == (3, 2, 0, 1, 0)
    assert files.fates(files.bring(*rows)) == (3, 0, 0, 3, 0)


def test_a_dry_run_counts_what_the_import_will_count_and_changes_nothing():
    broken = (*SHOPIFY, SHOPIFY[1].replace("#1001", "#1003").replace("45.00", "forty"))
    batch = receive(*broken)
    assert (batch.format, batch.job) == (ImportFormat.SHOPIFY_ORDERS, None)
    run(batch, dry_run=True)
    assert batch.state == ImportState.CHECKED
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not Identity.objects.exists()
    assert batch.trial["rows"]["rows_created"] == 3
    assert batch.trial["rows"]["rows_rejected"] == 1
    assert batch.trial["first"][0]["row"] == 4
    assert batch.trial["first"][0]["cells"]["Name"] == "#1003"
    assert (batch.rows_created, batch.audit) == (0, {})
    assert not batch.job.error_file

    run(batch)
    assert batch.state == ImportState.FINISHED
    assert files.fates(batch) == (4, 3, 0, 0, 1)
    assert files.rejects(batch)[0]["Name"] == "#1003"
    assert not ImportRow.objects.exists()


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_a_dry_run_of_a_larger_file_tries_the_first_rows_and_the_import_goes_on(settings, most):
    # The second row is the second line of the first order: its state has to come along.
    settings.DRY_RUN_ROWS = most
    batch = receive(*SHOPIFY)

    run(batch, dry_run=True)

    assert batch.trial["rows"]["rows_total"] == min(most, 3)
    assert batch.trial["is_partial"] is (most < 3)
    assert not Order.objects.exists()

    run(batch)

    assert files.fates(batch) == (3, 3, 0, 0, 0)
    lines = OrderLine.objects.order_by("pk").values_list("order__external_id", "sku", "quantity")
    assert list(lines) == [("#1001", "MUG-1", 2), ("#1001", "TEA-1", 1), ("#1002", "TEA-1", 1)]
    assert batch.audit["kinds"]["orders"]["created"] == 2


def test_a_second_dry_run_under_a_lower_limit_ends_and_loses_no_row(settings):
    settings.DRY_RUN_ROWS = 2
    batch = run(receive(*SHOPIFY), dry_run=True)
    settings.DRY_RUN_ROWS = 1

    run(batch, dry_run=True)

    assert batch.trial["rows"]["rows_total"] == 2  # what is staged already is tried out again
    assert batch.trial["is_partial"] is True
    assert files.fates(run(batch)) == (3, 3, 0, 0, 0)


def test_a_dry_run_that_is_cancelled_leaves_nothing():
    batch = receive(*SHOPIFY)
    importing.begin_import(batch_id=batch.pk, user_id=None, dry_run=True)
    Job.objects.update(cancel_requested_at=timezone.now())
    batch.refresh_from_db()
    files.finish(batch)
    assert batch.job.state == JobState.CANCELLED
    assert batch.state == ImportState.CANCELLED
    assert not ImportRow.objects.exists()
    assert not Order.objects.exists()
    assert run(batch).state == ImportState.FINISHED


def test_a_file_is_not_brought_in_twice_at_once_or_again():
    batch = receive(*SHOPIFY)
    importing.begin_import(batch_id=batch.pk, user_id=None)
    with pytest.raises(ImportStateError, match="reads this file already"):
        importing.begin_import(batch_id=batch.pk, user_id=None)
    batch.refresh_from_db()
    files.finish(batch)
    with pytest.raises(ImportStateError, match="brought in already"):
        importing.begin_import(batch_id=batch.pk, user_id=None)


def test_an_unknown_header_waits_for_a_mapping_which_is_remembered():
    batch = receive(*OTHER)
    assert batch.format == ""
    with pytest.raises(UnknownFormatError, match="which column is which"):
        importing.begin_import(batch_id=batch.pk, user_id=None)
    importing.describe_import(batch_id=batch.pk, mapping=MAPPING)
    run(batch)
    assert files.fates(batch) == (3, 2, 0, 0, 1)
    order = Order.objects.get(external_id="A-1")
    assert order.total == Decimal("1234.5")
    assert order.placed_at.isoformat() == "2026-02-13T09:00:00+00:00"
    assert order.customer.external_id == "K7"

    again = receive(*OTHER)
    assert (again.format, again.mapping) == (ImportFormat.MAPPED, batch.mapping)
    assert ImportMapping.objects.count() == 1


def test_a_mapping_that_does_not_fit_keeps_nothing():
    wrong = {**MAPPING, "columns": {**MAPPING["columns"], "total": "Betrag"}}
    with pytest.raises(InvalidMappingError, match="Betrag"):
        files.start("\n".join(OTHER), mapping=wrong)
    assert not ImportBatch.objects.exists()
    batch = receive(*OTHER)
    with pytest.raises(InvalidMappingError, match="order_id"):
        importing.describe_import(batch_id=batch.pk, mapping={"kind": "orders", "columns": {}})
    batch.refresh_from_db()
    assert batch.format == ""


def test_another_mapping_drops_the_dry_run_of_the_first():
    batch = receive(*OTHER, mapping=MAPPING)
    run(batch, dry_run=True)
    assert batch.trial["rows"]["rows_created"] == 2
    assert ImportRow.objects.count() == 3
    importing.describe_import(batch_id=batch.pk, mapping=MAPPING)
    batch.refresh_from_db()
    assert (batch.trial, batch.state) == ({}, ImportState.UPLOADED)
    assert not ImportRow.objects.exists()


CUSTOMERS = "customer_id,name,city,email", "c1,Ann,Bath,ann@example.com", "c2,Bob,York,"


def test_kept_columns_are_only_filled_where_nothing_is_held():
    files.bring(*CUSTOMERS)
    Customer.objects.filter(external_id="c1").update(name="Ann Lee", city="")
    batch = files.bring(*CUSTOMERS, options={"keep": ["name", "city"]})
    held = Customer.objects.get(external_id="c1")
    assert (held.name, held.city) == ("Ann Lee", "Bath")
    assert files.fates(batch) == (2, 0, 1, 1, 0)


def test_declared_consent_is_written_with_its_evidence_and_never_over_a_word_of_theirs():
    given = {"at": "2026-01-02", "basis": "opt-in", "evidence": "checkout box, form 3"}
    files.bring(*CUSTOMERS)
    ann = Customer.objects.get(external_id="c1")
    batch = files.bring(*CUSTOMERS, options={"consent": {"email": given}})
    line = Consent.objects.get()
    assert (line.customer, line.channel, line.action) == (ann, "email", "given")
    assert line.at.isoformat() == "2026-01-01T23:00:00+00:00"
    assert line.evidence == f"opt-in: checkout box, form 3 ({batch.public_id})"
    files.bring(*CUSTOMERS, options={"consent": {"email": {**given, "at": "2026-02-02"}}})
    assert Consent.objects.count() == 1


def test_buyers_of_an_order_file_may_have_agreed_too():
    given = {"at": "2026-01-02", "basis": "opt-in", "evidence": "checkout box"}
    files.bring(*SHOPIFY, options={"consent": {"email": given}})
    assert Consent.objects.get().customer.email == "ann@example.com"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keep": ["total"]}, "cannot be kept: total"),
        ({"consent": {"email": {"at": "2026-01-02"}}}, "legal basis"),
        ({"consent": {"fax": {}}}, "email, sms"),
        ({"consent": {"email": {"at": "soon", "basis": "b", "evidence": "e"}}}, "soon"),
        ({"rules": {"zone": "Mars"}}, "no such time zone"),
        ({"colour": "red"}, "no options colour"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(options, says):
    with pytest.raises(InvalidOptionsError, match=says):
        files.start("\n".join(CUSTOMERS), options=options)
    assert not ImportBatch.objects.exists()


SHOPIFY_CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Accepts SMS Marketing,"
    "Total Spent,Total Orders",
    "'701,Ann,Lee,ann@example.com,yes,'+4915112345678,no,10.00,1",
    "'702,Bob,May,bob@example.com,no,,no,0.00,0",
)


def test_a_no_counts_at_once_and_a_yes_only_with_day_and_basis():
    batch = files.bring(*SHOPIFY_CUSTOMERS)
    assert files.fates(batch) == (2, 2, 0, 0, 0)
    said = Consent.objects.order_by("customer_id", "channel").values_list(
        "customer__external_id", "channel", "action"
    )
    assert list(said) == [
        ("701", "sms", "withdrawn"),
        ("702", "email", "withdrawn"),
        ("702", "sms", "withdrawn"),
    ]
    (remark,) = batch.audit["remarks"]
    assert remark.startswith("consent_email: the file says yes")

    given = {"at": "2026-01-02", "basis": "opt-in", "evidence": "checkout box"}
    files.bring(*SHOPIFY_CUSTOMERS, options={"consent": {"email": given}})
    line = Consent.objects.get(action="given")
    assert (line.customer.external_id, line.channel) == ("701", "email")
    assert "Accepts Email Marketing = yes" in line.evidence
    assert "opt-in: checkout box" in line.evidence
    assert not Consent.objects.filter(customer__external_id="702", action="given").exists()


def test_a_needed_column_that_stands_twice_is_refused():
    twice = (f"{SHOPIFY[0]},Total", *(f"{row}," for row in SHOPIFY[1:]))
    with pytest.raises(UnknownFormatError, match="appear twice: Total"):
        files.start("\n".join(twice))
    assert not ImportBatch.objects.exists()
    harmless = (f"{SHOPIFY[0]},Vendor,Vendor", *(f"{row},," for row in SHOPIFY[1:]))
    assert files.fates(files.bring(*harmless)) == (3, 3, 0, 0, 0)


def test_one_row_an_item_may_be_mapped_to_orders_with_their_lines():
    rows = (
        "No,When,Sum,Article,Pieces,Each",
        "B1,2026-01-02,30,Mug,1,10",
        "B1,2026-01-02,30,Tea,2,10",
    )
    mapping = {
        "kind": "orders_with_lines",
        "columns": {
            "order_id": "No", "placed_at": "When", "total": "Sum", "sku": "Article",
            "quantity": "Pieces", "unit_price": "Each",
        },
    }  # fmt: skip
    batch = files.bring(*rows, mapping=mapping)
    assert files.fates(batch) == (2, 2, 0, 0, 0)
    assert Order.objects.get().total == 30
    assert OrderLine.objects.count() == 2
