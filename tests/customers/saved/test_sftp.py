"""Files from a server that speaks SFTP, whose key somebody confirmed."""

import io

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from django.utils import timezone

from crm.core.models import Alert, AuditEntry
from customers.errors import InvalidSavedImportError, SavedImportStateError
from customers.models import Customer, SavedImport
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.customers.saved.servers import SftpServer
from tests.customers.saved.shops import HEADER, fetch, put, save
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


def private_key():
    """Return a private key as OpenSSH writes one, and the same for paramiko."""
    text = (
        ed25519.Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        .decode()
    )
    return text, paramiko.Ed25519Key.from_private_key(io.StringIO(text))


@pytest.fixture
def outbox(tmp_path):
    folder = tmp_path / "remote" / "out"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def server(outbox, settings):
    ShopSettingsFactory()
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    running = SftpServer(str(outbox.parent))
    yield running
    running.stop()


def where(server, **more):
    values = {
        "name": "Remote", "place": "sftp", "host": "127.0.0.1", "port": server.port,
        "username": "shop", "secret": "open sesame", "folder": "/out", "pattern": "*.csv",
    }  # fmt: skip
    return Where(**{**values, **more})


def trust(saved):
    key, _fingerprint = saved_imports.shown_host_key(saved)
    saved_imports.confirm_host_key(
        saved_id=saved.pk, host_key=key, user_id=None, now=timezone.now()
    )


def test_nothing_is_sent_to_a_host_whose_key_nobody_confirmed(server, outbox):
    saved = save(where(server))
    put(outbox, "a.csv", HEADER, "k2,Bob Ray,York")

    job, row = fetch(saved)

    assert (job.state, row.problem["code"]) == ("failed", "host_key_unconfirmed")
    assert server.tried == []
    assert Customer.objects.count() == 1


def test_files_come_in_the_oldest_first_and_once(server, outbox):
    saved = save(where(server))
    trust(saved)
    put(outbox, "b.csv", HEADER, "k2,Bob Older,York", age=120)
    put(outbox, "a.csv", HEADER, "k2,Bob Newest,York", age=60)
    put(outbox, "notes.txt", "nothing")
    (outbox / "c.csv").symlink_to(outbox / "notes.txt")

    job, row = fetch(saved)

    assert (job.error, job.result["taken"], row.last_outcome) == ("", 2, "taken")
    assert Customer.objects.get(external_id="k2").name == "Bob Newest"
    _job, row = fetch(saved)
    assert row.last_outcome == "nothing_new"
    entry = AuditEntry.objects.get(action="saved_import.host_key_confirmed")
    assert entry.details["fingerprint"].startswith("SHA256:")


def test_a_larger_file_comes_whole(server, outbox):
    saved = save(where(server))
    trust(saved)
    rows = [f"c{number},Name {number},{'x' * 40}" for number in range(20_000)]
    put(outbox, "a.csv", HEADER, *rows)

    job, _row = fetch(saved)

    assert job.error == ""
    assert Customer.objects.count() == 20_001


def test_a_private_key_opens_it_too(server, outbox):
    text, server.authorized = private_key()
    saved = save(where(server, secret=text))
    trust(saved)
    put(outbox, "a.csv", HEADER, "k2,Bob Ray,York")

    job, _row = fetch(saved)

    assert job.error == ""
    assert server.tried[-1] == ("shop", "ssh-ed25519")
    assert "PRIVATE" not in SavedImport.objects.get().sealed


def test_another_host_key_is_refused_before_the_password_is_sent(server, outbox):
    saved = save(where(server))
    trust(saved)
    server.host_keys = [paramiko.RSAKey.generate(2048)]
    put(outbox, "a.csv", HEADER, "k2,Bob Ray,York")

    job, row = fetch(saved)

    assert (job.state, row.problem["code"]) == ("failed", "host_key_changed")
    assert "another key than the one that was confirmed" in Alert.objects.get().words
    assert server.tried == []
    trust(saved)
    job, _row = fetch(saved)
    assert job.state == "succeeded"
    assert not Alert.objects.open().exists()


def test_another_kind_of_host_key_is_refused_too(server):
    saved = save(where(server))
    trust(saved)
    server.host_keys = [paramiko.ECDSAKey.generate()]

    _job, row = fetch(saved)

    assert row.problem["code"] == "host_key_changed"
    assert server.tried == []


def test_a_host_that_gets_a_second_key_is_still_known_by_the_first(server, outbox):
    saved = save(where(server))
    trust(saved)
    server.host_keys.append(paramiko.ECDSAKey.generate())

    job, _row = fetch(saved)

    assert (job.state, job.error) == ("succeeded", "")


def test_only_the_key_that_is_shown_can_be_confirmed(server):
    saved = save(where(server))
    other = paramiko.RSAKey.generate(2048)

    with pytest.raises(SavedImportStateError):
        saved_imports.confirm_host_key(
            saved_id=saved.pk,
            host_key=f"{other.get_name()} {other.get_base64()}",
            user_id=None,
            now=timezone.now(),
        )

    assert SavedImport.objects.get().host_key == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "wrong"}, "login_refused"),
        ({"secret": "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END"}, "key_unreadable"),
        ({"folder": "/nowhere"}, "folder_missing"),
    ],
)
def test_what_fails_is_said_exactly(server, changes, code):
    saved = save(where(server, **changes))
    trust(saved)

    _job, row = fetch(saved)

    assert row.problem["code"] == code


def test_a_host_that_is_away_is_told(server):
    saved = save(where(server))
    trust(saved)
    server.stop()

    _job, row = fetch(saved)

    assert row.problem["code"] == "unreachable"


def test_hosts_inside_are_refused_unless_they_are_allowed(server, settings):
    saved = save(where(server))
    trust(saved)
    settings.IMPORT_ALLOWED_NETWORKS = []

    _job, row = fetch(saved)

    assert row.problem["code"] == "host_not_public"
    assert server.tried == []


def test_a_file_that_is_too_large_is_not_fetched(server, outbox, settings):
    saved = save(where(server))
    trust(saved)
    put(outbox, "a.csv", HEADER, "k2,Bob Ray,York")
    settings.UPLOAD_MAX_BYTES = 10

    _job, row = fetch(saved)

    assert row.problem["code"] == "too_large"


def test_a_password_is_never_sent_to_another_host_than_it_was_entered_for(server):
    saved = save(where(server))
    trust(saved)

    with pytest.raises(InvalidSavedImportError):
        saved_imports.update_saved_import(
            saved_id=saved.pk, where=where(server, host="127.0.0.2", secret=""), user_id=None
        )
    saved_imports.update_saved_import(
        saved_id=saved.pk, where=where(server, host="127.0.0.2"), user_id=None
    )

    assert SavedImport.objects.get().host_key == ""
