import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.ml.clv import CREDIBILITY, REPEAT_ORDERS, SpendModel
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import PurchaseDays, Summary, summarise
from tests.analytics.ml.shops import CDNOW_SPLIT, cdnow, usual_shop


def test_gamma_gamma_finds_the_published_cdnow_parameters():
    summary = summarise(cdnow().occasions(), as_of_day=CDNOW_SPLIT)

    model = SpendModel(REPEAT_ORDERS, winsorise_quantile=None).fit(summary)

    assert int((summary.frequency > 0).sum()) == 946
    assert (model.p_, model.q_, model.v_ * model.scale_) == pytest.approx(
        (6.2496, 3.7442, 15.4435), rel=1e-4
    )
    assert model.population_mean_ == pytest.approx(35.171, abs=0.001)
    assert model.log_likelihood_ == pytest.approx(-4055.918, abs=1e-3)


def drawn(customers: int, scales: str = "gamma_gamma", *, seed: int = 6) -> Summary:
    """Return mean order values, p = 6, around scales that vary as told."""
    rng = np.random.default_rng(seed)
    count = 1 + rng.poisson(rng.gamma(1.0, 3.0, customers))
    scale = {
        "gamma_gamma": 15.0 / rng.gamma(4.0, 1.0, customers),  # q = 4, v = 15
        "gamma": rng.gamma(4.0, 1.25, customers),
        "equal": np.full(customers, 5.0),
    }[scales]
    mean = rng.gamma(6.0 * count, scale / count)
    nothing = np.zeros(customers, dtype=np.int64)
    return Summary(
        customer_id=np.arange(customers),
        frequency=(count - 1).astype(np.int64),
        recency=nothing,
        T=nothing,
        monetary_value=mean,
        average_order=mean,
        total_spend=mean * count,
    )


def test_gamma_gamma_recovers_the_parameters_of_simulated_spend():
    model = SpendModel(winsorise_quantile=None).fit(drawn(30_000))

    assert (model.p_, model.q_, model.v_ * model.scale_) == pytest.approx((6, 4, 15), rel=0.12)
    assert model.population_mean_ == pytest.approx(30.0, rel=0.02)


@pytest.mark.parametrize("seed", range(8))
def test_gamma_gamma_does_not_give_up_on_a_sound_shop(seed):
    assert SpendModel().fit(drawn(30_000, seed=seed)).q_ == pytest.approx(4.0, rel=0.1)


def test_credibility_trusts_the_own_mean_as_far_as_the_variances_say():
    summary = drawn(30_000, "gamma")

    model = SpendModel(model=CREDIBILITY, winsorise_quantile=None).fit(summary)

    # E[s²] = 31.25 and Var(s) = 6.25, so the variance within customers over the variance between
    # them is 6 · 31.25 / (36 · 6.25) = 5/6.
    assert model.k_ == pytest.approx(5 / 6, rel=0.1)
    again = SpendModel.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(
        again.expected_order_value(summary), model.expected_order_value(summary)
    )


def test_credibility_gives_the_mean_to_customers_who_do_not_differ():
    summary = drawn(3000, "equal")

    value = SpendModel(model=CREDIBILITY).fit(summary).expected_order_value(summary)

    assert float(value.mean()) == pytest.approx(30.0, rel=0.02)
    assert float(np.std(value)) < 0.1 * float(np.std(summary.average_order))


def test_credibility_survives_equal_order_counts_and_equal_values():
    summary = drawn(200)
    once = replace(summary, frequency=np.zeros(200, dtype=np.int64))
    same = replace(summary, average_order=np.full(200, 12.0))

    assert SpendModel(model=CREDIBILITY).fit(once).k_ == 1.0
    np.testing.assert_allclose(
        SpendModel(model=CREDIBILITY).fit(same).expected_order_value(same), 12.0
    )


def test_spend_without_a_finite_mean_is_a_degenerate_fit():
    rng = np.random.default_rng(4)
    spend = np.exp(rng.normal(0.0, 4.0, 3000)) + 0.01
    purchases = PurchaseDays(np.arange(3000), np.full(3000, 15_000), spend)

    with pytest.raises(DegenerateFitError, match="gamma_gamma"):
        SpendModel().fit(summarise(purchases.occasions(), as_of_day=15_100))


def test_two_wholesale_accounts_cannot_move_the_spend_fit_but_are_scored():
    shop = usual_shop().occasions()
    summary = summarise(shop, as_of_day=15_500)
    wholesale = summary.average_order.copy()
    wholesale[:2] = 500_000.0
    odd = replace(summary, average_order=wholesale)

    usual, moved = SpendModel().fit(summary), SpendModel().fit(odd)
    value = moved.expected_order_value(odd)

    assert moved.population_mean_ < 60 * usual.population_mean_
    assert (value[:2] > 50_000).all()
