"""A file behind a signed address, from a server that speaks TLS."""

import io
import logging
import socket
import threading
import time

import pytest
from django.db import connection

from crm.core.models import AuditEntry
from customers.connectors.places import HttpsPlace, Limits
from customers.errors import InvalidSavedImportError, PlaceError
from customers.models import Customer, SavedImport, SavedImportFile
from customers.services import saved_imports
from customers.services.saved_imports import Where
from tests.customers.saved.servers import FileServer, certificates
from tests.customers.saved.shops import HEADER, fetch, save
from tests.factories import ShopSettingsFactory

BODY = f"{HEADER}\nk2,Bob Ray,York\n".encode()


@pytest.fixture
def authority(tmp_path):
    return certificates(tmp_path)


@pytest.fixture
def server(authority):
    running = FileServer(authority[1])
    running.body = BODY
    yield running
    running.stop()


@pytest.fixture
def place(server, authority):
    def make(path="/orders.csv?sig=SECRET", **more):
        values = {
            "address": server.address(path),
            "allowed": ["127.0.0.0/8", "::1"],
            "limits": Limits(most_bytes=10_000, seconds=20, silence=5),
            "authorities": str(authority[0]),
        }
        return HttpsPlace(**{**values, **more})

    return make


def reason(act):
    with pytest.raises(PlaceError) as refused:
        act()
    assert "SECRET" not in refused.value.message
    assert "SECRET" not in str(refused.value.parameters)
    return refused.value.reason


def get(place):
    target = io.BytesIO()
    seen = place.look()[0]
    return place.fetch(seen, target, lambda size: None), target.getvalue()


def test_the_file_is_fetched_as_it_is(place, server):
    server.etag = '"v1"'

    fetched, content = get(place())

    assert content == BODY
    assert (fetched.size, fetched.version, fetched.is_new) == (len(BODY), '"v1"', True)
    path, headers = server.asked[-1]
    assert path == "/orders.csv?sig=SECRET"
    assert headers["Host"] == f"localhost:{server.port}"
    assert place().look()[0].name == "orders.csv"
    assert "SECRET" not in repr(place())


def test_the_version_of_the_last_time_is_not_sent_again(place, server):
    server.etag = '"v1"'

    fetched, content = get(place(former='"v1"'))

    assert (fetched.is_new, content) == (False, b"")


def test_no_file_is_no_error(place, server):
    server.status = 404

    assert place().look() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_is_not_sent_on(place, server, status):
    server.status, server.headers = status, {"Location": server.address("/elsewhere")}

    assert reason(place().look) == "redirected"
    assert [path for path, _headers in server.asked] == ["/orders.csv?sig=SECRET"]


@pytest.mark.parametrize("status", [304, 403, 500])
def test_a_refusal_is_told_with_its_status(place, server, status):
    server.status = status

    assert reason(place().look) == ("redirected" if status == 304 else "refused")


def test_a_certificate_of_nobody_known_is_refused_before_anything_is_asked(place, server):
    assert reason(place(authorities="").look) == "certificate"
    assert server.asked == []


def test_a_certificate_of_another_host_is_refused(place, server, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    trusted, chain = certificates(folder, names=("other.example.com",), addresses=())
    other = FileServer(chain)

    try:
        wrong = place(address=other.address(), authorities=str(trusted))
        assert reason(wrong.look) == "certificate"
    finally:
        other.stop()


def test_hosts_inside_are_refused_before_they_are_connected(place, server):
    assert reason(place(allowed=()).look) == "host_not_public"
    assert server.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/SECRET", "ftp://localhost/SECRET", "https:///SECRET", "SECRET",
        "https://user:SECRET@localhost/", "https://localhost:0/SECRET",
        "https://localhost:99999/SECRET", "https://loc alhost/SECRET", "https://localhost/a\nSECRET",
        "https://localhost\\@evil/SECRET", "https://[::1/SECRET", "https://localhost/é?SECRET",
    ],
)  # fmt: skip
def test_addresses_that_are_no_https_addresses_are_refused(place, address):
    assert reason(place(address=address).look) == "address_invalid"


