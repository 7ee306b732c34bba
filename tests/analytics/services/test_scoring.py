"""Scoring runs: published whole, identical on repeat, silent where they must be."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics.enums import RfmGroup, RunTrigger
from analytics.errors import FutureDayError
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.run import RFM_GROUPS, score_customers
from analytics.models import CurrentScore, ScorePointer, ScoreSnapshot, ScoringRun
from analytics.selectors.frames import scoring_input
from analytics.selectors.wording import explain_run
from analytics.services import publishing, scoring
from analytics.services.publishing import publish, tidy
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, Order, Refund
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    RefundFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    SourceFactory,
    SurveyResponseFactory,
)
from tests.workers import sweep_until_final, wait_for

AS_OF = date(2026, 3, 2)
NIGHT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def shop(size, *, seed=1, until=AS_OF):
    """Make a shop whose customers buy at rates of their own, for 400 days before ``until``."""
    ShopSettingsFactory()
    dice = np.random.default_rng(seed)
    source = SourceFactory()
    customers = Customer.objects.bulk_create(
        Customer(source=source, external_id=f"S{number:05d}") for number in range(size)
    )
    orders = []
    for customer in customers:
        day = int(dice.integers(1, 395))
        gap = dice.gamma(2.0, 30.0) + 5
        value = dice.gamma(4.0, 10.0) + 5
        while day > 0:
            placed = datetime.combine(until, datetime.min.time(), UTC) - timedelta(days=day)
            total = Decimal(str(round(value * dice.uniform(0.6, 1.4), 2)))
            orders.append(
                Order(
                    source=source,
                    external_id=f"{customer.external_id}-{day}",
                    customer=customer,
                    placed_at=placed + timedelta(hours=12),
                    placed_day=placed.date(),
                    currency="GBP",
                    exchange_rate=1,
                    total=total,
                    total_shop=total,
                )
            )
            if dice.random() < 0.12:
                break
            day -= max(1, int(dice.exponential(gap)))
    Order.objects.bulk_create(orders)


def score(as_of=AS_OF):
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=as_of, user_id=None, now=timezone.now()
    )
    return finish(run)


def finish(run):
    for _slice in range(20):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=60)
        if Job.objects.get(pk=run.job_id).is_final:
            break
    run.refresh_from_db()
    assert run.job.error == ""
    return run


def score_rows():
    """Return the published rows as text, without the run's number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(s) - 'run_id' FROM analytics_currentscore s ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def scored_shop(db):
    shop(600)
    return score()


def test_the_groups_of_the_model_are_the_groups_that_have_names():
    assert set(RFM_GROUPS) == set(RfmGroup.values)


def test_a_run_is_published_with_its_backtest_and_its_baseline(scored_shop):
    run = scored_shop

    assert run.state == "published"
    assert ScorePointer.objects.get().run == run
    assert CurrentScore.objects.count() == run.scored_count == 600
    assert run.model_name in ("bg_nbd", "mbg_nbd", "nbd")
    assert 0.5 < run.metrics["churn"]["auc"] <= 1
    assert run.baseline["churn"]["name"] == "recency_rule"
    assert run.horizon_days >= 30
    scores = CurrentScore.objects.filter(churn_probability__isnull=False)
    assert scores.count() == 600
    for row in scores:
        assert 0 <= row.churn_low <= row.churn_probability <= row.churn_high <= 1
        assert 0 <= row.clv_low <= row.predicted_clv <= row.clv_high
    assert sum(1 for row in scores if row.reasons["churn"]) > 500
    assert ScoreSnapshot.objects.filter(month=date(2026, 3, 1)).count() == 600


def test_the_same_day_and_data_give_identical_scores_and_replace_the_former(scored_shop):
    before = score_rows()

    second = score()

    assert score_rows() == before
    scored_shop.refresh_from_db()
    assert scored_shop.state == "replaced"
    assert CurrentScore.objects.count() == 600
    assert ScorePointer.objects.get().run == second


