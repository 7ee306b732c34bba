import numpy as np
import pytest

from analytics.ml.order_counts import OrderIntervals, backtest_orders, naive_orders
from analytics.ml.summary import PurchaseDays, Summary, summarise


def counted(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return expected counts, and counts whose variance is larger than their mean."""
    rng = np.random.default_rng(seed)
    predicted = rng.gamma(0.6, 3.0, size)
    return predicted, rng.poisson(predicted * rng.gamma(4.0, 0.25, size)).astype(float)


def one_order_each(ages: list[int]) -> Summary:
    days = PurchaseDays(np.arange(len(ages)), 199 - np.array(ages), np.ones(len(ages)))
    return summarise(days.occasions(), as_of_day=200)


def test_at_least_four_in_five_land_inside_on_customers_not_learned_from():
    intervals = OrderIntervals().fit(*counted(20_000, 1))

    predicted, actual = counted(20_000, 2)

    # Small counts are tied, and ties fall inside together: hence the room above.
    assert 0.80 < intervals.covered(predicted, actual) < 0.92


def test_coverage_holds_within_small_and_large_predictions():
    intervals = OrderIntervals().fit(*counted(20_000, 1))
    predicted, actual = counted(20_000, 2)

    for lower, upper in ((0.0, 0.25), (0.25, 0.75), (0.75, 0.95), (0.95, 1.0)):
        low, high = np.quantile(predicted, [lower, upper])
        part = (predicted >= low) & (predicted <= high)
        assert intervals.covered(predicted[part], actual[part]) > 0.78


def test_limits_are_whole_and_hold_a_neighbour_of_the_prediction():
    intervals = OrderIntervals().fit(*counted(500, 3))
    predicted = np.array([0.0, 1e-12, 0.4, 0.99, 1.0, 1.5, 5.0, 300.0])

    low, high = intervals.predict(predicted)

    assert ((low >= 0) & (low <= high)).all()
    assert np.array_equal(low, np.rint(low))
    assert np.array_equal(high, np.rint(high))
    assert ((low <= np.ceil(predicted)) & (high >= np.floor(predicted))).all()


def test_whom_nobody_like_them_followed_by_an_order_is_expected_to_bring_none():
    predicted = np.linspace(0.05, 0.1, 1000)
    actual = (np.arange(1000) % 20 == 0).astype(float)

    low, high = OrderIntervals().fit(predicted, actual).predict(predicted)

    assert not low.any()
    assert not high.any()


def test_where_all_bring_what_was_expected_the_interval_is_that_count():
    predicted = np.repeat([1.0, 2.0, 7.0], 200)

    low, high = OrderIntervals().fit(predicted, predicted).predict(predicted)

    assert np.array_equal(low, predicted)
    assert np.array_equal(high, predicted)


def test_naive_forecast_is_the_own_rate_over_at_least_one_horizon():
    assert naive_orders(one_order_each([199, 4]), horizon_days=50).tolist() == [0.25, 1.0]


def test_figures_stand_beside_those_of_the_own_rate():
    summary = one_order_each([199, 199, 4, 4])
    predicted, came = np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.0, 1.0, 0.0, 0.0])

    intervals, metrics, baseline = backtest_orders(
        [predicted, predicted], [came, came], [summary, summary], horizon_days=50
    )

    assert metrics["mae"] == 0.5
    assert metrics["rmse"] == 0.5
    assert metrics["bias_percent"] == 100.0
    assert metrics["n"] == 8
    assert metrics["coverage_by"] == "other_origins"
    assert metrics["coverage_80"] == 1.0
    assert [row["n"] for row in metrics["by_origin"]] == [4, 4]
    assert baseline["name"] == "own_rate_times_horizon"
    assert baseline["mae"] == pytest.approx((0.25 + 0.75 + 1 + 1) / 4)
    assert baseline["bias_percent"] == 150.0
    low, high = intervals.predict(predicted)
    assert (low.tolist(), high.tolist()) == ([0.0] * 4, [1.0] * 4)


def test_a_single_origin_is_judged_on_the_half_it_did_not_learn_from():
    predicted, came = counted(4000, 5)
    summary = one_order_each([9] * 4000)

    _, metrics, _ = backtest_orders([predicted], [came], [summary], horizon_days=50)

    half = np.arange(4000) % 2 == 0
    learned = OrderIntervals().fit(predicted[half], came[half])
    assert metrics["coverage_by"] == "half_of_customers"
    assert metrics["coverage_80"] == learned.covered(predicted[~half], came[~half])
