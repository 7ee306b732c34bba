"""Let several processes run the tests side by side, each with a database and a broker of its own.

The database comes from pytest-django, which names one after the process; the broker's database is
chosen here, before the settings are read. The tests of one file stay in one process, in order.
"""

import os
from urllib.parse import urlsplit


def own_broker(url: str, process: str) -> str:
    """Return the address of the broker's database for a process named gw0, gw1, …"""
    return urlsplit(url)._replace(path=f"/{1 + int(process.removeprefix('gw'))}").geturl()


if "PYTEST_XDIST_WORKER" in os.environ and "BROKER_URL" in os.environ:
    os.environ["BROKER_URL"] = own_broker(
        os.environ["BROKER_URL"], os.environ["PYTEST_XDIST_WORKER"]
    )
