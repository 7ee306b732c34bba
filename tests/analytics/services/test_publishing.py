"""Scores are published whole or not at all, and only where they are better than what is shown."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics.enums import RunTrigger
from analytics.ml.run import NULL_REASONS, fit_shop, score_customers
from analytics.models import CurrentScore, ScorePointer, ScoreSnapshot, ScoringRun
from analytics.selectors.wording.numbers import EPOCH
from analytics.services import publishing, scoring
from analytics.services.publishing import complete_table, copy_scores, create_table, publish, tidy
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, Order, OrderLine, Refund
from tests.analytics.services.shops import AS_OF, finish, score, score_rows, seen, shop
from tests.factories import (
    ScoringRunFactory,
)
from tests.workers import sweep_until_final, wait_for


@pytest.mark.django_db
def test_runs_publish_one_after_the_other():
    """Two at once would each take the other for not yet published, and both would stay it."""
    shop(120)
    run = ScoringRunFactory(as_of_day=AS_OF)
    with transaction.atomic():
        create_table(run_id=run.pk)
        copy_scores(run_id=run.pk, scores=score_customers(seen()))
        complete_table(run_id=run.pk)
        publish(run=run)

        with connection.cursor() as cursor:
            cursor.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted")
            assert publishing._LOCK in {row[0] for row in cursor.fetchall()}


def test_the_next_order_is_published_as_it_was_computed(scored_shop):
    """Days become dates, counts stay whole, and what has no date says why."""
    result = score_customers(seen())
    rows = CurrentScore.objects.in_bulk(result.customer_id.tolist())

    stored = [rows[pk] for pk in result.customer_id.tolist()]

    for name in ("next_order_from", "next_order_until"):
        days = [None if np.isnan(day) else EPOCH + timedelta(day) for day in getattr(result, name)]
        assert [getattr(row, name) for row in stored] == days, name
    for name in ("expected_orders", "orders_low", "orders_high"):
        assert [getattr(row, name) for row in stored] == getattr(result, name).tolist(), name
    codes = [NULL_REASONS[code] for code in result.next_order_null]
    assert [row.next_order_abstained for row in stored] == codes
    assert {*codes} == {"", "order_unlikely"}
    dated = [row for row in stored if not row.next_order_abstained]
    assert all(AS_OF <= row.next_order_from <= row.next_order_until for row in dated)


def test_a_run_that_abstains_leaves_the_last_good_scores(scored_shop):
    before = score_rows()

    run = score(AS_OF + timedelta(days=40))

    assert run.state == "abstained"
    assert score_rows() == before


def test_who_was_merged_or_erased_meanwhile_gets_no_row(scored_shop, monkeypatch):
    gone = Customer.objects.order_by("pk").first()

    def erase_then_publish(**arguments):
        Customer.objects.filter(pk=gone.pk).update(lifecycle="erased")
        return publish(**arguments)

    monkeypatch.setattr(scoring, "publish", erase_then_publish)
    run = score()

    assert run.scored_count == 599
    assert not CurrentScore.objects.filter(customer_id=gone.pk).exists()


def test_a_worker_that_lost_its_job_publishes_nothing(scored_shop, monkeypatch):
    before = score_rows()

    def lose_then_publish(**arguments):
        Job.objects.filter(kind=scoring.KIND, state="running").update(epoch=99)
        return publish(**arguments)

    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    monkeypatch.setattr(scoring, "publish", lose_then_publish)
    for _slice in range(4):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=60)

    assert score_rows() == before
    assert ScorePointer.objects.get().run == scored_shop
    assert ScoringRun.objects.get(pk=run.pk).state == "running"


@pytest.mark.django_db
def test_a_young_shop_gets_new_groups_every_night_until_it_gets_forecasts():
    shop(300)
    young = Order.objects.filter(placed_day__lt=AS_OF - timedelta(days=70))
    young.delete()

    first, second = score(AS_OF - timedelta(days=1)), score()

    for run in (first, second):
        assert {entry["code"] for entry in run.abstentions} == {"history_too_short"}
    first.refresh_from_db()
    assert (first.state, second.state) == ("replaced", "published")
    assert CurrentScore.objects.filter(run=second, rfm_group__isnull=False).exists()


def test_groups_alone_do_not_take_the_place_of_forecasts(scored_shop):
    before = score_rows()
    Order.objects.filter(placed_day__lt=AS_OF - timedelta(days=70)).delete()

    run = score()

    assert run.state == "abstained"
    assert score_rows() == before


def test_who_takes_over_a_run_that_is_out_has_only_to_tidy(scored_shop, monkeypatch):
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    for _slice in range(4):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)
    run.refresh_from_db()
    assert run.state == "published"
    assert run.job.state == "queued"
    gone = Customer.objects.order_by("pk").first()
    Customer.objects.filter(pk=gone.pk).update(lifecycle="erased")
    ScoreSnapshot.objects.filter(customer=gone).update(run=run)
    monkeypatch.setattr(scoring, "fit_shop", None)  # fitting again would fail

    run = finish(run)

    assert run.job.state == "succeeded"
    assert not CurrentScore.objects.filter(customer_id=gone.pk).exists()
    assert CurrentScore.objects.count() == 599
    assert not ScoreSnapshot.objects.filter(customer=gone).exists()


def written(run: ScoringRun) -> bool:
    """Tell whether a run's scores lie in a table that nobody reads."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"score_of_run_{run.pk}"])
        return bool(cursor.fetchone()[0])


