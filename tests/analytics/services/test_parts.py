"""A run is shared: each part of the customers is scored once, by whoever takes it."""

import json
import threading

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics.enums import RunTrigger
from analytics.ml.clv import RepeatBuyingModel
from analytics.models import CurrentScore, ScorePointer, ScoringFit, ScoringPart
from analytics.selectors import frames
from analytics.services import parts, scoring
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, CustomerDays
from customers.services.facts import mark_all_dirty
from tests.analytics.services.shops import AS_OF, finish, score, score_rows, shop
from tests.workers import sweep_until_final, wait_for


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(frames, "CUSTOMERS_OF_A_PART", 40)


def divided():
    """Return a run that is fitted and whose parts wait."""
    mark_all_dirty()
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    for _slice in range(2):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)
    run.refresh_from_db()
    assert run.job.step == "Scoring customers"
    return run


def without_last_bits(rows):
    """Return score rows with numbers to ten digits: sums of shorter vectors round otherwise."""

    def plain(value):
        return float(f"{value:.10g}") if isinstance(value, float) else value

    found = sorted(map(json.loads, rows), key=lambda row: row["customer_id"])
    return [{name: plain(value) for name, value in row.items()} for row in found]


@pytest.mark.parametrize(
    ("customers", "expected"),
    [(0, 1), (65_536, 1), (65_537, 2), (300_000, 8), (1_000_000, 16), (9_000_000, 16)],
)
def test_a_shop_is_divided_as_its_size_asks(customers, expected):
    assert frames.parts_for(customers) == expected
    assert frames.PARTITIONS % expected == 0


def test_many_parts_give_the_scores_of_one(scored_shop, small_parts):
    before = score_rows()

    run = score()

    assert ScoringPart.objects.filter(run=run, is_done=True).count() == 16
    assert (run.state, run.scored_count, run.job.done) == ("published", 600, run.job.total)
    assert without_last_bits(score_rows()) == without_last_bits(before)


@pytest.mark.django_db
def test_each_customer_is_in_one_part(small_parts):
    shop(300)
    run = divided()

    seen = [frames.scoring_input(AS_OF, withheld=[], part=n, of=8).customer_ids for n in range(8)]

    assert run.customer_count == 300
    ids = Customer.objects.values_list("pk", flat=True)
    assert sorted(np.concatenate(seen).tolist()) == sorted(ids)
    assert min(part.size for part in seen) > 10


@pytest.mark.django_db(transaction=True)
def test_who_finds_a_part_taken_takes_the_next_and_waits_for_nobody(small_parts):
    shop(300)
    run = divided()
    total = ScoringPart.objects.filter(run=run).count()
    found = []

    def help_along():
        while parts.score_next(run_id=run.pk):
            found.append(1)
        connection.close()

    with transaction.atomic():
        held = ScoringPart.objects.select_for_update().filter(run=run).order_by("number").first()
        helper = threading.Thread(target=help_along)
        helper.start()
        helper.join(timeout=60)
        assert not helper.is_alive()
        assert held.number == 0

    assert (len(found), parts.parts_left(run_id=run.pk)) == (total - 1, 1)
    run = finish(run)
    assert (run.state, run.scored_count) == ("published", 300)


@pytest.mark.django_db(transaction=True)
def test_a_helper_that_is_killed_loses_and_doubles_nothing(start_worker, small_parts):
    shop(400)
    run = divided()
    with connection.cursor() as cursor:
        # A part takes long enough to be killed in: its rows are in, the word "done" is not.
        cursor.execute(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(1); RETURN new; END$$;"
            "CREATE TRIGGER linger BEFORE UPDATE ON analytics_scoringpart"
            " FOR EACH ROW EXECUTE FUNCTION linger()"
        )
    try:
        worker = start_worker()
        worker.hint(run.job_id)
        wait_for(lambda: parts.parts_left(run_id=run.pk) < 16, timeout=60)
        worker.kill()
        left = parts.parts_left(run_id=run.pk)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION linger CASCADE")

    assert 0 < left < 16
    second = start_worker()
    sweep_until_final(run.job, second.queue)
    run.refresh_from_db()
    assert (run.state, run.scored_count) == ("published", 400)
    assert CurrentScore.objects.count() == 400


def test_one_odd_number_in_a_part_publishes_nothing(scored_shop, small_parts, monkeypatch):
    before = score_rows()
    run = divided()

    def odd(self, frequency, recency, age_days, *, horizon_days):
        return np.full(frequency.size, np.nan)

    monkeypatch.setattr(RepeatBuyingModel, "expected_orders", odd)

    run = finish(run)

    assert run.state == "abstained"
    refused = [entry["score"] for entry in run.abstentions if entry["code"] == "degenerate_fit"]
    assert sorted(refused) == ["churn", "clv"]
    assert (run.model_name, run.parameters["clv"], "churn" in run.metrics) == ("", None, False)
    assert score_rows() == before
    assert ScorePointer.objects.get().run == scored_shop
    assert not ScoringFit.objects.filter(run=run).exists()


@pytest.mark.django_db
def test_a_shop_without_forecasts_gets_its_groups_where_a_number_is_odd(small_parts, monkeypatch):
    shop(300)
    run = divided()

    def odd(self, frequency, recency, age_days, *, horizon_days):
        return np.full(frequency.size, np.nan)

    monkeypatch.setattr(RepeatBuyingModel, "expected_orders", odd)

    run = finish(run)

    assert (run.state, run.scored_count, run.model_name) == ("published", 300, "")
    assert CurrentScore.objects.filter(rfm_group__isnull=False).count() == 300
    assert not CurrentScore.objects.exclude(churn_probability=None).exists()


@pytest.mark.django_db
def test_a_run_begun_by_the_version_before_fills_the_days_first():
    shop(300)
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    Job.objects.filter(pk=run.job_id).update(cursor={"phase": "score"})
    assert not CustomerDays.objects.exists()

    run = finish(run)

    assert (run.state, run.scored_count) == ("published", 300)


@pytest.mark.django_db(transaction=True)
def test_stopping_waits_for_no_helper_and_the_next_run_tidies_up(small_parts):
    shop(300)
    first = score()
    run = divided()
    with transaction.atomic():
        held = ScoringPart.objects.select_for_update().filter(run=run).order_by("number").first()
        stopper = threading.Thread(target=stop, args=(run.job_id,))
        stopper.start()
        stopper.join(timeout=20)
        assert not stopper.is_alive()
        run.refresh_from_db()
        assert run.state == "cancelled"
        assert ScoringPart.objects.filter(run=run).get() == held
    assert not parts.score_next(run_id=run.pk)

    second = score()

    assert (first.state, second.state) == ("published", "published")
    assert not ScoringPart.objects.filter(run=run).exists()
    assert not ScoringFit.objects.filter(run=run).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", [f"score_of_run_{run.pk}"])
        assert cursor.fetchone()[0]


def stop(job_id):
    jobs.cancel_job(job_id=job_id, now=timezone.now())
    connection.close()


def test_a_run_that_is_stopped_between_parts_leaves_nothing(scored_shop, small_parts):
    before = score_rows()
    run = divided()
    assert parts.score_next(run_id=run.pk)

    jobs.cancel_job(job_id=run.job_id, now=timezone.now())

    run.refresh_from_db()
    assert (run.state, Job.objects.get(pk=run.job_id).state) == ("cancelled", "cancelled")
    assert not parts.score_next(run_id=run.pk)
    assert not ScoringPart.objects.filter(run=run).exists()
    assert score_rows() == before
