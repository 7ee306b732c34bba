"""The simulation as a job: from the button to the labelled pages, through a killed worker."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.models import AuditEntry, Job
from crm.core.services import jobs
from customers.errors import SimulationRefusedError
from customers.models import Customer, CustomerFacts, FactsMark, Order, OrderLine, Source
from customers.services import shop, simulation
from tests.customers.importing.files import rebuild_drift
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory
from tests.workers import sweep_until_final, wait_for


def start(customers, seed=5, **more):
    return simulation.start_simulation(
        customers=customers, seed=seed, user_id=None, now=timezone.now(), **more
    )


def finish(job):
    for _slice in range(100):
        jobs.run_job(job_id=job.pk, worker="here", now=timezone.now(), seconds=60)
        job.refresh_from_db()
        if job.is_final:
            return job
    raise AssertionError(job.state)


@pytest.mark.django_db
def test_a_job_writes_the_shop_and_its_facts():
    ShopSettingsFactory()

    job = finish(start(150))

    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 150, 150), job.error
    assert Customer.objects.count() == CustomerFacts.objects.count() == 150
    assert job.result["orders"] == Order.objects.count() > 150
    assert job.result["lines"] == OrderLine.objects.count()
    assert not FactsMark.objects.exists()
    assert AuditEntry.objects.get(action="shop.simulated").details["customers"] == 150


@pytest.mark.django_db
def test_a_job_asked_to_stop_keeps_whole_blocks(settings, monkeypatch):
    ShopSettingsFactory()
    settings.JOB_CHUNK_SECONDS = 0.0
    monkeypatch.setattr("customers.services.simulation.handler.BLOCK", 1)
    job = start(3000, years=0.3)
    held = jobs.claim_job(job_id=job.pk, worker="here", now=timezone.now())
    assert not simulation.run_chunk(held, now=timezone.now())

    jobs.cancel_job(job_id=job.pk, now=timezone.now())
    jobs.release_job(run=held, now=timezone.now())
    jobs.run_job(job_id=job.pk, worker="here", now=timezone.now(), seconds=60)

    job.refresh_from_db()
    assert (job.state, job.done) == (JobState.CANCELLED, 1000)
    assert Customer.objects.count() == 1000


@pytest.mark.django_db
def test_two_at_a_time_and_real_customers_are_refused():
    ShopSettingsFactory()
    start(10)
    with pytest.raises(SimulationRefusedError, match="at this moment"):
        start(10)
    jobs.cancel_job(job_id=Job.objects.get().pk, now=timezone.now())
    CustomerFactory()

    with pytest.raises(SimulationRefusedError, match="real source"):
        start(10)

    assert Job.objects.count() == 1


@pytest.mark.django_db
def test_a_shop_that_counts_differently_by_then_is_not_written():
    ShopSettingsFactory()
    job = start(20)
    shop.update_shop_settings(changes={"currency": "EUR"}, user_id=None)

    finish(job)

    assert job.state == JobState.FAILED
    assert "EUR" in job.error
    assert not Customer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_simulation_is_ended_by_another_with_the_same_rows(start_worker):
    ShopSettingsFactory()
    worker = start_worker()
    job = start(12_000, years=0.3)
    worker.hint(job.pk)
    wait_for(Customer.objects.exists, timeout=60)

    worker.kill()

    job.refresh_from_db()
    assert not job.is_final
    second = start_worker()
    sweep_until_final(job, second.queue, timeout=180)
    assert (job.state, job.done) == (JobState.SUCCEEDED, 12_000), job.error
    assert Customer.objects.count() == CustomerFacts.objects.count() == 12_000
    world = simulation.World(simulation.Plan.from_dict(job.parameters["plan"]))
    drawn = sum(world.cohort(index).orders["day"].size for index in range(12))
    assert Order.objects.count() == drawn == job.result["orders"]
    assert rebuild_drift() == 0


@pytest.mark.django_db
def test_an_empty_shop_offers_a_file_and_a_simulation(staff_client):
    ShopSettingsFactory()
    for name in ("admin:index", "admin:customers_customer_changelist"):
        page = staff_client.get(reverse(name)).content.decode()
        assert reverse("admin:customers_importbatch_add") in page
        assert "Simulate a shop of 50,000 customers" in page
        assert "Simulated shop" not in page

    answer = staff_client.post(reverse("admin:customers_simulate"))

    job = Job.objects.get(kind=simulation.KIND)
    assert answer.url == reverse("admin:core_job_change", args=[job.pk])
    assert job.parameters["plan"]["customers"] == 50_000
    again = staff_client.post(reverse("admin:customers_simulate"), follow=True)
    assert "A shop is being simulated at this moment." in again.content.decode()
    assert Job.objects.filter(kind=simulation.KIND).count() == 1


@pytest.mark.django_db
def test_only_superusers_may_simulate(client):
    ShopSettingsFactory()
    client.force_login(UserFactory(is_staff=True))

    assert "Simulate a shop" not in client.get(reverse("admin:index")).content.decode()
    assert client.post(reverse("admin:customers_simulate")).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_simulated_shop_says_so_on_every_page(staff_client):
    ShopSettingsFactory()
    finish(start(30))
    customer, order = Customer.objects.first(), Order.objects.first()
    pages = [
        reverse("admin:index"),
        reverse("admin:customers_customer_changelist"),
        reverse("admin:customers_customer_change", args=[customer.pk]),
        reverse("admin:customers_order_changelist"),
        reverse("admin:customers_order_change", args=[order.pk]),
        reverse("admin:customers_product_changelist"),
        reverse("admin:customers_importbatch_add"),
        reverse("admin:core_job_changelist"),
        reverse("admin:analytics_scoringrun_changelist"),
    ]

    for page in pages:
        answer = staff_client.get(page)
        assert answer.status_code == 200
        assert "Simulated shop" in answer.content.decode(), page
    who = staff_client.get(pages[2]).content.decode()
    assert "this person and these orders never existed" in who
    assert "empty-state" not in staff_client.get(pages[0]).content.decode()
    assert Source.objects.get().kind == "simulated"
