"""The sample as a job: orders, people, facts and scores without another click, once."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from analytics.models import CurrentScore, ScoringRun
from crm.core.enums import JobState
from crm.core.models import AuditEntry, Job
from crm.core.services import jobs
from customers.errors import SampleRefusedError
from customers.models import Customer, CustomerFacts, FactsMark, ImportBatch, Order, ShopSettings
from customers.services import demo
from tests.customers.importing.files import rebuild_drift
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory
from tests.workers import sweep_until_final, wait_for


def start():
    return demo.start_sample(user_id=None, now=timezone.now())


def finish(job, slices=200):
    for _slice in range(slices):
        jobs.run_job(job_id=job.pk, worker="here", now=timezone.now(), seconds=60)
        job.refresh_from_db()
        if job.is_final:
            return job
    raise AssertionError((job.state, job.step, job.cursor))


def standing():
    """Return what loading once more must not change."""
    return (
        Customer.objects.count(),
        Order.objects.count(),
        ImportBatch.objects.count(),
        ScoringRun.objects.count(),
        list(Customer.objects.order_by("pk").values_list("name", "email", "updated_at")),
    )


@pytest.mark.django_db
def test_one_job_brings_orders_people_facts_and_scores_and_doing_it_again_changes_nothing(sample):
    ShopSettingsFactory(currency="CNY", zone="Asia/Shanghai", is_demo=False)

    job = finish(start())

    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 100, 100), job.error
    people = Customer.objects.count()
    assert job.result == {"customers": people, "orders": Order.objects.count()}
    assert people > 60
    assert not Customer.objects.filter(is_simulated=False).exists()
    assert CustomerFacts.objects.count() == people
    assert not FactsMark.objects.exists()
    assert ScoringRun.objects.get().state == "published"
    assert CurrentScore.objects.filter(rfm_group__gt="").exists()
    assert rebuild_drift() == 0
    shop = ShopSettings.objects.get()
    assert shop.is_demo
    assert int(shop.demo_note) > 52 * 10
    assert (timezone.now() - Order.objects.latest("placed_at").placed_at).days < 8
    assert AuditEntry.objects.get(action="shop.sample_loaded").object_id == job.public_id

    before = standing()
    again = finish(start())
    assert (again.state, again.result) == (JobState.SUCCEEDED, job.result), again.error
    assert standing() == before


@pytest.mark.django_db
def test_it_is_refused_beside_others_twice_at_once_and_without_its_file(sample, settings):
    ShopSettingsFactory()
    job = start()
    with pytest.raises(SampleRefusedError, match="at this moment"):
        start()
    jobs.cancel_job(job_id=job.pk, now=timezone.now())
    settings.SAMPLE_FILE = "/nowhere/online_retail.parquet"
    with pytest.raises(SampleRefusedError, match="/nowhere/online_retail"):
        start()
    settings.SAMPLE_FILE = str(sample)
    CustomerFactory()
    with pytest.raises(SampleRefusedError, match="customers already"):
        start()
    assert Job.objects.count() == 1
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_cancelling_stops_the_import_it_had_begun(sample, settings):
    ShopSettingsFactory()
    settings.JOB_CHUNK_SECONDS = 0.0
    job = start()
    jobs.run_job(job_id=job.pk, worker="here", now=timezone.now(), seconds=0)
    job.refresh_from_db()
    brought = Job.objects.get(kind="customers.import")
    assert job.cursor["job"] == brought.pk
    assert not brought.is_final

    jobs.cancel_job(job_id=job.pk, now=timezone.now())

    brought.refresh_from_db()
    assert brought.state == JobState.CANCELLED
    assert ImportBatch.objects.get().state == "cancelled"


@pytest.mark.django_db
def test_a_failed_import_fails_it_with_its_words(tmp_path, settings):
    ShopSettingsFactory()
    broken = tmp_path / "online_retail.parquet"
    broken.write_bytes(b"PAR1 no more")
    settings.SAMPLE_FILE = str(broken)

    job = finish(start())

    assert job.state == JobState.FAILED
    assert not Customer.objects.exists()
    assert not ImportBatch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_job_is_ended_by_another_and_the_demo_finds_it_done(few, start_worker):
    ShopSettingsFactory()
    worker = start_worker(TEST_SAMPLE=str(few))
    job = start()
    worker.hint(job.pk)
    wait_for(lambda: Job.objects.filter(kind="customers.import", done__gt=0).exists(), timeout=60)

    worker.kill()

    job.refresh_from_db()
    assert not job.is_final
    second = start_worker(TEST_SAMPLE=str(few))
    sweep_until_final(job, second.queue, timeout=180)
    assert (job.state, job.done) == (JobState.SUCCEEDED, 100), job.error
    assert ImportBatch.objects.get().state == "finished"
    assert job.result["orders"] == Order.objects.count()
    assert ScoringRun.objects.get().state == "abstained"

    out = StringIO()
    call_command("load_demo", stdout=out)
    customers, orders = Customer.objects.count(), Order.objects.count()
    assert f"  {customers:,} customers with {orders:,} orders are there.\n" in out.getvalue()
    assert job.result == {"customers": customers, "orders": orders}
    assert ScoringRun.objects.count() == ImportBatch.objects.count() == 1


@pytest.mark.django_db
def test_the_owner_starts_it_from_an_empty_shop(staff_client, sample):
    ShopSettingsFactory()
    for address in (
        "/setup/next/",
        reverse("admin:index"),
        reverse("admin:customers_customer_changelist"),
    ):
        page = staff_client.get(address).content.decode()
        assert f'action="{reverse("admin:customers_sample")}"' in page
        assert "manage.py remove_source online-retail" in page

    answer = staff_client.post(reverse("admin:customers_sample"))

    job = Job.objects.get()
    assert job.kind == demo.KIND
    assert answer.url == reverse("admin:core_job_change", args=[job.pk])
    assert "Orders of another shop" in staff_client.get(answer.url).content.decode()
    again = staff_client.post(reverse("admin:customers_sample"), follow=True)
    assert "being filled at this moment" in again.content.decode()


@pytest.mark.django_db
def test_without_the_file_it_is_not_offered_and_the_page_says_what_to_do(staff_client, settings):
    ShopSettingsFactory()
    settings.SAMPLE_FILE = "/nowhere/online_retail.parquet"
    for address in ("/setup/next/", reverse("admin:index")):
        page = staff_client.get(address).content.decode()
        assert reverse("admin:customers_sample") not in page
        assert "Put it at /nowhere/online_retail.parquet" in page


@pytest.mark.django_db
def test_only_the_owner_may_load_it(client, sample):
    ShopSettingsFactory()
    client.force_login(UserFactory(is_staff=True))

    assert client.post(reverse("admin:customers_sample")).status_code == 403
    assert not Job.objects.exists()
