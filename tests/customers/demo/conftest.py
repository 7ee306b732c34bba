"""A part of the sample: every 36th customer of the shipped file."""

import pytest

from tests.browser.shop import write_part


@pytest.fixture(scope="session")
def part(tmp_path_factory):
    target = tmp_path_factory.mktemp("sample") / "online_retail.parquet"
    write_part(target, every=36)
    return target


@pytest.fixture
def sample(part, settings):
    settings.SAMPLE_FILE = str(part)
    return part


@pytest.fixture
def few(tmp_path, settings):
    """So few people that a worker is through with them in seconds; they get no scores."""
    target = tmp_path / "online_retail.parquet"
    write_part(target, every=300)
    settings.SAMPLE_FILE = str(target)
    return target
