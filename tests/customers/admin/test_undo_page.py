"""The import's page offers the undo, says what it does, and names what stands in the way."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from crm.core.models import AuditEntry, Job
from crm.core.services.jobs import run_job
from customers.models import Customer, ImportBatch
from customers.services.importing import undo
from tests.customers.importing.files import bring
from tests.factories import ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
BUTTON = "Undo this import"


@pytest.fixture
def batch():
    ShopSettingsFactory()
    return bring("customer_id,name", "k1,Ann Lee", "k2,Bob Ray")


def page(client, batch):
    response = client.get(reverse("admin:customers_importbatch_change", args=[batch.pk]))
    assert response.status_code == 200
    return response.content.decode()


def address(batch):
    return reverse("admin:customers_importbatch_undo", args=[batch.pk])


def test_the_undo_is_confirmed_with_its_counts_and_done(staff_client, staff, batch):
    assert address(batch) in page(staff_client, batch)

    shown = staff_client.get(address(batch)).content.decode()
    assert Customer.objects.count() == 2
    row = '<td>Customers</td><td class="number">2</td><td class="number">0</td>'
    assert row in shown
    response = staff_client.post(address(batch))

    job = Job.objects.get(kind=undo.KIND)
    assert response["Location"] == reverse("admin:core_job_change", args=[job.pk])
    assert AuditEntry.objects.get(action="import.undo_started").actor == staff
    assert "This import is being undone." in page(staff_client, batch)
    run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)
    shown = page(staff_client, batch)
    assert "the record is as it was before this import" in shown
    assert address(batch) not in shown
    assert not Customer.objects.exists()


def test_what_stands_in_the_way_is_named_and_nothing_is_started(staff_client, batch):
    Customer.objects.filter(external_id="k1").update(name="Anne Lee")

    shown = staff_client.get(address(batch)).content.decode()
    posted = staff_client.post(address(batch)).content.decode()

    for text in (shown, posted):
        assert "Customer Anne Lee was changed since." in text
        assert BUTTON not in text
    assert not Job.objects.filter(kind=undo.KIND).exists()
    assert Customer.objects.count() == 2


def test_what_the_job_met_is_named_on_the_imports_page(staff_client, batch):
    job = undo.start_undo(batch_id=batch.pk, user_id=None, now=timezone.now())
    Customer.objects.filter(external_id="k1").update(name="Anne Lee")
    run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    assert "Customer Anne Lee was changed since." in page(staff_client, batch)


def test_staff_without_the_permission_see_no_button(client, batch):
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_importbatch"))
    client.force_login(user)

    assert BUTTON not in page(client, batch)
    assert client.get(address(batch)).status_code == 403
    assert client.post(address(batch)).status_code == 403
    assert Customer.objects.count() == 2


def test_too_late_is_said(staff_client, batch):
    ImportBatch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - timedelta(days=31))

    shown = page(staff_client, batch)

    assert "It is too late to undo this import" in shown
    assert BUTTON not in shown
    assert staff_client.post(address(batch))["Location"] == reverse(
        "admin:customers_importbatch_change", args=[batch.pk]
    )
    assert Customer.objects.count() == 2
