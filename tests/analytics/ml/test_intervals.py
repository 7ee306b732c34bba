import numpy as np
import pytest

from analytics.ml.intervals import ProbabilityBand, SpendIntervals


def zero_inflated(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.gamma(0.8, 100.0, size)
    bought = rng.random(size) < predicted / (predicted + 60.0)
    return predicted, np.where(bought, predicted * rng.gamma(2.0, 0.9, size), 0.0)


def test_four_in_five_land_inside_on_customers_not_learned_from():
    intervals = SpendIntervals().fit(*zero_inflated(8000, 1))

    predicted, actual = zero_inflated(8000, 2)

    # Bins in which most buy nothing are widened to hold the prediction, hence the room above.
    assert 0.78 < intervals.covered(predicted, actual) < 0.88


def test_coverage_holds_within_small_and_large_predictions():
    intervals = SpendIntervals().fit(*zero_inflated(8000, 1))
    predicted, actual = zero_inflated(8000, 2)

    for lower, upper in ((0.0, 0.25), (0.25, 0.75), (0.75, 1.0)):
        low, high = np.quantile(predicted, [lower, upper])
        part = (predicted >= low) & (predicted <= high)
        assert intervals.covered(predicted[part], actual[part]) > 0.77


def test_limits_hold_the_prediction_and_never_fall_below_zero():
    intervals = SpendIntervals().fit(*zero_inflated(500, 3))
    predicted = np.array([0.0, 1e-12, 5.0, 1e6])

    low, high = intervals.predict(predicted)

    assert ((low >= 0) & (low <= predicted) & (predicted <= high)).all()


def test_doubling_money_doubles_the_limits():
    predicted, actual = zero_inflated(3000, 4)

    low, high = SpendIntervals().fit(predicted, actual).predict(predicted)
    low_2, high_2 = SpendIntervals().fit(2 * predicted, 2 * actual).predict(2 * predicted)

    np.testing.assert_array_equal(low_2, 2 * low)
    np.testing.assert_array_equal(high_2, 2 * high)


def test_probability_band_holds_the_observed_share():
    rng = np.random.default_rng(5)
    probability = rng.random(5000)
    lapsed = rng.random(5000) < probability

    low, high = ProbabilityBand().fit(probability, lapsed).predict(probability)

    assert ((low <= probability) & (probability <= high)).all()
    assert ((low >= 0) & (high <= 1)).all()
    assert float((high - low).mean()) < 0.12


def test_probability_band_of_few_is_wider_than_of_many():
    few = ProbabilityBand().fit(np.full(60, 0.5), np.arange(60) % 2 == 0)
    many = ProbabilityBand().fit(np.full(6000, 0.5), np.arange(6000) % 2 == 0)

    widths = [float(np.diff(np.ravel(band.predict(np.array([0.5]))))[0]) for band in (few, many)]

    assert widths[0] == pytest.approx(widths[1] * 10, rel=0.05)
