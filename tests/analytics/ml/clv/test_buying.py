from dataclasses import replace

import lifetimes
import numpy as np
import pandas as pd
import pytest

from analytics.ml.clv import (
    BG_NBD,
    MBG_NBD,
    NBD,
    RepeatBuyingModel,
)
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import PurchaseDays, Summary, compress, summarise, window_outcome
from tests.analytics.ml.shops import (
    CDNOW_END,
    CDNOW_SPLIT,
    cdnow_calibration,
    cdnow_days,
    simulate_bg_nbd,
)

HOLDOUT_DAYS = CDNOW_END - CDNOW_SPLIT  # 39 weeks


def fitted(model: str, summary: Summary) -> RepeatBuyingModel:
    return RepeatBuyingModel(model).fit(compress(summary.frequency, summary.recency, summary.T))


def with_parameters(model: str, r: float, alpha: float, a: float, b: float) -> RepeatBuyingModel:
    return RepeatBuyingModel.from_dict(
        {
            "model": model,
            "time_unit_days": 7.0,
            "parameters": {"r": r, "alpha": alpha, "a": a, "b": b},
            "log_likelihood": 0.0,
            "customers": 1.0,
        }
    )


def one(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


def test_bg_nbd_finds_the_published_cdnow_parameters():
    model = fitted(BG_NBD, cdnow_calibration())

    assert (model.r_, model.alpha_, model.a_, model.b_) == pytest.approx(
        (0.24259452, 4.41360203, 0.79292202, 2.42590678), rel=1e-7
    )
    assert model.log_likelihood_ == pytest.approx(-9582.42920667, abs=1e-6)
    assert model.customers_ == 2357


def test_mbg_nbd_finds_the_known_cdnow_parameters():
    model = fitted(MBG_NBD, cdnow_calibration())

    assert (model.r_, model.alpha_, model.a_, model.b_) == pytest.approx(
        (0.52480, 6.18270, 0.89144, 1.61433), rel=1e-3
    )
    assert model.log_likelihood_ == pytest.approx(-9582.1357, abs=1e-3)


def test_bg_nbd_reproduces_the_published_expectations():
    model = fitted(BG_NBD, cdnow_calibration())

    days = [1, 7, 21, 223, 224, 546]
    new = [
        float(model.expected_orders(one(0), one(0), one(0), horizon_days=day)[0]) for day in days
    ]
    known = model.expected_orders(one(2), one(213), one(272), horizon_days=273)

    assert new[:5] == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437], abs=1e-4)
    # Printed from a hypergeometric series cut short; the full one gives 1.85796.
    assert new[5] == pytest.approx(1.8576, abs=5e-4)
    assert known[0] == pytest.approx(1.226, abs=1e-3)


def test_bg_nbd_reproduces_the_published_chance_of_silence():
    model = with_parameters(BG_NBD, 0.243, 4.414, 0.793, 2.426)

    silent = 1.0 - model.p_buy(one(0), one(0), one(0), horizon_days=273)

    assert silent[0] == pytest.approx(0.5737864, abs=1e-6)


def test_bg_nbd_forecasts_the_cdnow_holdout_as_published():
    summary = cdnow_calibration()
    _, actual = window_outcome(
        cdnow_days(), summary.customer_id, start_day=CDNOW_SPLIT, end_day=CDNOW_END
    )

    predicted = fitted(BG_NBD, summary).expected_orders(
        summary.frequency, summary.recency, summary.T, horizon_days=HOLDOUT_DAYS
    )
    naive = summary.frequency / summary.T * HOLDOUT_DAYS

    assert int(actual.sum()) == 1882
    assert float(predicted.sum()) == pytest.approx(1653, abs=1)
    assert float(np.abs(predicted - actual).mean()) == pytest.approx(0.785, abs=1e-3)
    assert float(np.sqrt(((predicted - actual) ** 2).mean())) == pytest.approx(1.608, abs=1e-3)
    assert float(naive.sum()) == pytest.approx(2930, abs=1)
    assert float(np.abs(naive - actual).mean()) == pytest.approx(1.024, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "peer"),
    [(BG_NBD, lifetimes.BetaGeoFitter), (MBG_NBD, lifetimes.ModifiedBetaGeoFitter)],
)
@pytest.mark.parametrize("parameters", [(0.24, 4.4, 0.79, 2.43), (1.7, 9.0, 3.2, 0.6)])
def test_conditional_expectations_equal_those_of_lifetimes(name, peer, parameters):
    rng = np.random.default_rng(3)
    age = rng.integers(1, 700, 300)
    frequency = rng.integers(0, 30, 300)
    recency = np.where(frequency > 0, (rng.random(300) * age).astype(np.int64), 0)
    reference = peer()
    reference.params_ = pd.Series(parameters, index=["r", "alpha", "a", "b"])
    model = with_parameters(name, *parameters)

    ours = model.expected_orders(frequency, recency, age, horizon_days=90)
    alive = model.p_alive(frequency, recency, age)

    theirs = reference.conditional_expected_number_of_purchases_up_to_time(
        90 / 7, frequency, recency / 7, age / 7
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    np.testing.assert_allclose(
        alive, reference.conditional_probability_alive(frequency, recency / 7, age / 7), rtol=1e-9
    )


@pytest.mark.parametrize("name", [BG_NBD, MBG_NBD, NBD])
def test_ten_thousand_orders_stay_finite(name):
    model = with_parameters(name, 0.24, 4.4, 0.79, 2.43)
    frequency = np.array([0, 1, 10_000, 10_000], dtype=np.int64)
    recency = np.array([0, 3, 9_990, 5_000], dtype=np.int64)
    age = np.array([10_000, 10_000, 9_990, 10_000], dtype=np.int64)

    orders = model.expected_orders(frequency, recency, age, horizon_days=90)
    buy = model.p_buy(frequency, recency, age, horizon_days=90)

    assert np.isfinite(orders).all()
    assert (orders >= 0).all()
    assert ((buy >= 0) & (buy <= 1)).all()
    assert orders[2] == pytest.approx(90, rel=0.05)


@pytest.mark.parametrize("name", [BG_NBD, MBG_NBD, NBD])
@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.75, 0.99])
def test_days_to_the_next_order_are_the_inverse_of_the_chance_to_buy(name, share):
    model = with_parameters(name, 0.7, 6.0, 0.6, 2.0)
    frequency = np.array([0, 0, 4, 60, 10_000], dtype=np.int64)
    recency = np.array([0, 0, 200, 480, 9_980], dtype=np.int64)
    age = np.array([0, 300, 210, 500, 9_990], dtype=np.int64)

    days = model.days_to_next_order(frequency, age, share=share)
    bought = model.p_buy(frequency, recency, age, horizon_days=days)

    np.testing.assert_allclose(bought, share * model.p_alive(frequency, recency, age), rtol=1e-9)