def score_only() -> ScoringRun:
    """Run a job up to the scores that are written and not yet published."""
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    for _slice in range(3):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)
    run.refresh_from_db()
    assert (run.state, run.job.step, written(run)) == ("running", "Publishing", True)
    return run


def test_who_takes_over_a_run_that_is_scored_has_only_to_publish(scored_shop, monkeypatch):
    before = score_rows()
    run = score_only()
    assert score_rows() == before
    assert ScorePointer.objects.get().run == scored_shop
    gone = Customer.objects.order_by("pk").first()
    Customer.objects.filter(pk=gone.pk).update(lifecycle="erased")
    monkeypatch.setattr(scoring, "fit_shop", None)  # fitting again would fail

    run = finish(run)

    assert (run.state, run.scored_count) == ("published", 599)
    assert ScorePointer.objects.get().run == run
    assert not CurrentScore.objects.filter(customer_id=gone.pk).exists()


def test_stopping_a_run_that_is_scored_drops_what_it_wrote(scored_shop):
    run = score_only()

    job = jobs.cancel_job(job_id=run.job_id, now=timezone.now())

    run.refresh_from_db()
    assert (job.state, run.state, written(run)) == ("cancelled", "cancelled", False)
    assert ScorePointer.objects.get().run == scored_shop


def test_stopping_a_job_leaves_what_is_published_published(scored_shop):
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    for _slice in range(4):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)

    job = jobs.cancel_job(job_id=run.job_id, now=timezone.now())

    run.refresh_from_db()
    assert (job.state, run.state) == ("cancelled", "published")


def test_a_run_that_is_asked_to_stop_publishes_nothing(scored_shop, monkeypatch):
    before = score_rows()
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )

    def stop_then_fit(given):
        jobs.cancel_job(job_id=run.job_id, now=timezone.now())
        return fit_shop(given)

    monkeypatch.setattr(scoring, "fit_shop", stop_then_fit)
    jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=60)

    run.refresh_from_db()
    assert (run.job.state, run.state) == ("cancelled", "cancelled")
    assert score_rows() == before


def test_the_partitions_of_the_newest_runs_are_kept(scored_shop):
    for _night in range(3):
        score()
    monday = ScorePointer.objects.get().run
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE score_of_run_999999 PARTITION OF analytics_customerscore"
            " FOR VALUES IN (999999)"
        )

    tidy(run_id=monday.pk)

    published = ScoringRun.objects.filter(state__in=["published", "replaced"])
    kept = {f"score_of_run_{pk}" for pk in published.values_list("pk", flat=True)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'analytics_customerscore'::regclass"
        )
        assert {row[0] for row in cursor.fetchall()} == kept
    assert len(kept) == 4


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_publishes_nothing_by_half(start_worker):
    shop(400)
    score()
    before = score_rows()
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    worker = start_worker()
    worker.hint(run.job_id)
    wait_for(lambda: Job.objects.get(pk=run.job_id).state == "running", timeout=30)

    worker.kill()

    assert score_rows() == before
    second = start_worker()
    sweep_until_final(run.job, second.queue)
    run.refresh_from_db()
    assert run.state == "published"
    assert ScorePointer.objects.get().run == run
    assert score_rows() == before
    assert Refund.objects.count() == 0


@pytest.mark.django_db
def test_the_margin_is_published_where_the_costs_of_the_goods_are_known():
    shop(250)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            line_key="1",
            quantity=2,
            unit_price=order.total / 2,
            amount=order.total,
            unit_cost=order.total * (3 + order.customer_id % 2) / 10,
        )
        for order in Order.objects.all()
    )

    run = score()

    assert run.abstentions == []
    assert run.parameters["margin_12m"]["is_own"] is True
    assert run.metrics["margin_12m"]["rate"]["rmse"] < 0.001
    rows = CurrentScore.objects.exclude(clv_12m=None)
    assert rows.count() > 200
    for row in rows:
        rate = 0.2 if row.customer_id % 2 else 0.4
        assert float(row.margin_12m) == pytest.approx(rate * float(row.clv_12m), rel=0.01, abs=0.01)
