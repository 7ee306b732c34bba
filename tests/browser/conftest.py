"""A real browser, the product behind a real port, and one shop with real orders for all of it.

The shop is loaded once and outlives the tests of this folder: they see what is committed, as the
browser does, and leave the shop as they found it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crm import settings as product
from tests.browser.shop import NAME, PASSWORD, load_shop
from tests.browser.watching import Watcher
from tests.workers import JOB_TIMES, Worker, worker_environment

CHROMIUM = os.environ.get("HUIKE_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
)  # fmt: skip
WIDE, NARROW = (1280, 900), (390, 844)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True)
def media_folder() -> None:
    """Keep one folder for uploads: worker and server share it for as long as the shop lives."""


@pytest.fixture(scope="package")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="package")
def shop_settings(folder: Path) -> Iterator[None]:
    """Talk plain http and serve static files by their own names, for the whole folder."""
    storages = {
        **product.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        MEDIA_ROOT=str(folder / "media"),
        STORAGES=storages,
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
        **{name: float(value) for name, value in JOB_TIMES.items()},
    ):
        yield


@pytest.fixture(scope="package")
def shop(shop_settings, folder, django_db_setup, django_db_blocker) -> Iterator[None]:
    """Load the shop, let this folder's tests read it, and leave an empty database behind."""
    # Playwright's event loop runs in this thread; Django would take every query here for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with django_db_blocker.unblock():
        load_shop(folder)
        yield
        call_command("flush", verbosity=0, interactive=False)
        with connection.cursor() as cursor:  # what Django does not manage outlives its flush
            cursor.execute("TRUNCATE customers_customerdays")
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def db(shop) -> None:
    """Take the place of the fixture that rolls back: here the rows are the shop's, and stay."""


@pytest.fixture(scope="package")
def address(shop) -> Iterator[str]:
    """Serve the product and return its address."""
    server = LiveServer("localhost")
    server._live_server_modified_settings.enable()
    yield server.url
    server.stop()
    server._live_server_modified_settings.disable()
    # The server's threads leave their connections in the pool; the database cannot go before them.
    connection.close()
    connection.close_pool()


@pytest.fixture(scope="package")
def worker(shop, folder) -> Iterator[Worker]:
    """Start a real worker that takes what the web admin queues."""
    worker = Worker(
        queue="test-browser", folder=folder, environment=worker_environment("test-browser")
    )
    worker.wait_until_ready()
    yield worker
    worker.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, address: str) -> Any:
    """Sign in by hand once; return what the browser remembers of it."""
    page = browser.new_page(base_url=address)
    page.goto("/admin/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.fixture
def open_page(browser: Browser, address: str, signed_in: Any) -> Iterator:
    """Return a function that opens a watched page in a language and a width.

    Whatever a test looks at, the end of the test complains about console errors, answers that say
    error, and requests to anybody but the product.
    """
    opened: list[tuple[Page, Watcher]] = []

    def open_page(
        language: str = "en", size: tuple[int, int] = WIDE, *, anonymous: bool = False, **more
    ) -> Page:
        context = browser.new_context(
            base_url=address,
            viewport={"width": size[0], "height": size[1]},
            storage_state=None if anonymous else signed_in,
            **more,
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": address}])
        context.set_default_timeout(15_000)
        page = context.new_page()
        opened.append((page, Watcher(page, address)))
        return page

    yield open_page
    complaints = [words for _page, watcher in opened for words in watcher.complaints]
    for page, _watcher in opened:
        page.context.close()
    assert complaints == []


@pytest.fixture
def page(open_page) -> Page:
    """Open an English page of a desk's width."""
    return open_page()
