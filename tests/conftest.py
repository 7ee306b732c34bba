"""What every test may ask for. Databases and broker are real; nothing here touches the network."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.utils import translation
from kombu import Connection

from tests.factories import UserFactory
from tests.workers import start_worker, worker_kinds, worker_queue  # noqa: F401 - fixtures


@receiver(connection_created)
def may_empty_the_audit_log(connection, **kwargs) -> None:
    """Let the tests' flush empty a table that refuses it in the product."""
    with connection.cursor() as cursor:
        cursor.execute("SET huike.may_empty_audit = 'on'")


@pytest.fixture(autouse=True)
def media_folder(settings, tmp_path) -> None:
    """Give every test its own folder for uploads."""
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Let no test speak the language that a request of another one asked for."""
    translation.activate("en")
    yield
    translation.activate("en")


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Serve static files by their own names; the manifest is made at deployment."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def plain_http(settings) -> None:
    """Let test clients talk http: redirects to https belong to the deployment."""
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture(autouse=True)
def no_days_left(request, django_db_blocker) -> Iterator[None]:
    """Empty after a test that commits what its flush leaves: tables that Django does not manage."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & {*request.fixturenames}
    if commits or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE customers_customerdays")


@pytest.fixture(scope="session", autouse=True)
def empty_queue() -> None:
    """Start with no hints of earlier runs in the broker."""
    with Connection(settings.CELERY_BROKER_URL) as broker:
        if broker.default_channel.client.exists("celery"):
            broker.default_channel.queue_purge("celery")


@pytest.fixture
def staff(db):
    """A person who may do everything in the web admin."""
    return UserFactory(username="staff", is_staff=True, is_superuser=True)


@pytest.fixture
def staff_client(client, staff):
    """A browser-like client signed in as ``staff``."""
    client.force_login(staff)
    return client
