"""Facts: marked, refreshed, aged, compared; and what a refresh costs."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.models import Job, JobLog
from crm.core.services import jobs
from customers import tasks
from customers.models import CustomerFacts, FactsMark, Order
from customers.services import facts
from customers.services.facts import refresh, sql
from tests.factories import (
    NOON,
    CustomerFactory,
    OrderFactory,
    OrderLineFactory,
    RefundFactory,
    ShopSettingsFactory,
)
from tests.workers import sweep_until_final

DAY = timedelta(days=1)
AS_OF = date(2026, 3, 3)


def marked(*customers):
    facts.mark_dirty(customer.pk for customer in customers)


def rebuild(now=None):
    """Run a rebuild here, and return its report."""
    job, _created = facts.start_rebuild()
    held = jobs.claim_job(job_id=job.pk, worker="here:1", now=timezone.now())
    while not facts.rebuild_chunk(held, now=now or NOON, limit=2):
        pass
    job.refresh_from_db()
    return job.result


@pytest.fixture
def shop(db):
    return ShopSettingsFactory()


def test_today_is_in_and_money_is_net(shop):
    customer = CustomerFactory()
    order = OrderFactory(customer=customer, total=Decimal("20.00"), refunded_shop=Decimal("5.00"))
    OrderLineFactory(order=order, quantity=2, unit_cost=Decimal("3.00"))
    OrderFactory(customer=customer, placed_at=NOON - 40 * DAY, total=Decimal("10.00"))
    OrderFactory(customer=customer, total=Decimal("99.00"), refunded_shop=Decimal("99.00"))
    RefundFactory(customer=customer, amount=Decimal("2.50"))
    marked(customer)

    assert facts.refresh_facts(now=NOON) == 1

    row = CustomerFacts.objects.get(customer=customer)
    assert (row.as_of_day, row.order_count, row.orders_30d, row.orders_90d) == (AS_OF, 2, 1, 2)
    assert (row.gross_spend, row.refund_total) == (Decimal("129.0000"), Decimal("106.5000"))
    assert row.total_spend == Decimal("22.5000")
    assert (row.spend_30d, row.provisional_spend) == (Decimal("12.5000"), Decimal("15.0000"))
    assert row.margin is None  # an order without lines has an unknown cost
    assert row.ages_on == AS_OF - DAY + timedelta(days=31)
    assert not FactsMark.objects.exists()


def test_margin_is_known_where_every_cost_is(shop):
    customer = CustomerFactory()
    order = OrderFactory(customer=customer, total=Decimal("20.00"), shipping_cost=Decimal("2.00"))
    line = OrderLineFactory(order=order, quantity=2, unit_cost=Decimal("3.00"))
    marked(customer)
    facts.refresh_facts(now=NOON)
    assert CustomerFacts.objects.get().margin == Decimal("12.0000")

    OrderLineFactory(order=order, quantity=1, refunded_quantity=1, unit_cost=None)
    marked(customer)
    facts.refresh_facts(now=NOON)
    assert CustomerFacts.objects.get().margin == Decimal("12.0000")  # it came back: no cost

    line.unit_cost = None
    line.save()
    marked(customer)
    facts.refresh_facts(now=NOON)
    assert CustomerFacts.objects.get().margin is None


def test_a_customer_without_orders_has_a_row_of_zeros(shop):
    customer = CustomerFactory()
    marked(customer)

    facts.refresh_facts(now=NOON)

    row = CustomerFacts.objects.get(customer=customer)
    assert (row.order_count, row.total_spend, row.spend_365d) == (0, 0, 0)
    assert (row.first_order_at, row.last_order_day, row.margin, row.ages_on) == (None,) * 4


def test_a_merged_customer_loses_the_row(shop):
    target = CustomerFactory()
    customer = CustomerFactory()
    marked(customer)
    facts.refresh_facts(now=NOON)

    customer.lifecycle, customer.merged_into = "merged", target
    customer.save()
    marked(customer)
    facts.refresh_facts(now=NOON)

    assert not CustomerFacts.objects.filter(customer=customer).exists()


def test_a_day_is_the_shops_day(shop):
    shop.zone = "Asia/Shanghai"
    shop.save()
    assert facts.facts_day(now=datetime(2026, 3, 2, 15, 59, tzinfo=UTC)) == date(2026, 3, 3)
    assert facts.facts_day(now=datetime(2026, 3, 2, 16, 0, tzinfo=UTC)) == date(2026, 3, 4)


def test_only_what_changed_is_written(shop):
    customers = CustomerFactory.create_batch(3)
    marked(*customers)
    facts.refresh_facts(now=NOON)

    OrderFactory(customer=customers[0], placed_at=NOON)
    marked(*customers)
    assert facts.refresh_facts(now=NOON + timedelta(minutes=5)) == 3

    later = CustomerFacts.objects.filter(computed_at__gt=NOON).values_list("customer", flat=True)
    assert list(later) == [customers[0].pk]


def test_windows_age_and_nobody_else_is_touched(shop):
    customer, idle = CustomerFactory(), CustomerFactory()
    OrderFactory(customer=customer, total=Decimal("20.00"))
    marked(customer, idle)
    facts.refresh_facts(now=NOON)

    assert facts.age_facts(now=NOON + 29 * DAY) == 0
    assert facts.age_facts(now=NOON + 30 * DAY) == 1
    row = CustomerFacts.objects.get(customer=customer)
    assert (row.orders_30d, row.spend_30d, row.provisional_spend) == (0, 0, 0)
    assert (row.orders_90d, row.ages_on) == (1, date(2026, 3, 2) + 91 * DAY)

    assert facts.age_facts(now=NOON + 1000 * DAY) == 1
    assert facts.age_facts(now=NOON + 1001 * DAY) == 0
    assert CustomerFacts.objects.get(customer=idle).computed_at == NOON


@pytest.mark.parametrize("marks", [10, 1_000])
def test_a_refresh_costs_the_same_number_of_queries_for_any_number_of_marks(
    marks, shop, django_assert_max_num_queries
):
    customer = CustomerFactory()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (source_id, external_id)"
            " SELECT %s, 'many-' || n FROM generate_series(2, %s) n",
            [customer.source_id, marks],
        )
    facts.mark_all_dirty()

    with django_assert_max_num_queries(10):
        assert facts.refresh_facts(now=NOON) == marks

    assert CustomerFacts.objects.count() == marks


def test_marks_of_one_customer_are_one_computation(shop):
    customer = CustomerFactory()
    for _mark in range(5):
        marked(customer)

    assert facts.refresh_facts(now=NOON, limit=1) == 1
    assert not FactsMark.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_commits_during_a_refresh_is_never_lost(monkeypatch):
    ShopSettingsFactory()
    customer = CustomerFactory()
    marked(customer)
    taken, written = threading.Event(), threading.Event()
    write_facts = refresh.write_facts

    def write_late(ids, *, now, **how):
        taken.set()
        assert written.wait(timeout=10)
        return write_facts(ids, now=now, **how)

    def writer():
        try:
            assert taken.wait(timeout=10)
            with transaction.atomic():
                OrderFactory(customer=customer)
                marked(customer)
        finally:
            written.set()
            connection.close()

    monkeypatch.setattr(refresh, "write_facts", write_late)
    thread = threading.Thread(target=writer)
    thread.start()
    assert facts.refresh_facts(now=NOON) == 1
    thread.join(timeout=10)

    # Seen already, because computed after the commit; and the new mark is still there.
    assert CustomerFacts.objects.get().order_count == 1
    assert FactsMark.objects.count() == 1
    assert facts.refresh_facts(now=NOON) == 1
    assert CustomerFacts.objects.get().order_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_writer_still_open_during_a_refresh_is_computed_by_the_next():
    ShopSettingsFactory()
    customer = CustomerFactory()
    marked(customer)
    open_, refreshed = threading.Event(), threading.Event()

    def writer():
        try:
            with transaction.atomic():
                OrderFactory(customer=customer)
                marked(customer)
                open_.set()
                assert refreshed.wait(timeout=10)
        finally:
            connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    assert open_.wait(timeout=10)
    assert facts.refresh_facts(now=NOON) == 1
    assert CustomerFacts.objects.get().order_count == 0
    refreshed.set()
    thread.join(timeout=10)

    assert facts.refresh_facts(now=NOON) == 1
    assert CustomerFacts.objects.get().order_count == 1


@pytest.mark.django_db(transaction=True)
def test_two_refreshes_do_not_overtake_each_other():
    ShopSettingsFactory()
    marked(CustomerFactory())
    held, done = threading.Event(), threading.Event()

    def other():
        try:
            with transaction.atomic():
                refresh.lock_facts()
                held.set()
                assert done.wait(timeout=10)
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(timeout=10)
    assert facts.refresh_facts(now=NOON) == 0
    done.set()
    thread.join(timeout=10)

    assert FactsMark.objects.count() == 1
    assert facts.refresh_facts(now=NOON) == 1


def test_a_rebuild_finds_injected_drift_and_mends_it(shop):
    customers = CustomerFactory.create_batch(5)
    for customer in customers:
        OrderFactory(customer=customer)
    facts.mark_all_dirty()
    facts.refresh_facts(now=NOON)
    CustomerFacts.objects.filter(customer=customers[1]).update(total_spend=F("total_spend") + 1)
    CustomerFacts.objects.filter(customer=customers[3]).delete()
    Order.objects.filter(customer=customers[4]).update(refunded_shop=Decimal("4.00"))

    report = rebuild()

    assert (report["checked"], report["drift_rows"]) == (5, 3)
    assert report["examples"] == [customers[n].public_id for n in (1, 3, 4)]
    assert report["drift_columns"]["total_spend"] == 2
    assert report["drift_columns"]["missing row"] == 1
    said = JobLog.objects.filter(level="warning").order_by("pk").last()
    assert said.message.startswith("Checked 5 customers; 3 rows had drifted.")
    assert "missing row 1" in said.message
    assert rebuild()["drift_rows"] == 0
    assert JobLog.objects.order_by("pk").last().message == (
        "Checked 5 customers; 0 rows had drifted."
    )
    assert CustomerFacts.objects.get(customer=customers[4]).total_spend == Decimal("16.0000")


def test_what_is_announced_is_no_drift(shop):
    customers = CustomerFactory.create_batch(3)
    OrderFactory(customer=customers[1], placed_at=NOON - 29 * DAY)
    facts.mark_all_dirty()
    facts.refresh_facts(now=NOON)
    OrderFactory(customer=customers[0], placed_at=NOON)
    marked(customers[0])

    report = rebuild(now=NOON + 5 * DAY)  # and the window of the second has moved meanwhile

    assert (report["checked"], report["drift_rows"], report["examples"]) == (3, 0, [])
    assert CustomerFacts.objects.get(customer=customers[0]).order_count == 1
    assert CustomerFacts.objects.get(customer=customers[1]).orders_30d == 0


def test_the_nightly_rebuild_is_made_once_a_local_day_after_its_hour(shop):
    shop.zone, shop.nightly_hour = "Asia/Shanghai", 3
    shop.save()

    assert facts.start_nightly_rebuild(now=datetime(2026, 3, 1, 18, 59, tzinfo=UTC)) is None
    first = facts.start_nightly_rebuild(now=datetime(2026, 3, 1, 19, 0, tzinfo=UTC))
    assert first.key == "2026-03-02"
    assert facts.start_nightly_rebuild(now=datetime(2026, 3, 2, 15, 0, tzinfo=UTC)) is None
    # Three days without a clock are caught up once.
    assert facts.start_nightly_rebuild(now=datetime(2026, 3, 5, 15, 0, tzinfo=UTC)) is not None
    assert Job.objects.count() == 2


def test_every_column_is_compared():
    fields = {field.column for field in CustomerFacts._meta.concrete_fields}
    assert fields - set(sql.COLUMNS) == {"customer_id", "as_of_day", "computed_at"}


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_rebuilds_and_the_command_tells_the_drift(start_worker, capsys):
    ShopSettingsFactory()
    OrderFactory()
    worker = start_worker()
    tasks.refresh_facts()

    call_command("rebuild_facts", "--wait", "--timeout", "30")

    job = sweep_until_final(Job.objects.get(), worker.queue)
    assert job.state == JobState.SUCCEEDED
    assert capsys.readouterr().out.splitlines() == [
        f"Started {job.public_id}.",
        "Checked 1 customers; 1 rows had drifted and were corrected.",
    ]