def test_days_beyond_every_number_are_infinite_without_a_warning():
    model = with_parameters(NBD, 1e-3, 10.0, 0.0, 1.0)

    days = model.days_to_next_order(one(0), one(100), share=0.75)

    assert days.tolist() == [np.inf]


@pytest.mark.parametrize("a", [1.0, 1.0 - 1e-9, 1.0 + 1e-9])
def test_expectation_passes_smoothly_through_its_removable_singularity(a):
    def expect(value: float) -> float:
        model = with_parameters(MBG_NBD, 0.5, 6.0, value, 1.6)
        return float(model.expected_orders(one(3), one(90), one(200), horizon_days=90)[0])

    assert expect(a) == pytest.approx((expect(0.999) + expect(1.001)) / 2, rel=1e-5)


def test_parameters_of_a_simulated_shop_are_recovered():
    purchases = simulate_bg_nbd(
        customers=30_000, r=0.8, alpha=5.0, a=0.8, b=2.5, days=700, seed=11
    ).occasions()

    model = fitted(BG_NBD, summarise(purchases, as_of_day=15_700))

    found = {"r": model.r_, "alpha": model.alpha_, "a": model.a_, "b": model.b_}
    assert found == pytest.approx({"r": 0.8, "alpha": 5.0, "a": 0.8, "b": 2.5}, rel=0.12)


def test_chance_to_buy_is_the_share_that_buys_in_a_simulated_shop():
    purchases = simulate_bg_nbd(
        customers=40_000, r=0.8, alpha=5.0, a=0.8, b=2.5, days=700, seed=5
    ).occasions()
    summary = summarise(purchases, as_of_day=15_610)
    _, orders = window_outcome(purchases, summary.customer_id, start_day=15_610, end_day=15_700)
    model = with_parameters(BG_NBD, 0.8, 5.0, 0.8, 2.5)

    chance = model.p_buy(summary.frequency, summary.recency, summary.T, horizon_days=90)

    tenth = np.argsort(chance, kind="stable").reshape(-1, summary.T.size // 10)[:10]
    for rows in tenth:
        assert float(chance[rows].mean()) == pytest.approx(
            float((orders[rows] > 0).mean()), abs=0.025
        )


def test_nobody_leaving_is_recognised_and_left_to_the_nbd():
    purchases = simulate_bg_nbd(
        customers=5000, r=1.2, alpha=8.0, a=1e-6, b=1.0, days=600, seed=2
    ).occasions()
    summary = summarise(purchases, as_of_day=15_600)

    with pytest.raises(DegenerateFitError):
        fitted(BG_NBD, summary)
    model = fitted(NBD, summary)

    assert (model.r_, model.alpha_) == pytest.approx((1.2, 8.0), rel=0.08)
    assert (model.p_alive(summary.frequency, summary.recency, summary.T) == 1.0).all()


@pytest.mark.parametrize("name", [BG_NBD, MBG_NBD])
def test_one_time_buyers_only_is_a_degenerate_fit(name):
    days = np.arange(15_000, 15_300)
    purchases = PurchaseDays(np.arange(300), days, np.full(300, 20.0))
    summary = summarise(purchases.occasions(), as_of_day=15_400)

    with pytest.raises(DegenerateFitError, match="nobody bought twice"):
        fitted(name, summary)


@pytest.mark.parametrize("name", [BG_NBD, MBG_NBD])
def test_fitting_on_weighted_rows_equals_fitting_on_customers(name):
    summary = cdnow_calibration()
    rows = compress(summary.frequency, summary.recency, summary.T)
    customers = replace(
        rows,
        frequency=summary.frequency,
        recency=summary.recency,
        T=summary.T,
        weight=np.ones(summary.T.size),
    )

    short, long = RepeatBuyingModel(name).fit(rows), RepeatBuyingModel(name).fit(customers)

    assert rows.T.size < summary.T.size
    assert (short.r_, short.alpha_, short.a_, short.b_) == pytest.approx(
        (long.r_, long.alpha_, long.a_, long.b_), rel=1e-4
    )
