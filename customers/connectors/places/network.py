"""Which hosts may be asked: public ones, and those of networks the server's owner allowed.

A name is resolved once; every address it leads to is checked, and the connection goes to a checked
address, so that a name which changes in between leads nowhere else.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence

from customers.connectors.places.problems import problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?\Z", re.I)
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def open_connection(
    host: str, port: int, *, allowed: Sequence[str], silence: float
) -> socket.socket:
    """Connect to a host that may be asked, at the address that was checked."""
    for address in checked_addresses(host, port, allowed=allowed):
        try:
            return socket.create_connection((address, port), timeout=silence)
        except OSError:
            continue
    raise problem("unreachable", host=host)


def checked_addresses(host: str, port: int, *, allowed: Sequence[str]) -> list[str]:
    """Return a host's addresses; raises PlaceError unless every one of them may be asked."""
    _check_spelling(host)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        raise problem("host_unknown", host=host) from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    networks = [ipaddress.ip_network(network, strict=False) for network in allowed]
    for text in addresses:
        if "%" in text or not may_ask(ipaddress.ip_address(text), networks):
            raise problem("host_not_public", host=host)
    return addresses


def may_ask(
    address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    """Tell whether an address is public or of an allowed network; of a wrapped one, the inner."""
    if any(address in network for network in networks):
        return True
    carried = _carried(address)
    if carried is not None:
        return may_ask(carried, networks)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address inside an IPv6 one, whichever way it is wrapped."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _check_spelling(host: str) -> None:
    """Refuse hosts that are numbers in any but the plain way: 127.1, 0x7f000001, 017700000001."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if "%" in host:
            raise problem("host_not_public", host=host)
        return
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise problem("host_unknown", host=host) from None
    last = name.rstrip(".").rpartition(".")[2]
    if not _NAME.match(name) or _NUMBER.match(last):
        raise problem("host_not_public", host=host)
