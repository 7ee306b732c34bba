"""The audit log."""

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from crm.core.models import AuditEntry
from crm.core.registry import registry
from crm.core.selectors.audit import who_did
from crm.core.services.audit import record_audit
from tests.factories import UserFactory

ACTION = re.compile(r"(?:action=|_record\(\w+, (?:\w+, )?)\"(\w+\.\w+)\"")


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


@pytest.mark.django_db
def test_the_name_of_who_did_it_stays_when_they_leave():
    person = UserFactory(username="ann")
    record_audit(actor_id=person.pk, action="x", object_type="", object_id="")

    person.delete()

    assert who_did(AuditEntry.objects.get()) == "ann"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'y'",
        "UPDATE core_auditentry SET actor_name = 'bob', actor_id = NULL",
        "UPDATE core_auditentry SET actor_id = (SELECT max(id) FROM auth_user)",
        "DELETE FROM core_auditentry",
        "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL huike.may_empty_audit = 'off';"
        " TRUNCATE core_auditentry",
    ],
)
def test_the_database_changes_no_entry_and_takes_none(statement):
    person, _other = UserFactory(username="ann"), UserFactory()
    record_audit(actor_id=person.pk, action="x", object_type="", object_id="")

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.actor_name) == ("x", person, "ann")


def written_actions():
    """Return the actions the product's code writes down."""
    root = Path(__file__).resolve().parent.parent.parent
    found = set()
    for app in ("crm", "customers", "analytics", "campaigns"):
        for file in (root / app).rglob("*.py"):
            found |= set(ACTION.findall(file.read_text()))
    return found


def test_every_action_reads_as_a_sentence_in_both_languages():
    """Words are asked for with nothing told, too: an old entry may tell less."""
    actions = written_actions()
    assert len(actions) > 20
    unworded = {action for action in actions if action not in registry.audit_wordings}
    assert unworded == set()

    for wording in registry.audit_wordings:
        told = wording.words("Ann", {})
        assert told.endswith((".", "–"))
        assert "Ann" in told or wording.key == "import.undone"