def test_what_happens_on_or_after_the_day_changes_nothing(scored_shop):
    before = score_rows()
    customer = Customer.objects.order_by("pk").first()
    order = Order.objects.filter(customer=customer).order_by("pk").first()
    late = datetime.combine(AS_OF, datetime.min.time(), UTC)
    OrderFactory(customer=customer, placed_at=late, total=Decimal(9999))
    RefundFactory(customer=customer, order=order, refunded_at=late, amount=order.total)
    SurveyResponseFactory(customer=customer, value=1, answered_at=late)

    score()

    assert score_rows() == before


@pytest.mark.parametrize("size", [0, 1, 3, 50])
@pytest.mark.django_db
def test_small_shops_get_no_forecast_and_the_reason(size):
    shop(size)

    run = score()

    assert run.state in ("abstained", "published")
    assert not CurrentScore.objects.filter(churn_probability__isnull=False).exists()
    assert not CurrentScore.objects.filter(predicted_clv__isnull=False).exists()
    codes = {entry["code"] for entry in run.abstentions}
    assert codes & {"too_few_buyers", "no_orders", "no_data_since"}


def test_a_customers_page_says_why_nobody_is_scored_yet(staff_client):
    shop(50)
    score()

    page = staff_client.get(f"/admin/customers/customer/{Customer.objects.first().pk}/change/")

    assert "50 customers have bought; it takes 100" in page.content.decode()
    assert "Not scored yet" not in page.content.decode()


@pytest.mark.django_db
def test_orders_without_an_exchange_rate_are_told_beside_the_scores():
    shop(3)
    for _number in range(2):
        OrderFactory(
            currency="USD", exchange_rate=None, placed_at=datetime(2026, 2, 1, 12, tzinfo=UTC)
        )

    run = score()

    assert "2 paid orders are left out: the exchange rate of their day is missing." in explain_run(
        run
    )


@pytest.mark.django_db
def test_runs_publish_one_after_the_other():
    """Two at once would each take the other for not yet published, and both would stay it."""
    shop(120)
    run = ScoringRunFactory(as_of_day=AS_OF)
    with transaction.atomic():
        publish(run=run, result=score_customers(scoring_input(AS_OF)))

        with connection.cursor() as cursor:
            cursor.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted")
            assert publishing._LOCK in {row[0] for row in cursor.fetchall()}


@pytest.mark.django_db
def test_old_data_are_not_scored():
    shop(300)

    run = score(AS_OF + timedelta(days=20))

    assert "no_data_since" in {entry["code"] for entry in run.abstentions}
    assert not CurrentScore.objects.filter(churn_probability__isnull=False).exists()


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
    for _slice in range(3):
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
    for _slice in range(2):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)
    run.refresh_from_db()
    assert run.state == "published"
    assert run.job.state == "queued"
    gone = Customer.objects.order_by("pk").first()
    Customer.objects.filter(pk=gone.pk).update(lifecycle="erased")
    monkeypatch.setattr(scoring, "score_customers", None)  # scoring again would fail

    run = finish(run)

    assert run.job.state == "succeeded"
    assert not CurrentScore.objects.filter(customer_id=gone.pk).exists()
    assert CurrentScore.objects.count() == 599


def test_stopping_a_job_leaves_what_is_published_published(scored_shop):
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )
    for _slice in range(2):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=0)

    job = jobs.cancel_job(job_id=run.job_id, now=timezone.now())

    run.refresh_from_db()
    assert (job.state, run.state) == ("cancelled", "published")


def test_a_run_that_is_asked_to_stop_publishes_nothing(scored_shop, monkeypatch):
    before = score_rows()
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=AS_OF, user_id=None, now=timezone.now()
    )

    def stop_then_score(given):
        jobs.cancel_job(job_id=run.job_id, now=timezone.now())
        return score_customers(given)

    monkeypatch.setattr(scoring, "score_customers", stop_then_score)
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


