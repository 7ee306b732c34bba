"""One file behind a signed https address."""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

from customers.connectors.places.network import open_connection
from customers.connectors.places.place import PIECE, Fetched, Limits, Seen, bounded, copy
from customers.connectors.places.problems import problem
from customers.errors import PlaceError

_GONE = (404, 410)


@dataclass(frozen=True)
class HttpsPlace:
    """The file at an address; no redirects, no host that is not public.

    ``former`` is the version (ETag) that was fetched the last time. The address is a secret: it
    stands in no message and no log.
    """

    address: str = field(repr=False)
    allowed: Sequence[str]
    limits: Limits
    former: str = ""
    authorities: str = ""

    def look(self) -> list[Seen]:
        """Return the file if there is one: it is asked for, and let go behind its head."""
        with self._answer() as answer:
            if answer is None:
                return []
            length = answer.getheader("Content-Length") or ""
            size = int(length) if length.isdigit() and answer.status == 200 else None
        return [Seen(self.name, size)]

    def fetch(self, seen: Seen, target: IO[bytes], told: Callable[[int], None]) -> Fetched:
        """Copy the file, unless it is the one of the last time."""
        with self._answer() as answer:
            if answer is None:
                raise problem("refused", host=self.host, status=404)
            if answer.status == 304:
                return Fetched(0, self.former, is_new=False)
            length = answer.getheader("Content-Length") or ""
            if length.isdigit() and int(length) > self.limits.most_bytes:
                raise problem("too_large", file=seen.name, most=self.limits.most_bytes)
            # What has arrived, without waiting for the rest: somebody may ask to stop.
            pieces = iter(lambda: answer.read1(PIECE), b"")
            size = copy(pieces, target, name=seen.name, limits=self.limits, told=told)
            if length.isdigit() and size != int(length):
                raise problem("unreachable", host=self.host)
            return Fetched(size, (answer.getheader("ETag") or "")[:200])

    @property
    def parts(self) -> SplitResult:
        """Return the parts of the address; raises PlaceError for one that is not as it should."""
        text = self.address
        try:
            parts = urlsplit(text)
            is_good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good or not text.isascii() or not text.isprintable() or " " in text:
            raise problem("address_invalid")
        if "@" in parts.netloc or "\\" in text:
            raise problem("address_invalid")
        return parts

    @property
    def host(self) -> str:
        """Return the host's name, which is no secret."""
        return self.parts.hostname or ""

    @property
    def name(self) -> str:
        """Return what the file is called: the last part of the path."""
        return PurePosixPath(unquote(self.parts.path)).name[:255] or self.host

    @contextmanager
    def _answer(self) -> Iterator[http.client.HTTPResponse | None]:
        """Ask for the file; None when there is none. Words what goes wrong without the address."""
        parts, host = self.parts, self.host
        port = parts.port or 443
        raw = open_connection(host, port, allowed=self.allowed, silence=self.limits.silence)
        secured = self._context().wrap_socket(
            raw, server_hostname=host, do_handshake_on_connect=False
        )
        with secured, bounded(self.limits.seconds, lambda: _break_off(secured)) as is_over:
            try:
                secured.do_handshake()
                answer = self._ask(secured, parts, port)
                if answer.status in _GONE:
                    yield None
                    return
                self._check(answer)
                yield answer
            except ssl.SSLCertVerificationError:
                raise problem("certificate", host=host) from None
            except (OSError, http.client.HTTPException, PlaceError) as error:
                if is_over.is_set():
                    raise problem("too_slow", seconds=round(self.limits.seconds)) from None
                if isinstance(error, PlaceError):
                    raise
                raise problem("unreachable", host=host) from None

    def _ask(
        self, secured: ssl.SSLSocket, parts: SplitResult, port: int
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(parts.hostname or "", port)
        connection.default_port = 443
        connection.sock = secured
        path = parts.path or "/"
        headers = {"User-Agent": "Huike", "Accept-Encoding": "identity", "Connection": "close"}
        if self.former:
            headers["If-None-Match"] = self.former
        connection.request("GET", f"{path}?{parts.query}" if parts.query else path, headers=headers)
        return connection.getresponse()

    def _check(self, answer: http.client.HTTPResponse) -> None:
        if answer.status == 200 or (answer.status == 304 and self.former):
            return
        if 300 <= answer.status < 400:
            raise problem("redirected", host=self.host)
        raise problem("refused", host=self.host, status=answer.status)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.authorities:
            context.load_verify_locations(self.authorities)
        return context


def _break_off(secured: ssl.SSLSocket) -> None:
    """End a connection that another thread waits on."""
    with suppress(OSError):
        socket.socket.shutdown(secured, socket.SHUT_RDWR)
