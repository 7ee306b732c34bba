"""When saved imports run: once a local day, made up for once, whatever the clocks do."""

from datetime import UTC, datetime

import pytest

from crm.core.models import Job
from customers.models import SavedImport
from customers.services import saved_imports
from tests.customers.saved.shops import save
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def shop(tmp_path, settings):
    settings.IMPORT_FOLDERS = [str(tmp_path)]

    def make(zone, hour, since):
        ShopSettingsFactory(zone=zone)
        saved = save(folder=str(tmp_path), hour=hour)
        SavedImport.objects.filter(pk=saved.pk).update(active_since=at(since))
        return saved

    return make


def days(*moments):
    """Let the schedule look at these moments, each fetch ending at once; return the days made."""
    for moment in moments:
        for pk in saved_imports.start_due(now=at(moment)):
            Job.objects.filter(pk=pk).update(state="cancelled", finished_at=at(moment))
    made = Job.objects.filter(kind=saved_imports.KIND).order_by("pk").values_list("key", flat=True)
    return [key.rpartition(":")[2] for key in made]


def test_one_a_day_from_its_hour_on(shop):
    shop("UTC", 5, "2026-03-01T12:00")

    assert days("2026-03-01T12:05", "2026-03-02T04:59") == []
    assert days("2026-03-02T05:00", "2026-03-02T05:05", "2026-03-02T23:59") == ["2026-03-02"]
    assert days("2026-03-03T05:01")[1:] == ["2026-03-03"]


def test_after_downtime_the_last_hour_is_made_up_for_once(shop):
    shop("UTC", 5, "2026-03-01T12:00")
    days("2026-03-02T05:00")

    assert days("2026-03-06T02:00", "2026-03-06T03:00")[1:] == ["2026-03-05"]
    assert days("2026-03-06T05:00")[2:] == ["2026-03-06"]


def test_an_hour_before_it_was_saved_or_resumed_is_not_made_up_for(shop):
    shop("UTC", 5, "2026-03-02T05:01")

    assert days("2026-03-02T06:00", "2026-03-03T04:00") == []


def test_days_are_the_shops(shop):
    shop("Asia/Shanghai", 3, "2026-03-01T12:00")

    assert days("2026-03-01T18:59") == []
    assert days("2026-03-01T19:00") == ["2026-03-02"]


def test_an_hour_that_the_clocks_leave_out_still_comes_once(shop):
    shop("Europe/Berlin", 2, "2026-03-28T12:00")

    made = days("2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00")

    assert made == ["2026-03-29", "2026-03-30"]


def test_an_hour_that_comes_twice_counts_once(shop):
    shop("Europe/Berlin", 2, "2026-10-24T12:00")

    made = days("2026-10-25T00:00", "2026-10-25T00:59", "2026-10-25T01:00", "2026-10-25T01:30")

    assert made == ["2026-10-25"]


def test_while_a_fetch_runs_the_next_waits(shop):
    saved = shop("UTC", 5, "2026-03-01T12:00")
    saved_imports.start_fetch(saved_id=saved.pk, user_id=None)

    assert saved_imports.start_due(now=at("2026-03-02T05:00")) == []
    Job.objects.update(state="cancelled", finished_at=at("2026-03-02T05:00"))
    assert len(saved_imports.start_due(now=at("2026-03-02T05:05"))) == 1


def test_paused_ones_are_not_due(shop):
    saved = shop("UTC", 5, "2026-03-01T12:00")
    saved_imports.pause(saved_id=saved.pk, user_id=None)

    assert days("2026-03-02T05:00") == []


@pytest.mark.parametrize("rows", [1, 10])
def test_looking_costs_the_same_for_many(shop, rows, django_assert_max_num_queries):
    saved = shop("UTC", 5, "2026-03-01T12:00")
    for number in range(rows - 1):
        SavedImport.objects.filter(pk=saved.pk).update(name=f"Other {number}")
        copy = SavedImport.objects.get(pk=saved.pk)
        copy.pk, copy.name, copy.public_id = None, f"Copy {number}", f"sav_{number:032x}"
        copy.save(force_insert=True)
    days("2026-03-02T05:00")

    with django_assert_max_num_queries(3):
        assert saved_imports.start_due(now=at("2026-03-02T05:10")) == []
