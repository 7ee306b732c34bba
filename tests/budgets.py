"""How many statements a page takes."""

from django.db import connection
from django.test.utils import CaptureQueriesContext


def statements(client, address: str) -> int:
    """Return how many statements a page takes once a process remembers what it may remember."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)
