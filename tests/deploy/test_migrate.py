"""Containers that start together migrate one after the other, each migration once."""

import os
import subprocess
import sys
from collections import Counter

import psycopg
import pytest
from psycopg import sql

from deploy.local.embedded import ROOT
from tests.deploy.test_backup import url_of

pytestmark = pytest.mark.slow
NAME = "huike_migrate_test"
SECONDS = 240


@pytest.fixture
def database():
    """An empty database of its own."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME))
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    yield url_of(NAME)
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        connection.execute(drop)


def test_two_at_once_both_end_well_and_each_migration_runs_once(database):
    """An index that is built concurrently waits for every snapshot: whoever waits has none."""
    environment = {**os.environ, "DATABASE_URL": database, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "manage.py", "migrate", "--no-input"]
    both = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _one in range(2)
    ]
    try:
        said = [one.communicate(timeout=SECONDS)[0] for one in both]
    finally:
        for one in both:
            one.kill()
            one.wait()

    assert [one.returncode for one in both] == [0, 0], said
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
        invalid = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert invalid.fetchone() == (0,)
    assert len(rows) > 50
    assert {*Counter(rows).values()} == {1}
    # One did all of it; the other waited, and found nothing to do.
    assert sorted(" OK" in words for words in said) == [False, True]
    assert "No migrations to apply." in min(said, key=len)
