"""Let several processes run the tests side by side, each with a database and a broker of its own.

The database comes from pytest-django, which names one after the process; the broker's database is
chosen here, before the settings are read. The tests of one file stay in one process, in order, and
so do those of the browser, whose shop is loaded once. What takes long begins first, so that no
process waits for another at the end.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import pytest
from xdist.scheduler import LoadFileScheduling

SHARED = "tests/browser/"
"""What shares a shop that takes long to load."""
LONG = (SHARED, "property", "killed", "test_importing", "simulation/", "test_days", "test_worker")
"""In the names of files whose tests take long, each by itself."""


class SideBySide(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Hands out files, and the browser's as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """Return what a test is handed out with."""
    return SHARED if nodeid.startswith(SHARED) else nodeid.partition("::")[0]


def is_long(nodeid: str) -> bool:
    """Tell whether a test's file is among those that begin first."""
    return any(word in nodeid.partition("::")[0] for word in LONG)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out by ``scope_of`` what runs side by side."""
    return SideBySide(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes long; the same order in every process."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not is_long(item.nodeid))


def own_broker(url: str, process: str) -> str:
    """Return the address of the broker's database for a process named gw0, gw1, …"""
    return urlsplit(url)._replace(path=f"/{1 + int(process.removeprefix('gw'))}").geturl()


if "PYTEST_XDIST_WORKER" in os.environ and "BROKER_URL" in os.environ:
    os.environ["BROKER_URL"] = own_broker(
        os.environ["BROKER_URL"], os.environ["PYTEST_XDIST_WORKER"]
    )
