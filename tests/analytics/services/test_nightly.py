"""The nightly run: once a local day, made up for once after downtime, whatever the clock does."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.models import ScoringRun
from analytics.services import scoring
from customers.models import ShopSettings
from customers.services import facts
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(first, count):
    """Return the whole hours from ``first`` on, as the schedule's ticks would see them."""
    return [at(first) + timedelta(hours=number) for number in range(count)]


def made(ticks):
    """Return the keys of the runs that are made at each tick."""
    runs = [scoring.start_nightly_run(now=tick) for tick in ticks]
    return [run.job.key for run in runs if run is not None]


def test_each_local_day_has_one_run():
    ShopSettingsFactory(zone="Asia/Shanghai", nightly_hour=3)

    assert made(hours("2026-03-01T00:00", 64)) == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert made(hours("2026-03-01T00:00", 64)) == []
    assert ScoringRun.objects.count() == 3


def test_a_night_that_was_slept_through_is_made_up_for_once():
    """With a late hour the night's run would otherwise be lost: morning is before its hour."""
    ShopSettingsFactory(nightly_hour=23)
    assert made([at("2026-03-01T23:10")]) == ["2026-03-01"]

    after_days = made(hours("2026-03-05T08:00", 15))

    assert after_days == ["2026-03-04"]
    assert made([at("2026-03-05T23:00")]) == ["2026-03-05"]
    caught_up = ScoringRun.objects.get(job__key="2026-03-04")
    assert caught_up.as_of_day == date(2026, 3, 5)


def test_the_rebuild_of_facts_is_made_up_for_too():
    ShopSettingsFactory(nightly_hour=23)
    assert facts.start_nightly_rebuild(now=at("2026-03-01T23:10")) is not None

    job = facts.start_nightly_rebuild(now=at("2026-03-05T08:00"))

    assert job is not None
    assert job.key == "2026-03-04"
    assert facts.start_nightly_rebuild(now=at("2026-03-05T09:00")) is None


def test_a_new_shop_waits_for_its_first_night():
    ShopSettingsFactory(nightly_hour=23)

    assert made(hours("2026-03-01T00:00", 23)) == []
    assert made([at("2026-03-01T23:00")]) == ["2026-03-01"]


@pytest.mark.parametrize(
    ("first", "hour"),
    [
        ("2026-03-28T12:00", 1),  # London springs forward over this hour on the 29th
        ("2026-10-24T12:00", 1),  # and goes through it twice on the 25th
        ("2026-03-28T12:00", 0),
        ("2026-10-24T12:00", 23),
    ],
)
def test_a_change_of_the_clock_neither_skips_nor_doubles_a_night(first, hour):
    ShopSettingsFactory(zone="Europe/London", nightly_hour=hour)
    made([at(first)])

    found = made(hours(first, 72))

    assert len(found) == len(set(found)) == 3


def test_another_hour_makes_no_second_run_that_day():
    ShopSettingsFactory(nightly_hour=3)
    assert made([at("2026-03-01T03:00")]) == ["2026-03-01"]

    ShopSettings.objects.update(nightly_hour=5)
    assert made(hours("2026-03-01T04:00", 20)) == []
    ShopSettings.objects.update(nightly_hour=1)
    assert made(hours("2026-03-02T00:00", 24)) == ["2026-03-02"]
