import numpy as np
import pytest

from analytics.ml.backtest import naive_spend
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import spend_metrics
from analytics.ml.run import score_customers
from analytics.ml.summary import PurchaseDays, summarise, window_outcome
from analytics.ml.year import backtest_year
from tests.analytics.ml.shops import to_score, usual_shop

AS_OF = 15_900


@pytest.fixture(scope="module")
def shop() -> PurchaseDays:
    """A shop of two and a half years."""
    return usual_shop(customers=2500, days=900).occasions()


def test_the_year_that_is_over_judges(shop):
    found = backtest_year(PurchaseLedger(shop), as_of_day=AS_OF)

    assert found is not None
    figures, naive = found
    summary = summarise(shop, as_of_day=AS_OF - 365)
    spent, _ = window_outcome(shop, summary.customer_id, start_day=AS_OF - 365, end_day=AS_OF)
    assert (figures["origin"], figures["n"]) == (AS_OF - 365, summary.T.size)
    assert naive == {"name": "own_rate_times_horizon"} | spend_metrics(
        spent, naive_spend(summary, horizon_days=365)
    )
    assert figures["mae"] < 0.8 * naive["mae"]
    assert abs(figures["bias_percent"]) < 15


def test_what_comes_on_or_after_as_of_changes_nothing(shop):
    earlier = AS_OF - 30

    assert backtest_year(PurchaseLedger(shop), as_of_day=earlier) == backtest_year(
        PurchaseLedger(shop.before(earlier)), as_of_day=earlier
    )


def test_a_young_shop_has_no_such_year():
    shop = usual_shop().occasions()
    nobody = PurchaseDays.empty()

    assert backtest_year(PurchaseLedger(shop), as_of_day=15_400) is None
    assert backtest_year(PurchaseLedger(nobody), as_of_day=15_400) is None
    assert (
        backtest_year(PurchaseLedger(shop.where(shop.customer_id < 90)), as_of_day=15_500) is None
    )


def test_a_run_tells_the_year_where_there_was_one(shop):
    old, young = (
        score_customers(to_score(shop, AS_OF)),
        score_customers(to_score(usual_shop(), 15_400)),
    )

    assert old.metrics["clv_12m"]["origin"] == AS_OF - 365
    assert old.baseline["clv_12m"]["mae"] > old.metrics["clv_12m"]["mae"]
    assert "clv_12m" not in young.metrics
    assert np.isfinite(young.clv_12m).all()
