"""The audit log."""

import pytest

from crm.core.models import AuditEntry
from crm.core.services.audit import record_audit
from tests.factories import UserFactory


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_which_row():
    person = UserFactory()

    record_audit(
        actor_id=person.pk,
        action="job.cancelled",
        object_type="core.job",
        object_id="job_1",
        details={"kind": "import"},
        request_id="r-1",
    )

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object_type, entry.object_id) == (
        person,
        "job.cancelled",
        "core.job",
        "job_1",
    )
    assert entry.details == {"kind": "import"}
    assert entry.request_id == "r-1"
    assert entry.public_id.startswith("aud_")


@pytest.mark.django_db
def test_what_a_person_did_stays_when_the_person_leaves():
    person = UserFactory()
    record_audit(actor_id=person.pk, action="x", object_type="", object_id="")

    person.delete()

    assert AuditEntry.objects.get().actor is None
