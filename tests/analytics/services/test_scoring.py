"""Scoring runs: what they see, identical on repeat, silent where they must be."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.enums import RfmGroup, RunTrigger
from analytics.errors import FutureDayError
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.run import RFM_GROUPS
from analytics.models import CurrentScore, ScorePointer, ScoreSnapshot, ScoringRun
from analytics.selectors.wording import explain_run
from analytics.services import scoring
from crm.core.models import Job
from customers.models import Customer, Order
from tests.analytics.services.shops import AS_OF, score, score_rows, seen, shop
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    RefundFactory,
    ShopSettingsFactory,
    SourceFactory,
    SurveyResponseFactory,
    TicketFactory,
)

NIGHT = datetime(2026, 3, 2, 4, tzinfo=UTC)


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
    # The orders have no lines, so nobody knows what they cost.
    assert [entry["code"] for entry in run.abstentions] == ["costs_unknown"]
    assert not scores.exclude(margin_12m=None).exists()


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
def test_a_source_that_hardly_knows_its_buyers_is_not_scored_and_says_why(staff_client):
    shop(300)
    market = SourceFactory(key="market", name="Market")
    stranger = CustomerFactory(source=market)
    placed = datetime(2026, 2, 1, 12, tzinfo=UTC)
    for buyer in (stranger, None, None):
        OrderFactory(source=market, customer=buyer, placed_at=placed)

    run = score()

    held = CurrentScore.objects.get(customer=stranger)
    assert (held.churn_probability, held.r_score) == (None, None)
    assert held.abstained == "source_without_keys"
    others = CurrentScore.objects.exclude(customer=stranger)
    assert others.filter(churn_probability__isnull=False).exists()
    assert not others.filter(abstained="source_without_keys").exists()
    assert any("“Market” are not scored: 33 %" in words for words in explain_run(run))
    page = staff_client.get(f"/admin/customers/customer/{stranger.pk}/change/").content.decode()
    assert "Too few orders of this source name their buyer" in page


@pytest.mark.django_db
def test_old_data_are_not_scored():
    shop(300)

    run = score(AS_OF + timedelta(days=20))

    assert "no_data_since" in {entry["code"] for entry in run.abstentions}
    assert not CurrentScore.objects.filter(churn_probability__isnull=False).exists()


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


@pytest.mark.django_db
def test_a_credit_without_an_order_takes_back_that_days_spend():
    ShopSettingsFactory()
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)
    customer = CustomerFactory()
    OrderFactory(customer=customer, placed_at=noon, total=Decimal(38_970))
    OrderFactory(customer=customer, placed_at=noon, total=Decimal(297))
    RefundFactory(customer=customer, order=None, refunded_at=noon, amount=Decimal(38_970))

    given = seen()
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

    given = seen()

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


@pytest.mark.django_db
def test_orders_returns_and_tickets_are_told_by_their_day():
    ShopSettingsFactory(zone="Asia/Shanghai")
    placed = datetime(2026, 1, 10, 12, tzinfo=UTC)
    night = datetime(2026, 2, 3, 17, tzinfo=UTC)  # the 4th in Shanghai
    later = datetime.combine(AS_OF, datetime.min.time(), UTC)
    customer = CustomerFactory()
    order = OrderFactory(customer=customer, placed_at=placed)
    OrderFactory(customer=customer, placed_at=placed)
    OrderFactory(customer=customer, placed_at=later)
    OrderFactory(customer=customer, placed_at=placed, status="cancelled", cancelled_at=night)
    for day in (date(2026, 2, 4), date(2026, 2, 20), AS_OF):
        RefundFactory(customer=customer, order=order, refunded_at=night, refunded_day=day)
    TicketFactory(customer=customer, opened_at=night)
    TicketFactory(customer=customer, opened_at=later)

    found = seen().operations

    tenth, fourth = ((day - date(1970, 1, 1)).days for day in (date(2026, 1, 10), date(2026, 2, 4)))
    assert list(zip(*(column.tolist() for column in vars(found).values()), strict=True)) == [
        (customer.pk, tenth, 2, 0, 0),
        (customer.pk, fourth, 0, 1, 1),
    ]
