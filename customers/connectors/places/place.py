"""What a place can do, and how much of it is accepted."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import IO, Protocol

from customers.connectors.places.problems import problem

PIECE = 256 * 1024


@dataclass(frozen=True)
class Seen:
    """A file that lies there. ``version`` changes when the file does; empty where nobody tells."""

    name: str
    size: int | None = None
    version: str = ""


@dataclass(frozen=True)
class Fetched:
    """A file that was copied; ``is_new`` is False when the place says that it is the former one."""

    size: int
    version: str
    is_new: bool = True


@dataclass(frozen=True)
class Limits:
    """How much and how long a place may give."""

    most_bytes: int
    seconds: float = 600.0
    silence: float = 30.0


class Place(Protocol):
    """Somewhere files lie. Both raise PlaceError that says what to do."""

    def look(self) -> list[Seen]:
        """Return the files that match, oldest first."""

    def fetch(self, seen: Seen, target: IO[bytes], told: Callable[[int], None]) -> Fetched:
        """Copy a file; ``told`` hears how many bytes are here and may raise to break off."""


def matches(name: str, pattern: str) -> bool:
    """Tell whether a file's name matches; hidden files match only a pattern that says so.

    A name that is no text, as an old system may have left it, matches nothing.
    """
    if "/" in name or "\\" in name or (name.startswith(".") and not pattern.startswith(".")):
        return False
    if name.encode(errors="ignore").decode() != name:
        return False
    return fnmatchcase(name.lower(), pattern.lower())


def copy(
    pieces: Iterable[bytes],
    target: IO[bytes],
    *,
    name: str,
    limits: Limits,
    told: Callable[[int], None],
) -> int:
    """Write the pieces and return their bytes; raises PlaceError past the limits."""
    size, deadline = 0, time.monotonic() + limits.seconds
    for piece in pieces:
        size += len(piece)
        if size > limits.most_bytes:
            raise problem("too_large", file=name, most=limits.most_bytes)
        if time.monotonic() > deadline:
            raise problem("too_slow", seconds=round(limits.seconds))
        try:
            target.write(piece)
        except OSError:
            raise problem("no_room") from None
        told(size)
    return size


@contextmanager
def bounded(seconds: float, close: Callable[[], object]) -> Iterator[threading.Event]:
    """Close a connection after so many seconds, however slowly it trickles; set the event then."""
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        close()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()