@pytest.mark.parametrize("is_told", [True, False])
def test_too_many_bytes_are_refused_whether_they_are_announced_or_not(place, server, is_told):
    server.body = b"x" * 20_000
    server.headers = {} if is_told else {"Content-Length": None, "Connection": "close"}

    assert reason(lambda: get(place())) == "too_large"


def test_a_file_that_breaks_off_is_not_taken(place, server):
    server.cut = True

    assert reason(lambda: get(place())) == "unreachable"


def test_a_file_that_trickles_is_given_up(place, server):
    server.body, server.trickle = b"x" * 2_000, 0.05
    limits = Limits(most_bytes=10_000, seconds=1, silence=5)
    start = time.monotonic()

    assert reason(lambda: get(place(limits=limits))) == "too_slow"
    assert time.monotonic() - start < 15


def test_a_server_that_never_shakes_hands_is_given_up(place):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=silent.accept, daemon=True).start()
        address = f"https://localhost:{silent.getsockname()[1]}/SECRET"
        limits = Limits(most_bytes=10, seconds=10, silence=1)

        assert reason(place(address=address, limits=limits).look) == "unreachable"


@pytest.fixture
def saved(db, server, authority, settings):
    ShopSettingsFactory()
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1"]
    settings.IMPORT_CA_FILE = str(authority[0])
    return save(Where(name="Signed", place="https", secret=server.address()))


@pytest.mark.django_db
def test_the_address_is_stored_encrypted_and_named_nowhere(saved, server, caplog, settings):
    caplog.set_level(logging.DEBUG)
    server.status = 500
    _job, row = fetch(saved)
    assert row.problem == {"code": "refused", "parameters": {"host": "localhost", "status": "500"}}

    assert saved.host == "localhost"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM customers_savedimport s")
        assert "SECRET" not in cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(j)::text FROM core_job j")
        assert all("SECRET" not in text for (text,) in cursor.fetchall())
    assert all("SECRET" not in str(entry.details) for entry in AuditEntry.objects.all())
    assert "SECRET" not in caplog.text

    settings.SECRET_KEY = "another"
    _job, row = fetch(saved)
    assert row.problem["code"] == "secret_unreadable"


@pytest.mark.django_db
def test_a_former_secret_key_still_opens_it(saved, server, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"

    job, row = fetch(saved)

    assert (job.state, row.last_outcome) == ("succeeded", "taken")


@pytest.mark.django_db
@pytest.mark.parametrize("etag", ["", '"v1"'])
def test_it_comes_in_once_and_again_when_it_has_changed(saved, server, etag):
    server.etag = etag

    job, row = fetch(saved)
    assert (job.error, row.last_outcome) == ("", "taken")
    _job, row = fetch(saved)
    assert row.last_outcome == "nothing_new"
    server.body = BODY.replace(b"Ray", b"Roy")
    server.etag = etag and '"v2"'
    _job, row = fetch(saved)

    assert row.last_outcome == "taken"
    assert Customer.objects.get(external_id="k2").name == "Bob Roy"
    batches = SavedImportFile.objects.filter(batch__isnull=False)
    assert batches.count() == 2


@pytest.mark.django_db
def test_another_header_stops_it(saved, server):
    server.body = b"customer_id,name\nk2,Bob\n"

    job, row = fetch(saved)

    assert (job.state, row.is_active, row.last_outcome) == ("failed", False, "stopped")
    assert row.stopped_reason["parameters"]["went"] == ["city"]
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_an_empty_secret_keeps_the_address_and_another_place_forgets_it(saved, tmp_path, settings):
    settings.IMPORT_FOLDERS = [str(tmp_path)]
    where = Where(name="Renamed", place="https")
    saved_imports.update_saved_import(saved_id=saved.pk, where=where, user_id=None)
    row = SavedImport.objects.get()
    assert (row.name, row.host, row.sealed) == ("Renamed", "localhost", saved.sealed)

    folder = Where(name="Renamed", place="folder", folder=str(tmp_path))
    saved_imports.update_saved_import(saved_id=saved.pk, where=folder, user_id=None)

    assert SavedImport.objects.get().sealed == ""
    with pytest.raises(InvalidSavedImportError):
        saved_imports.update_saved_import(saved_id=saved.pk, where=where, user_id=None)