@pytest.mark.django_db
def test_a_day_that_nobody_has_seen_is_refused():
    ShopSettingsFactory(zone="Asia/Shanghai")
    night = datetime(2026, 3, 1, 17, tzinfo=UTC)  # the 2nd in Shanghai

    with pytest.raises(FutureDayError):
        scoring.start_run(
            trigger=RunTrigger.MANUAL, as_of_day=date(2026, 3, 4), user_id=None, now=night
        )
    assert ScoringRun.objects.count() == Job.objects.count() == 0
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=date(2026, 3, 3), user_id=None, now=night
    )
    assert run.as_of_day == date(2026, 3, 3)


@pytest.mark.django_db
def test_the_nightly_run_exists_once_and_not_before_its_hour():
    ShopSettingsFactory(nightly_hour=3)

    assert scoring.start_nightly_run(now=NIGHT - timedelta(hours=2)) is None
    first = scoring.start_nightly_run(now=NIGHT)
    assert scoring.start_nightly_run(now=NIGHT + timedelta(hours=9)) is None

    assert (first.as_of_day, first.trigger) == (date(2026, 3, 2), "nightly")
    assert ScoringRun.objects.count() == 1


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
def test_a_credit_without_an_order_takes_back_that_days_spend():
    ShopSettingsFactory()
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)
    customer = CustomerFactory()
    OrderFactory(customer=customer, placed_at=noon, total=Decimal(38_970))
    OrderFactory(customer=customer, placed_at=noon, total=Decimal(297))
    RefundFactory(customer=customer, order=None, refunded_at=noon, amount=Decimal(38_970))

    given = scoring_input(AS_OF)
    ledger = PurchaseLedger(given.purchases, given.refunds)

    assert ledger.occasions(known_before=given.as_of_day).net_spend.tolist() == [297.0]


@pytest.mark.django_db
def test_what_came_back_is_told_with_the_day_it_was_known():
    ShopSettingsFactory(zone="Asia/Shanghai")
    placed = datetime(2026, 1, 10, 12, tzinfo=UTC)
    night = datetime(2026, 2, 3, 17, tzinfo=UTC)  # the 4th in Shanghai
    customer = CustomerFactory()
    returned = OrderFactory(customer=customer, placed_at=placed, total=Decimal(100))
    RefundFactory(
        customer=customer,
        order=returned,
        refunded_at=night,
        refunded_day=date(2026, 2, 4),
        amount=Decimal(40),
    )
    RefundFactory(
        customer=customer,
        order=returned,
        refunded_at=datetime.combine(AS_OF, datetime.min.time(), UTC),
        amount=Decimal(60),
    )
    OrderFactory(
        customer=customer,
        placed_at=placed + timedelta(days=1),
        paid_at=placed + timedelta(days=1),
        total=Decimal(70),
        status="cancelled",
        cancelled_at=night,
    )
    OrderFactory(
        customer=customer,
        placed_at=placed,
        total=Decimal(9),
        status="cancelled",
        cancelled_at=night,
    )

    given = scoring_input(AS_OF)

    ordered, cancelled, fourth = (
        (date(2026, month, day) - date(1970, 1, 1)).days
        for month, day in ((1, 10), (1, 11), (2, 4))
    )
    assert list(zip(given.purchases.day, given.purchases.net_spend, strict=True)) == [
        (ordered, 100.0),
        (cancelled, 70.0),
    ]
    assert given.refunds.order_day.tolist() == [ordered, cancelled]
    assert given.refunds.known_day.tolist() == [fourth, fourth]
    assert given.refunds.amount.tolist() == [40.0, 70.0]
    ledger = PurchaseLedger(given.purchases, given.refunds)
    assert ledger.occasions(known_before=fourth).net_spend.tolist() == [100.0, 70.0]
    assert ledger.occasions(known_before=fourth + 1).net_spend.tolist() == [60.0]
