"""Files on an SFTP server whose key somebody confirmed."""

import base64
import hashlib
import io
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

import paramiko

from customers.connectors.places.network import open_connection
from customers.connectors.places.place import PIECE, Fetched, Limits, Seen, bounded, copy, matches
from customers.connectors.places.problems import problem

_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_AT_ONCE = 32


@dataclass(frozen=True)
class SftpPlace:
    """The files of a folder there that match. ``secret`` is a password or a private key.

    ``host_key`` is the confirmed key, as “type base64”; without one nothing is sent to the host.
    """

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    host_key: str
    folder: str
    pattern: str
    allowed: Sequence[str]
    limits: Limits

    def look(self) -> list[Seen]:
        """Return the files that match, oldest first."""
        with self._files() as files:
            found = [
                (about.st_mtime or 0, about.filename, about)
                for about in self._listed(files)
                if matches(about.filename, self.pattern) and stat.S_ISREG(about.st_mode or 0)
            ]
        found.sort(key=lambda one: one[:2])
        return [_seen(name, about) for _at, name, about in found]

    def fetch(self, seen: Seen, target: IO[bytes], told: Callable[[int], None]) -> Fetched:
        """Copy a file that nobody writes meanwhile."""
        if (seen.size or 0) > self.limits.most_bytes:
            raise problem("too_large", file=seen.name, most=self.limits.most_bytes)
        path = f"{self.folder.rstrip('/')}/{seen.name}" if self.folder else seen.name
        with self._files() as files:
            try:
                with files.open(path, "rb") as source:
                    source.prefetch(seen.size or 0, max_concurrent_requests=_AT_ONCE)
                    pieces = iter(lambda: source.read(PIECE), b"")
                    size = copy(pieces, target, name=seen.name, limits=self.limits, told=told)
                after = _seen(seen.name, files.stat(path))
            except PermissionError:
                raise problem("file_unreadable", file=seen.name) from None
            except FileNotFoundError:
                raise problem("file_changed", file=seen.name) from None
        if after != seen or size != seen.size:
            raise problem("file_changed", file=seen.name)
        return Fetched(size, seen.version)

    def shown_key(self) -> str:
        """Return the key the host shows now, without sending it anything of ours."""
        with self._transport("") as transport:
            return _written(transport.get_remote_server_key())

    def _listed(self, files: paramiko.SFTPClient) -> list[paramiko.SFTPAttributes]:
        try:
            return files.listdir_attr(self.folder or ".")
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            raise problem("folder_missing", folder=self.folder) from None

    @contextmanager
    def _files(self) -> Iterator[paramiko.SFTPClient]:
        """Sign in at the host whose key was confirmed."""
        if not self.host_key:
            raise problem("host_key_unconfirmed", host=self.host)
        with self._transport(self.host_key) as transport:
            if _written(transport.get_remote_server_key()) != self.host_key:
                raise problem("host_key_changed", host=self.host)
            self._sign_in(transport)
            files = paramiko.SFTPClient.from_transport(transport)
            if files is None:
                raise problem("unreachable", host=self.host)
            channel = files.get_channel()
            if channel is not None:
                channel.settimeout(self.limits.silence)
            with files:
                yield files

    @contextmanager
    def _transport(self, host_key: str) -> Iterator[paramiko.Transport]:
        """Agree on keys with the host; words what goes wrong."""
        raw = open_connection(
            self.host, self.port, allowed=self.allowed, silence=self.limits.silence
        )
        transport = paramiko.Transport(raw)
        transport.banner_timeout = transport.auth_timeout = self.limits.silence
        if host_key:
            # A host with several keys is asked for the kind that was confirmed.
            kind = host_key.split(maxsplit=1)[0]
            transport.get_security_options().key_types = _RSA if kind == "ssh-rsa" else (kind,)
        with bounded(self.limits.seconds, transport.close) as is_over:
            try:
                transport.start_client(timeout=self.limits.silence)
                yield transport
            except paramiko.ssh_exception.IncompatiblePeer:
                reason = "host_key_changed" if host_key else "unreachable"
                raise problem(reason, host=self.host) from None
            except paramiko.AuthenticationException:
                raise problem("login_refused", host=self.host) from None
            except (OSError, EOFError, paramiko.SSHException):
                if is_over.is_set():
                    raise problem("too_slow", seconds=round(self.limits.seconds)) from None
                raise problem("unreachable", host=self.host) from None
            finally:
                transport.close()

    def _sign_in(self, transport: paramiko.Transport) -> None:
        if "PRIVATE KEY-----" in self.secret:
            transport.auth_publickey(self.username, _private_key(self.secret))
        else:
            transport.auth_password(self.username, self.secret, fallback=False)
        if not transport.is_authenticated():
            raise problem("login_refused", host=self.host)


def fingerprint_of(host_key: str) -> str:
    """Return a host key's fingerprint as ``ssh-keygen -l`` shows it."""
    digest = hashlib.sha256(base64.b64decode(host_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _private_key(text: str) -> paramiko.PKey:
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
        except (paramiko.SSHException, ValueError, UnicodeError):
            continue
    raise problem("key_unreadable")


def _written(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


def _seen(name: str, about: paramiko.SFTPAttributes) -> Seen:
    return Seen(name, about.st_size, str(about.st_mtime))
