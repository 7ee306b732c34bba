"""The audit log's pages: read by who may, narrowed, followed, taken out, changed by nobody."""

import csv
import io
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from crm.core.models import AuditEntry
from crm.core.services.audit import record_audit
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
LOG = "/admin/core/auditentry/"


@pytest.fixture
def log():
    """Two people did three things, one of them two days ago."""
    ShopSettingsFactory()
    ann, bob = UserFactory(username="ann", is_staff=True), UserFactory(username="bob")
    customer = CustomerFactory(name="Zoe")
    details = {"field": "email", "reason": "=parcel is back"}
    record_audit(
        actor_id=ann.pk, action="customer.contact_shown", object_type="customer",
        object_id=customer.public_id, details=details,
    )  # fmt: skip
    record_audit(
        actor_id=bob.pk, action="job.cancelled", object_type="core.job", object_id="job_gone"
    )
    AuditEntry.objects.create(
        actor=ann, actor_name="ann", action="x.unworded", at=timezone.now() - timedelta(days=2)
    )
    return customer


def listed(client, **words):
    return [entry.action for entry in client.get(LOG, words).context["cl"].result_list]


def test_the_list_says_what_happened_and_is_narrowed(log, staff_client):
    page = staff_client.get(LOG).content.decode()
    assert "ann looked at a customer&#x27;s masked e-mail address: =parcel is back" in page
    assert "bob cancelled a job." in page
    assert "ann: x.unworded" in page

    ann = AuditEntry.objects.get(action="x.unworded").actor_id
    assert listed(staff_client, action="job.cancelled") == ["job.cancelled"]
    assert listed(staff_client, who=str(ann)) == ["x.unworded", "customer.contact_shown"]
    assert listed(staff_client, day="today") == ["job.cancelled", "customer.contact_shown"]
    earlier = (timezone.localdate() - timedelta(days=2)).isoformat()
    assert listed(staff_client, day=earlier) == ["x.unworded"]
    assert listed(staff_client, day="2026-02-30") == []
    assert listed(staff_client, q=log.public_id) == ["customer.contact_shown"]


def test_it_speaks_the_readers_language(log, staff_client):
    staff_client.cookies["django_language"] = "zh-hans"

    assert staff_client.get(LOG).status_code == 200


def test_an_entry_leads_to_what_it_is_about(log, staff_client):
    shown = AuditEntry.objects.get(action="customer.contact_shown")
    gone = AuditEntry.objects.get(action="job.cancelled")

    answer = staff_client.get(f"{LOG}{shown.pk}/object/")
    missing = staff_client.get(f"{LOG}{gone.pk}/object/", follow=True)

    assert answer.url == f"/admin/customers/customer/{log.pk}/change/"
    assert "is gone, or has no page" in missing.content.decode()
    assert "parcel is back" in staff_client.get(f"{LOG}{shown.pk}/change/").content.decode()


def test_what_is_listed_is_taken_out_on_record_and_runs_in_no_spreadsheet(log, staff_client):
    shown = AuditEntry.objects.get(action="customer.contact_shown")
    AuditEntry.objects.create(actor_name="=cmd()", action="job.cancelled")

    answer = staff_client.get(f"{LOG}export/", {"action": "job.cancelled"})
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))

    assert [row[3] for row in rows[1:]] == ["'=cmd() cancelled a job.", "bob cancelled a job."]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.details) == (
        "audit.exported",
        {"filters": {"action": "job.cancelled"}},
    )
    assert shown.public_id not in str(rows)


def test_nobody_changes_it_and_only_who_may_reads_it(log, staff_client, client):
    entry = AuditEntry.objects.earliest("pk")

    assert staff_client.post(f"{LOG}{entry.pk}/change/", {"action": "y"}).status_code == 403
    assert staff_client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff_client.get(f"{LOG}add/").status_code == 403
    client.force_login(UserFactory(is_staff=True))
    for address in (LOG, f"{LOG}export/", f"{LOG}{entry.pk}/object/"):
        assert client.get(address).status_code == 403
    assert AuditEntry.objects.filter(action=F("action")).count() == 3
