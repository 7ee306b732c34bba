"""Which hosts may be asked: none that is not public, however it is spelt or wrapped."""

import ipaddress
import socket

import pytest

from customers.connectors.places.network import checked_addresses, may_ask, open_connection
from customers.errors import PlaceError

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
    "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:0:0:0:0:80ff:fffe", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"]
SPELLINGS = [
    "2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.1",
    "0", "0x0", "fe80::1%lo", "１２７.0.0.1", "127。0。0。1", "a b", "exa$mple.com", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address):
    assert not may_ask(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address):
    assert may_ask(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("host", [*PRIVATE, *SPELLINGS, "localhost"])
def test_no_spelling_leads_inside(host):
    with pytest.raises(PlaceError) as refused:
        checked_addresses(host, 443, allowed=[])

    assert refused.value.reason in ("host_not_public", "host_unknown")


@pytest.mark.parametrize("host", SPELLINGS[:10])
def test_odd_spellings_are_refused_even_where_the_network_is_allowed(host):
    with pytest.raises(PlaceError):
        checked_addresses(host, 443, allowed=["127.0.0.0/8", "::/0"])


def test_an_allowed_network_may_be_asked_and_no_other():
    assert checked_addresses("127.0.0.1", 443, allowed=["127.0.0.0/8"]) == ["127.0.0.1"]
    assert not may_ask(ipaddress.ip_address("10.0.0.1"), [ipaddress.ip_network("10.1.0.0/16")])
    assert may_ask(ipaddress.ip_address("10.1.0.1"), [ipaddress.ip_network("10.1.0.0/16")])


def answers(*addresses):
    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return resolve


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8", "10.0.0.1"))

    with pytest.raises(PlaceError) as refused:
        checked_addresses("files.example.com", 443, allowed=[])

    assert refused.value.reason == "host_not_public"


def test_a_name_is_resolved_once_and_the_checked_address_is_connected(monkeypatch):
    """A name that leads inside when it is asked a second time is not asked a second time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, real, asked = server.getsockname()[1], socket.getaddrinfo, []

        def rebind(host, *args, **kwargs):
            if host != "files.example.com":
                return real(host, *args, **kwargs)
            asked.append(host)
            return answers("127.0.0.1" if len(asked) == 1 else "127.0.0.2")(host, port)

        monkeypatch.setattr(socket, "getaddrinfo", rebind)
        connected = open_connection("files.example.com", port, allowed=["127.0.0.1"], silence=5)

        assert connected.getpeername() == ("127.0.0.1", port)
        assert asked == ["files.example.com"]
        connected.close()
