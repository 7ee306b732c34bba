"""An import is undone exactly, or refused by name with nothing changed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey
from django.utils import timezone

from analytics.models import CustomerScore, ScoreSnapshot
from crm.core.errors import WrongStateError
from crm.core.models import AuditEntry, Job
from crm.core.registry import registry
from crm.core.services import jobs
from customers.errors import UndoRefusedError, UndoTooLateError
from customers.models import (
    Customer,
    CustomerFacts,
    Identity,
    ImportBatch,
    ImportChange,
    Order,
    OrderLine,
    Refund,
)
from customers.services import erasure, merging
from customers.services.importing import changes, undo
from customers.services.importing.undo.tables import RECORD, references_to_record
from tests.api import publish_scores
from tests.customers.importing.files import bring, fates, finish, rebuild_drift, start
from tests.customers.importing.undoing import in_the_way, undo_import, whole_record
from tests.factories import (
    CustomerFactory,
    ImportBatchFactory,
    OrderFactory,
    ReviewFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

CUSTOMERS = "customer_id,name,email,consent_email,consent_at,consent_evidence"
ANN = "k1,Ann Lee,ann@example.com,given,2026-01-02,Checkout"
BOB = "k2,Bob Ray,bob@example.com,,,"
ORDERS = "order_id,customer_id,placed_at,total,refunded_amount,refunded_at"
LINES = "order_id,line_id,sku,title,category,quantity,unit_price,refunded_quantity,refunded_at"
RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory()


def shape():
    """Return the record without what depends on when rows were made."""
    return (
        sorted(Customer.objects.values_list("external_id", "name", "email")),
        sorted(Identity.objects.values_list("kind", "value", "customer__external_id")),
        sorted(Order.objects.values_list("external_id", "total", "refunded", "customer__name")),
        sorted(OrderLine.objects.values_list("order__external_id", "line_key", "amount")),
        sorted(Refund.objects.values_list("external_id", "amount")),
    )


def test_everything_a_file_made_goes_and_the_file_can_come_again():
    CustomerFactory(external_id="old", name="Old customer")
    rebuild_drift()
    before = whole_record()
    files = [
        (CUSTOMERS, ANN, BOB),
        (ORDERS, "1001,k1,2026-02-01 10:00,20.00,5.00,2026-02-09", "1002,k3,2026-02-02 10:00,9,,"),
        (LINES, "1001,a,CUP,Cup,Kitchen,2,10.00,1,2026-02-09", "1002,a,MUG,Mug,,1,9.00,,"),
    ]
    batches = [bring(*rows) for rows in files]
    first, counts = shape(), [fates(batch) for batch in batches]
    assert whole_record() != before

    for batch in reversed(batches):
        job = undo_import(batch)
        assert (job.state, job.error, batch.state) == ("succeeded", "", "undone")
        assert batch.undone_at is not None

    assert whole_record() == before
    assert not ImportChange.objects.exists()
    assert rebuild_drift() == 0
    assert [fates(bring(*rows)) for rows in files] == counts
    assert shape() == first


def test_changed_rows_are_what_they_were_and_removed_ones_come_back():
    bring(CUSTOMERS, ANN)
    bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,5.00,2026-02-09")
    before = whole_record()
    batch = bring(
        "order_id,customer_id,email,placed_at,total,refunded_amount,refunded_at,currency",
        "1001,k9,new@example.com,2026-02-03 10:00,25.5,0,,EUR",
    )
    assert not Refund.objects.exists()
    plan = undo.plan_undo(batch)
    seen = {
        effect.label: (effect.removed, effect.restored, effect.returned) for effect in plan.effects
    }
    assert seen == {
        "Customers": (1, 0, 0),
        "Orders": (0, 1, 0),
        "Refunds": (0, 0, 1),
        "Identities": (2, 0, 0),
    }

    assert undo_import(batch).state == "succeeded"

    assert whole_record() == before
    assert rebuild_drift() == 0


def refused(batch):
    """Try to undo; return the sentences, after seeing that nothing has changed."""
    before, state = whole_record(), batch.state
    with pytest.raises(UndoRefusedError) as caught:
        undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    assert whole_record() == before
    batch.refresh_from_db()
    assert (batch.state, batch.undo_job) == (state, None)
    says = [one["says"] for one in caught.value.details["refusals"]]
    assert says == in_the_way(batch)
    return says


def test_a_later_import_is_named_and_undone_first():
    first = bring(CUSTOMERS, ANN, name="a.csv")
    before = whole_record()
    second = bring("customer_id,name", "k1,Ann Lee-Ray", name="b.csv")

    (says,) = refused(first)

    day = timezone.localtime(second.created_at)
    assert says.startswith("Customer Ann Lee-Ray was changed since by the import “b.csv” of ")
    assert str(day.year) in says
    assert undo_import(second).state == "succeeded"
    assert whole_record() == before
    assert undo_import(first).state == "succeeded"
    assert whole_record() == {}


def test_an_order_that_came_later_keeps_its_customer():
    first = bring(CUSTOMERS, ANN, name="a.csv")
    bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,,", name="b.csv")

    (says,) = refused(first)

    assert says.startswith("Order 1001, from the import “b.csv” of ")
    assert says.endswith("refers to Customer Ann Lee, which this import made.")


def test_rows_made_by_hand_keep_what_they_refer_to():
    batch = bring(CUSTOMERS, ANN)
    ann = Customer.objects.get()
    ReviewFactory(customer=ann, external_id="r-7")

    assert refused(batch) == ["Review r-7 refers to Customer Ann Lee, which this import made."]


def edit(ann):
    Customer.objects.filter(pk=ann.pk).update(name="Anne Lee")


def merge(ann):
    other = CustomerFactory(name="Other")
    merging.merge_customers(source_id=ann.pk, target_id=other.pk, user_id=None, now=timezone.now())


def erase(ann):
    erasure.erase_customer(customer_id=ann.pk, user_id=None, now=timezone.now())


def remove_key(ann):
    Identity.objects.filter(customer=ann, kind="email").delete()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit, "Customer Anne Lee was changed since."),
        (merge, "Customer Ann Lee was merged since."),
        (erase, ": the customer was erased since."),
        (remove_key, " is no longer there."),
    ],
)
def test_what_people_did_since_is_named_and_kept(change, says):
    batch = bring(CUSTOMERS, ANN)
    change(Customer.objects.get())

    sentences = refused(batch)

    assert says in sentences[0], sentences


def test_up_to_twenty_are_named_and_the_others_counted():
    rows = [f"k{n},Name {n},n{n}@example.com,,," for n in range(25)]
    batch = bring(CUSTOMERS, *rows)
    Customer.objects.update(city="Paris")

    assert len(refused(batch)) == 20

    plan = undo.plan_undo(batch)
    assert (plan.refused, plan.others) == (25, 5)


def test_a_change_by_others_between_two_steps_of_the_import_is_not_lost(monkeypatch):
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 1)
    bring(CUSTOMERS, ANN)
    batch = start(f"{ORDERS},email\n1001,k1,2026-02-01 10:00,20,5,2026-02-09,x@example.com\n")
    with changes.recorded(batch.pk):
        Customer.objects.update(city="Paris")
    Customer.objects.update(name="By hand")
    with changes.recorded(batch.pk):
        Customer.objects.update(city="Rome")
    finish(batch)

    assert refused(batch) == ["Customer By hand was changed by others while this import ran."]


def test_an_erased_customers_former_rows_are_forgotten():
    bring(CUSTOMERS, ANN)
    batch = bring("customer_id,name,city", "k1,Ann Lee-Ray,Leeds")
    assert "Ann Lee" in str(list(ImportChange.objects.values_list("before", flat=True)))

    erase(Customer.objects.get())

    kept = str(list(ImportChange.objects.values_list("before", flat=True)))
    assert "Ann" not in kept
    assert "ann@example.com" not in kept
    assert refused(batch)


def test_a_refund_of_an_erased_customer_does_not_come_back():
    bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,5.00,2026-02-09")
    batch = bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,0,")
    erase(Customer.objects.get())

    says = refused(batch)

    assert says[-1].startswith("Refund ")
    assert says[-1].endswith(": the customer was erased since.")
    assert not Refund.objects.exists()


def test_a_row_whose_key_is_taken_by_now_does_not_come_back():
    bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,5.00,2026-02-09")
    second = bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,0,")
    bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,4.00,2026-02-10")

    sentences = refused(second)

    taken = "Refund 1001|order cannot come back: Refund 1001|order has its key now."
    assert sentences[-1] == taken


def test_what_would_point_at_nothing_does_not_come_back():
    first = bring(CUSTOMERS, ANN)
    order = OrderFactory(
        source=first.source, external_id="1001", customer=Customer.objects.get(), total=20
    )
    second = bring(ORDERS, "1001,k2,2026-02-01 10:00,20.00,,")
    assert undo_import(first).state == "succeeded"

    assert refused(second) == ["Order 1001 would point at something that is no longer there."]
    order.refresh_from_db()
    assert order.customer.external_id == "k2"


def test_computed_rows_go_with_the_customer():
    batch = bring(ORDERS, "1001,k1,2026-02-01 10:00,20.00,,")
    rebuild_drift()
    (ann,) = Customer.objects.all()
    run = ScoringRunFactory()
    publish_scores(run, [{"customer": ann, "reasons": {}}])
    ScoreSnapshot.objects.create(customer=ann, run=run, month="2026-02-01")
    assert CustomerFacts.objects.filter(customer=ann).exists()

    assert undo_import(batch).state == "succeeded"

    assert not Customer.objects.exists()
    for model in (CustomerFacts, CustomerScore, ScoreSnapshot):
        assert not model._default_manager.filter(customer_id=ann.pk).exists()


def test_the_history_of_removed_rows_goes_too():
    batch = bring(CUSTOMERS, ANN)
    history = [
        model for model in apps.get_models() if getattr(model, "pgh_tracked_model", None) in RECORD
    ]

    undo_import(batch)

    assert len(history) >= 3
    for model in history:
        assert not model._default_manager.exists(), model


def test_a_foreign_key_to_a_customer_is_computed_or_keeps_the_customer():
    keys = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if not hasattr(model, "pgh_tracked_model")
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Customer
    }
    computed = {slot.key for slot in registry.computed_rows}
    references = {one.key for one in references_to_record() if one.target is Customer}

    assert computed < keys
    assert references == keys - computed
    assert {"customers.Order.customer", "customers.MergeRecord.source_customer"} <= references
    assert {"customers.CustomerFacts.customer", "analytics.CustomerScore.customer"} <= computed


def test_every_table_of_the_record_writes_down_what_imports_do():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger"
            " WHERE tgfoid = 'customers_record_import_change'::regproc GROUP BY 1"
        )
        found = dict(cursor.fetchall())

    assert found == dict.fromkeys((model._meta.db_table for model in RECORD), 3)


def test_only_the_imports_own_statements_are_written_down():
    CustomerFactory()
    batch = bring(CUSTOMERS, ANN)
    mine = list(ImportChange.objects.values_list("table_name", "before", "batch"))
    CustomerFactory()
    Customer.objects.update(city="Paris")

    assert len(mine) == 4
    assert {batch_id for _name, _before, batch_id in mine} == {batch.pk}
    assert ImportChange.objects.count() == 4


@pytest.mark.parametrize("state", ["uploaded", "running", "undone"])
def test_an_import_that_has_not_ended_or_is_undone_is_left(state):
    batch = ImportBatchFactory(state=state, undone_at=timezone.now() if state == "undone" else None)

    with pytest.raises(WrongStateError) as caught:
        undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())

    assert caught.value.code == "wrong_state"
    assert not Job.objects.exists()


def test_an_undo_is_not_started_twice():
    batch = bring(CUSTOMERS, ANN)
    undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())

    with pytest.raises(WrongStateError):
        undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())

    assert Job.objects.filter(kind=undo.KIND).count() == 1


def test_a_cancelled_import_gives_its_steps_back(monkeypatch):
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 1)
    monkeypatch.setattr("customers.services.importing.handler.time.monotonic", iter_clock())
    batch = start("\n".join([CUSTOMERS, ANN, BOB]) + "\n")
    jobs.run_job(job_id=batch.job_id, worker="test", now=timezone.now(), seconds=0)
    while not Customer.objects.exists():
        jobs.run_job(job_id=batch.job_id, worker="test", now=timezone.now(), seconds=0)
    jobs.cancel_job(job_id=batch.job_id, now=timezone.now())
    batch.refresh_from_db()
    assert (batch.state, Customer.objects.count()) == ("cancelled", 1)

    assert undo_import(batch).state == "succeeded"

    assert whole_record() == {}


def iter_clock():
    """Return a clock on which every look takes an hour, so that a chunk is one step."""
    now = [0.0]

    def look():
        now[0] += 3600
        return now[0]

    return look


def test_a_job_that_meets_a_change_names_it_and_changes_nothing():
    batch = bring(CUSTOMERS, ANN)
    job = undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    edit(Customer.objects.get())
    before = whole_record()

    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    job = Job.objects.get(pk=job.pk)
    batch.refresh_from_db()
    assert (job.state, batch.state) == ("failed", "finished")
    assert job.error == "Nothing was undone: 1 row was changed since, or is needed."
    assert "Ann" not in str(job.result)
    found, others = undo.last_refusals(batch)
    assert (undo.words(found), others) == (["Customer Anne Lee was changed since."], 0)
    assert whole_record() == before


def test_the_undo_is_on_record():
    user = UserFactory()
    batch = bring(CUSTOMERS, ANN)
    job = undo.start_undo(batch_id=batch.pk, user_id=user.pk, now=timezone.now())
    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    entry = AuditEntry.objects.get(action="import.undone")
    assert (entry.actor, entry.object_id) == (user, batch.public_id)
    assert entry.details == {
        "customers.customer": {"remove": 1},
        "customers.consent": {"remove": 1},
        "customers.identity": {"remove": 2},
    }


def test_changes_are_kept_for_some_days_and_then_it_is_too_late(settings):
    settings.IMPORT_UNDO_DAYS = 30
    old, young = bring(CUSTOMERS, ANN), bring(CUSTOMERS, BOB)
    now = timezone.now()
    ImportBatch.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=31))

    with pytest.raises(UndoTooLateError):
        undo.start_undo(batch_id=old.pk, user_id=None, now=now)
    assert changes.prune_changes(now=now) == 1
    assert changes.prune_changes(now=now) == 0

    assert set(ImportChange.objects.values_list("batch", flat=True)) == {young.pk}
    settings.IMPORT_UNDO_DAYS = 60
    with pytest.raises(UndoTooLateError):
        undo.start_undo(batch_id=old.pk, user_id=None, now=now)
    assert undo_import(young).state == "succeeded"


def test_a_job_that_comes_too_late_undoes_nothing():
    batch = bring(CUSTOMERS, ANN)
    job = undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    ImportBatch.objects.filter(pk=batch.pk).update(keeps_changes=False)
    ImportChange.objects.all().delete()

    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    batch.refresh_from_db()
    assert (Job.objects.get(pk=job.pk).state, batch.state) == ("failed", "finished")
    assert Customer.objects.count() == 1


def test_cancellations_of_a_later_file_keep_the_lines_they_net():
    first = bring(RETAIL, "1,A,Cup,3,2011-01-03 10:00,2.00,7,France", name="a.csv")
    before = whole_record()
    second = bring(RETAIL, "C2,A,Cup,-1,2011-01-04 10:00,2.00,7,France", name="b.csv")

    sentences = refused(first)

    assert sentences[0].startswith("Order 1 was changed since by the import “b.csv” of ")
    assert undo_import(second).state == "succeeded"
    assert whole_record() == before
    assert undo_import(first).state == "succeeded"
    assert whole_record() == {}
