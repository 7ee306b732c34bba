"""The embedded servers: started, shared, killed, moved, stopped; and nothing left running."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local import places
from deploy.local.embedded import ROOT, Embedded
from tests.workers import wait_for

COMMAND = [sys.executable, "-m", "deploy.local.embedded"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, as a checkout in /opt or /srv is."""
    with tempfile.TemporaryDirectory(prefix="huike-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        Embedded(path, ephemeral=True).stop()


@pytest.fixture
def servers(folder) -> Embedded:
    return Embedded(folder, ephemeral=True)


def processes_of(folder: Path) -> list[int]:
    """Return the ids of the processes that name this folder in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(folder) in words and state != "Z":
            found.append(int(entry.name))
    return found


def query(url: str, text: str):
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(text)
        return row.fetchone()[0] if row.description else None


def test_start_answers_on_this_machine_only_and_stop_leaves_nothing(servers, folder):
    addresses = servers.start()
    assert query(addresses.database_url, "SELECT current_database()") == "huike"
    assert query(addresses.database_url, "SHOW listen_addresses") == "127.0.0.1"
    assert places.valkey_answers(addresses.valkey_port)
    assert servers.status()["postgres"]
    assert servers.status()["valkey"]
    servers.stop()
    assert not servers.status()["postgres"]
    assert not servers.status()["valkey"]
    wait_for(lambda: not processes_of(folder), 10, tell=lambda: processes_of(folder))


def test_servers_that_run_are_shared_not_started_twice(servers, folder):
    starts = [
        subprocess.Popen(
            [*COMMAND, "start", "--ephemeral", "--dir", str(folder)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = {start.communicate(timeout=90)[0] for start in starts}
    assert [start.returncode for start in starts] == [0, 0]
    assert len(said) == 1
    assert "DATABASE_URL=postgres://" in said.pop()


def test_data_outlives_a_killed_server(servers):
    url = servers.start().database_url
    query(url, "CREATE TABLE kept AS SELECT 7 AS number")
    query(url, "CHECKPOINT")
    postmaster = int((servers.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_for(lambda: not servers.status()["postgres"], 20)
    assert query(servers.start().database_url, "SELECT number FROM kept") == 7


def test_a_taken_port_is_given_up(servers):
    before = servers.start()
    servers.stop()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", before.postgres_port))
        taken.listen()
        after = servers.start()
        assert after.postgres_port != before.postgres_port
        assert query(after.database_url, "SELECT 1") == 1


def test_run_passes_the_exit_code_on_and_stops_the_servers(folder):
    words = (
        "import os, sys; print(os.environ['DATABASE_URL'], os.environ['BROKER_URL']); sys.exit(7)"
    )
    done = subprocess.run(
        [*COMMAND, "run", "--ephemeral", "--dir", str(folder), "--", sys.executable, "-c", words],
        cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("postgres://")
    wait_for(lambda: not processes_of(folder), 10, tell=lambda: processes_of(folder))


def test_run_that_is_interrupted_stops_command_and_servers(folder):
    mark = folder / "up"
    words = f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(300)"
    process = subprocess.Popen(
        [*COMMAND, "run", "--ephemeral", "--dir", str(folder), "--", sys.executable, "-c", words],
        cwd=ROOT,
    )
    wait_for(mark.exists, 90)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) != 0
    wait_for(lambda: not processes_of(folder), 10, tell=lambda: processes_of(folder))


def test_run_without_a_command_says_what_is_missing():
    done = subprocess.run([*COMMAND, "run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run needs" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_root_moves_the_servers_out_of_a_private_home(folder):
    home = folder / "home"
    home.mkdir(mode=0o700)
    servers = Embedded(home / "shop" / "var", ephemeral=True)
    try:
        assert servers.folder.parent == Path("/var/lib")
        addresses = servers.start()
        assert query(addresses.database_url, "SELECT 1") == 1
        owner = (servers.data / "PG_VERSION").stat().st_uid
        assert owner == places.account().pw_uid
        assert json.loads((servers.folder / "ports.json").read_text())
    finally:
        servers.stop()
        shutil.rmtree(servers.folder, ignore_errors=True)


def test_valkey_that_died_is_started_again(servers):
    addresses = servers.start()
    places.shut_valkey(addresses.valkey_port)
    time.sleep(0.1)
    assert places.valkey_answers(servers.start().valkey_port)
