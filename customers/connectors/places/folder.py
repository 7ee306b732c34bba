"""Files in a folder of this server, below one that its owner allowed."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from customers.connectors.places.place import PIECE, Fetched, Limits, Seen, copy, matches
from customers.connectors.places.problems import problem

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put there must not make the worker wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class FolderPlace:
    """The files of a folder that match; links are neither followed nor seen."""

    folder: str
    pattern: str
    allowed: Sequence[str]
    limits: Limits

    def look(self) -> list[Seen]:
        """Return the files that match, oldest first."""
        found = []
        with self._opened() as folder, os.scandir(folder) as entries:
            for entry in entries:
                if matches(entry.name, self.pattern) and entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    found.append((about.st_mtime_ns, entry.name, _seen(entry.name, about)))
        return [seen for _at, _name, seen in sorted(found, key=lambda one: one[:2])]

    def fetch(self, seen: Seen, target: IO[bytes], told: Callable[[int], None]) -> Fetched:
        """Copy a file that nobody writes meanwhile."""
        with self._opened() as folder:
            try:
                descriptor = os.open(seen.name, _FILE, dir_fd=folder)
            except OSError:
                raise problem("file_unreadable", file=seen.name) from None
            with os.fdopen(descriptor, "rb") as source:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise problem("file_unreadable", file=seen.name)
                pieces = iter(lambda: source.read(PIECE), b"")
                size = copy(pieces, target, name=seen.name, limits=self.limits, told=told)
                after = _seen(seen.name, os.fstat(descriptor))
        if after != seen or size != seen.size:
            raise problem("file_changed", file=seen.name)
        return Fetched(size, seen.version)

    def real(self) -> Path:
        """Return where the folder really lies, if that is below an allowed one; it may be missing.

        Raises PlaceError for any other.
        """
        try:
            real = Path(self.folder).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            real = Path(os.path.abspath(self.folder))
        roots = [Path(folder).resolve() for folder in self.allowed]
        if not any(real == root or root in real.parents for root in roots):
            raise problem("folder_not_allowed", folder=self.folder)
        return real

    @contextmanager
    def _opened(self) -> Iterator[int]:
        real = self.real()
        try:
            descriptor = os.open(real, _FOLDER)
        except (OSError, ValueError):
            raise problem("folder_missing", folder=self.folder) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _seen(name: str, about: os.stat_result) -> Seen:
    return Seen(name, about.st_size, str(about.st_mtime_ns))
