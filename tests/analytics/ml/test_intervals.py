import json

import numpy as np
import pytest

from analytics.ml.intervals import WINDOWS_DIFFER, ProbabilityBand, SpendIntervals, band_coverage
from analytics.ml.spread import Spread


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


def spread_of(size: int = 2000, *, wide: float = 0.3, seed: int = 6) -> Spread:
    """Return what twenty refits teach that scatter by ``wide`` in log-odds."""
    rng = np.random.default_rng(seed)
    score, orders = rng.random(size), rng.integers(1, 9, size)
    odds = np.log(score / (1.0 - score))
    return Spread().fit(score, orders, odds + rng.normal(0.0, wide, (20, size)))


def windows(shifts: list[float], size: int = 4000) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return scores, and outcomes that fell otherwise by a shift of the log-odds."""
    rng = np.random.default_rng(7)
    said = [rng.uniform(0.02, 0.98, size) for _ in shifts]
    true = [p * np.exp(d) / (1.0 - p + p * np.exp(d)) for p, d in zip(said, shifts, strict=True)]
    return said, [rng.random(size) < p for p in true]


def test_probability_band_holds_both_what_refits_say_and_what_came():
    said, came = windows([0.0])
    spread = spread_of()
    probability, orders = np.linspace(0.0, 1.0, 101), np.resize(np.arange(1, 8), 101)
    seen = ProbabilityBand().fit(said[0], came[0]).predict(probability)

    low, high = ProbabilityBand(spread=spread).fit(said[0], came[0]).predict(probability, orders)

    assert ((low >= 0) & (low <= probability) & (probability <= high) & (high <= 1)).all()
    assert (low <= seen[0]).all()
    assert (high >= seen[1]).all()
    below, above = spread.predict(probability, orders)
    np.testing.assert_array_equal(low, np.minimum(seen[0], below))
    np.testing.assert_array_equal(high, np.maximum(seen[1], above))


def test_probability_band_comes_back_from_json_to_the_last_bit():
    said, came = windows([0.1, -0.4])
    band = ProbabilityBand(spread=spread_of()).fit_windows(said, came)
    orders = np.resize(np.arange(1, 8), said[0].size)

    again = ProbabilityBand.from_dict(json.loads(json.dumps(band.to_dict(), allow_nan=False)))

    assert again.to_dict() == band.to_dict()
    for given in (orders, None):
        ends = zip(again.predict(said[0], given), band.predict(said[0], given), strict=True)
        assert all(one.tobytes() == other.tobytes() for one, other in ends)


def test_probability_band_widens_where_windows_differ_by_more_than_chance():
    def width(shifts: list[float]) -> float:
        said, came = windows(shifts)
        low, high = ProbabilityBand().fit_windows(said, came).predict(said[0])
        return float((high - low).mean())

    alike, apart = width([0.0, 0.0, 0.0]), width([-0.4, 0.0, 0.4])

    # Two windows' worth of belief in a deviation of .3, beside one of 0 or of .4 between three: .25
    # or .41 for a new one, 1.28 times that either way on the scale of log-odds.
    assert alike == pytest.approx(0.11, abs=0.02)
    assert apart == pytest.approx(0.18, abs=0.03)


def test_a_single_window_is_widened_by_what_windows_usually_differ():
    said, came = windows([0.0])

    band = ProbabilityBand().fit_windows(said, came)

    assert band.between_windows_ == pytest.approx(WINDOWS_DIFFER * np.sqrt(2.0))


def test_bands_of_right_scores_hold_as_many_shares_as_chance_allows():
    said, came = windows([0.0, 0.0, 0.0])
    orders = [np.ones(one.size, dtype=np.int64) for one in said]

    found = band_coverage(said, came, orders, spread_of(wide=0.05))
    single = band_coverage(said[:1], came[:1], orders[:1], None)

    assert (found["bins"], found["by"]) == (60, "other_origins")
    assert found["share_inside"] == pytest.approx(found["expected_share"], abs=0.15)
    assert (single["bins"], single["by"]) == (40, "half_of_customers")


def test_bands_that_knew_another_world_are_found_out():
    said, came = windows([0.0, 1.5])
    orders = [np.ones(one.size, dtype=np.int64) for one in said]

    found = band_coverage(said, came, orders, None)

    assert found["share_inside"] < 0.6 * found["expected_share"]


def test_a_spread_is_wider_for_whom_refits_disagree_about():
    rng = np.random.default_rng(8)
    score, orders = rng.random(4000), np.resize([1, 9], 4000)
    wide = np.where(orders == 1, 0.1, 0.5)
    refits = np.log(score / (1 - score)) + rng.normal(0.0, 1.0, (20, 4000)) * wide

    spread = Spread().fit(score, orders, refits)
    half = np.full(2, 0.5)
    low, high = spread.predict(half, np.array([1, 9]))
    narrow, _ = Spread().fit(score, orders, refits, shrink=0.5).predict(half, np.array([1, 9]))

    # 80 % of normal draws lie within 1.28 deviations; twenty draws tell 1.39, to be as sure.
    np.testing.assert_allclose(np.log(high / (1 - high)), [0.139, 0.695], rtol=0.05)
    np.testing.assert_allclose(np.log(low / (1 - low)), [-0.139, -0.695], rtol=0.05)
    np.testing.assert_allclose(np.log(narrow / (1 - narrow)), np.log(low / (1 - low)) / 2)
