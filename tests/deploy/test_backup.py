"""Backup and restore on a real database of its own, with real dumps."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from deploy.local.backup import BackupError, Vault
from deploy.local.embedded import ROOT

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
NAME = "huike_backup_test"


def url_of(name: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def databases() -> list[str]:
    """Return the databases of these tests."""
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [f"{NAME}%"]
        )
        return [row[0] for row in rows]


def drop(names: list[str]) -> None:
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        for name in names:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def execute(text: str):
    with psycopg.connect(url_of(NAME), autocommit=True) as connection:
        found = connection.execute(text)
        return found.fetchone()[0] if found.description else None


@pytest.fixture(scope="module")
def template():
    """A migrated database with one customer; each test works on a copy of it."""
    name = f"{NAME}_template"
    drop(databases())
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    code = (
        "from tests.factories import CustomerFactory; CustomerFactory();"
        "from customers.models import ShopSettings; "
        "ShopSettings.objects.create("
        "name='Shop', zone='UTC', currency='EUR', sending_armed=True)"
    )
    for arguments in (["migrate", "-v", "0"], ["shell", "-c", code]):
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env={**os.environ, "DATABASE_URL": url_of(name)}, check=True, timeout=120,
        )  # fmt: skip
    yield name
    drop(databases())


@pytest.fixture
def vault(template, tmp_path) -> Vault:
    drop([name for name in databases() if name != template])
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(NAME), sql.Identifier(template)
            )
        )
    media = tmp_path / "media"
    media.mkdir()
    (media / "orders.csv").write_text("order_id\n1\n")
    return Vault(url_of(NAME), media)


@pytest.fixture
def saved(vault, tmp_path) -> Path:
    return vault.save(tmp_path / "backups", NOW)


def test_a_backup_is_complete_private_and_says_what_is_inside(saved):
    assert saved.name == "20260301T043000Z"
    assert saved.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["rows"]["customers_customer"] == 1
    assert (saved / "database.dump").stat().st_size > 10_000
    assert (saved / "media" / "orders.csv").read_text() == "order_id\n1\n"


def test_restore_brings_back_rows_and_files_and_disarms_sending(vault, saved, template):
    assert execute("SELECT sending_armed FROM customers_shopsettings") is True
    execute("DELETE FROM customers_customer")
    (vault.media / "orders.csv").unlink()

    assert vault.restore(saved)["customers_customer"] == 1

    assert execute("SELECT sending_armed FROM customers_shopsettings") is False
    assert (vault.media / "orders.csv").exists()
    kept = [name for name in databases() if name not in (NAME, template)]
    assert len(kept) == 1
    assert kept[0].startswith(f"{NAME}_before_")


def test_restore_over_customers_needs_force(vault, saved):
    with pytest.raises(BackupError, match="FORCE=1"):
        vault.restore(saved)
    assert vault.restore(saved, force=True)["customers_customer"] == 1


def test_restore_refuses_while_somebody_is_connected(vault, saved):
    with (
        psycopg.connect(url_of(NAME)),
        pytest.raises(BackupError, match="Stop web, worker and beat first"),
    ):
        vault.restore(saved, force=True)


def test_a_dump_that_is_not_what_its_manifest_says_replaces_nothing(vault, saved, template):
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["rows"]["customers_customer"] = 2
    (saved / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="nothing was replaced"):
        vault.restore(saved, force=True)
    assert databases() == [NAME, template]
    assert vault.counts()["customers_customer"] == 1


def test_a_broken_dump_replaces_nothing(vault, saved):
    with open(saved / "database.dump", "r+b") as dump:
        dump.truncate(5_000)
    with pytest.raises(BackupError, match="pg_restore failed"):
        vault.restore(saved, force=True)
    assert vault.counts()["customers_customer"] == 1


def test_a_folder_without_manifest_is_named(vault, tmp_path):
    with pytest.raises(BackupError, match=r"no manifest\.json"):
        vault.restore(tmp_path / "nowhere")
