"""What deploy/ promises about production: read from the files that are used there."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from deploy.local.embedded import ROOT

COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SETTINGS = (ROOT / "crm/settings.py").read_text()
READ = set(re.findall(r"env(?:\.\w+)?\(\s*\"([A-Z_]+)\"", SETTINGS))


@pytest.mark.parametrize("name", ["web", "worker", "beat", "postgres", "valkey"])
def test_every_service_is_there_and_watched(name):
    assert COMPOSE["services"][name]["healthcheck"]["test"]


def test_web_worker_and_beat_wait_for_migrations_and_broker():
    for name in ("web", "worker", "beat"):
        waits = COMPOSE["services"][name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["valkey"]["condition"] == "service_healthy"


def test_the_image_runs_as_nobody_special():
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users == ["huike"]


def test_the_image_holds_every_package_that_the_product_imports():
    copied = set(re.findall(r"^COPY (\w+) ", DOCKERFILE, re.MULTILINE))
    assert {"crm", "customers", "analytics", "campaigns", "templates", "locale"} <= copied


def test_the_image_holds_the_sample_that_the_first_start_offers():
    file = Path(settings.SAMPLE_FILE).relative_to(ROOT)
    left_out = (ROOT / ".dockerignore").read_text().split()

    assert (ROOT / file).is_file()
    assert f"COPY {file.parent} {file.parent}\n" in DOCKERFILE
    assert not any(
        fnmatch(part, rule) for part in (str(file.parent), str(file)) for rule in left_out
    )
    # Who hands the file on says whose it is.
    assert "CC BY 4.0" in (ROOT / file.parent / "README.md").read_text()


def test_compose_sets_only_what_the_settings_read():
    assert set(COMPOSE["services"]["web"]["environment"]) <= READ


def test_the_example_environment_names_only_what_the_settings_read():
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named <= READ
    assert {"SECRET_KEY", "DATABASE_URL", "BROKER_URL"} <= named
