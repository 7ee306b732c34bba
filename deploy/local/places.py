"""Who the embedded servers run as, which folders that user may enter, and which ports are free."""

import contextlib
import importlib.util
import os
import pwd
import socket
import time
from pathlib import Path


class EmbeddedError(RuntimeError):
    """A server could not be started; the message says what to look at."""


def valkey_answers(port: int) -> bool:
    """Tell whether a Valkey answers PING on this port."""
    return _ask_valkey(port, b"PING\r\n").startswith(b"+PONG")


def _ask_valkey(port: int, words: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as talk:
            talk.sendall(words)
            return talk.recv(64)
    except OSError:
        return b""


def shut_valkey(port: int) -> None:
    _ask_valkey(port, b"SHUTDOWN NOSAVE\r\n")
    deadline = time.monotonic() + 10
    while valkey_answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)


def account() -> pwd.struct_passwd | None:
    """Return whom the servers run as when we are root: Postgres refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("There is neither a user “postgres” nor “nobody” to run Postgres as.")


def may_enter(path: Path) -> bool:
    """Tell whether everybody may enter every folder on the way to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


def open_up(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))


def package_folder(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EmbeddedError(f"The wheel {name} is not installed: see requirements-extras/.")
    return Path(found.origin).parent


def plain_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(path: Path, lines: int = 15) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return ""
