"""A real browser before an empty database: nobody is there yet, and nothing was counted."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crm import settings as product
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.watching import Watcher


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's event loop runs in this thread; Django would take each query for a mistake.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            yield browser
            browser.close()


@pytest.fixture(scope="module")
def address(django_db_setup) -> Iterator[str]:
    """Serve the product in plain http and return its address."""
    storages = {
        **product.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        STORAGES=storages,
        SECURE_SSL_REDIRECT=False,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
    ):
        server = LiveServer("localhost")
        server._live_server_modified_settings.enable()
        yield server.url
        server.stop()
        server._live_server_modified_settings.disable()
    # The server's threads leave their connections in the pool; the database cannot go before them.
    connection.close()
    connection.close_pool()


@pytest.fixture
def open_page(browser: Browser, address: str, transactional_db) -> Iterator:
    """Return a function that opens a watched page in a browser's language and a width."""
    opened: list[tuple[Page, Watcher]] = []

    def open_page(language: str, size: tuple[int, int]) -> Page:
        context = browser.new_context(
            base_url=address,
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        opened.append((page, Watcher(page, address)))
        return page

    yield open_page
    complaints = [words for _page, watcher in opened for words in watcher.complaints]
    for page, _watcher in opened:
        page.context.close()
    assert complaints == []
