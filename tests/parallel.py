"""Let several processes run the tests side by side, each with a database and a broker of its own.

The database comes from pytest-django, which names one after the process; the broker's database is
chosen here, before the settings are read. What belongs together stays in one process and in its
order: the tests of a module, and those of the browser, which share one shop.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

BROWSER = Path(__file__).parent / "browser"


def own_broker(url: str, process: str) -> str:
    """Return the address of the broker's database for a process named gw0, gw1, …"""
    return urlsplit(url)._replace(path=f"/{1 + int(process.removeprefix('gw'))}").geturl()


if "PYTEST_XDIST_WORKER" in os.environ and "BROKER_URL" in os.environ:
    os.environ["BROKER_URL"] = own_broker(
        os.environ["BROKER_URL"], os.environ["PYTEST_XDIST_WORKER"]
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests belong together."""
    for item in items:
        is_browser = BROWSER in item.path.parents
        item.add_marker(pytest.mark.xdist_group("browser" if is_browser else str(item.path)))
