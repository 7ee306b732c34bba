"""What docs/operations.md says about settings is what the code reads."""

import re

import pytest

from crm.schedule import BEAT_SCHEDULE
from deploy.local.embedded import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
SETTINGS = (ROOT / "crm/settings.py").read_text()
READ = set(re.findall(r"env(?:\.\w+)?\(\s*\"([A-Z_]+)\"", SETTINGS))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_table_names_every_variable_that_is_read_and_no_other():
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", section("Environment variables"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]

    assert len(named) == len(set(named))
    assert set(named) == READ


def test_the_variables_without_a_default_are_called_required():
    required = set(re.findall(r"^\| `([A-Z_]+)` \| required \|", PAGE, re.MULTILINE))
    pattern = r"env\.\w+\(\"([A-Z_]+)\"\)"

    assert required == set(re.findall(pattern, SETTINGS))


@pytest.mark.parametrize("entry", BEAT_SCHEDULE.values(), ids=BEAT_SCHEDULE)
def test_every_recurring_task_is_told(entry):
    assert f"`{entry['task']}`" in section("What happens by itself")
