import numpy as np
import pytest

from analytics.ml.arrays import JsonDict
from analytics.ml.metrics import (
    average,
    churn_metrics,
    expected_calibration_error,
    normalised_gini,
    poisson_deviance,
    spend_metrics,
)


def test_gini_of_a_perfect_ranking_is_exactly_one():
    actual = np.random.default_rng(0).gamma(0.3, 50.0, 2000) * (np.arange(2000) % 3 == 0)

    assert normalised_gini(actual, actual) == 1.0
    assert normalised_gini(actual, 7 * actual + 3) == pytest.approx(1.0, abs=1e-12)
    assert normalised_gini(actual, -actual) == pytest.approx(-1.0, abs=1e-12)


def test_gini_of_a_random_ranking_is_near_zero():
    rng = np.random.default_rng(1)
    actual = rng.gamma(0.3, 50.0, 2000)

    assert abs(normalised_gini(actual, rng.random(2000))) < 0.1


def test_gini_of_one_prediction_for_all_is_zero_in_any_row_order():
    actual = np.array([0.0, 0.0, 5.0, 100.0])

    assert normalised_gini(actual, np.ones(4)) == 0.0
    assert normalised_gini(actual[::-1], np.ones(4)) == 0.0


def test_spend_metrics_have_the_exact_values():
    figures = spend_metrics(np.array([10.0, 0.0, 30.0]), np.array([14.0, 3.0, 30.0]))

    assert figures["mae"] == pytest.approx(7 / 3)
    assert figures["rmse"] == pytest.approx((25 / 3) ** 0.5)
    assert figures["bias_percent"] == pytest.approx(17.5)
    assert figures["gini"] == 1.0
    assert figures["n"] == 3


def test_a_window_without_spend_has_no_bias_and_no_gini():
    figures = spend_metrics(np.zeros(3), np.ones(3))

    assert figures["bias_percent"] is None
    assert figures["gini"] is None


def test_churn_metrics_have_the_exact_values():
    lapsed = np.array([True, False, True, False])

    figures = churn_metrics(lapsed, np.array([0.9, 0.2, 0.6, 0.7]))

    assert figures["auc"] == 0.75
    assert figures["brier"] == pytest.approx((0.01 + 0.04 + 0.16 + 0.49) / 4)
    assert figures["base_rate"] == 0.5


def test_auc_is_null_where_all_lapsed():
    assert churn_metrics(np.array([True, True]), np.array([0.3, 0.4]))["auc"] is None


def test_calibration_error_is_the_distance_of_said_and_seen():
    outcome = np.array([True] * 6 + [False] * 4)

    assert expected_calibration_error(outcome, np.full(10, 0.6)) == pytest.approx(0.0)
    assert expected_calibration_error(outcome, np.full(10, 1.0)) == pytest.approx(0.4)


def test_average_sums_counts_and_leaves_nulls_out():
    rows: list[JsonDict] = [{"auc": 0.8, "n": 3}, {"auc": None, "n": 4}]

    assert average(rows) == {"auc": 0.8, "n": 7}


def test_poisson_deviance_is_least_for_what_is_to_be_expected():
    came = np.random.default_rng(6).gamma(0.3, 50.0, 5000)
    said = [poisson_deviance(came, np.full(5000, factor * came.mean())) for factor in (0.8, 1, 1.2)]

    assert said[1] < min(said[0], said[2])
    assert poisson_deviance(came, came) == pytest.approx(0.0, abs=1e-6)
    assert poisson_deviance(2 * came, 2 * came + 1.0) == pytest.approx(
        poisson_deviance(came, came + 0.5)
    )
    assert poisson_deviance(np.array([0.0, 2.0]), np.array([1.0, 1.0])) == pytest.approx(
        2 * np.log(2.0)
    )
    assert np.isnan(poisson_deviance(np.zeros(3), np.ones(3)))
    assert np.isfinite(poisson_deviance(np.ones(3), np.zeros(3)))


def test_the_recent_are_judged_apart_from_the_long_gone():
    """Who has been silent for years is foretold by anybody; a random score of the others is .5."""
    dice = np.random.default_rng(3)
    silent = np.where(np.arange(2_000) < 1_000, 1_000, dice.integers(0, 119, 2_000))
    lapsed = (silent == 1_000) | (dice.random(2_000) < 0.5)
    said = np.where(silent == 1_000, 0.9, 0.8 * dice.random(2_000))

    figures = churn_metrics(lapsed, said, silent)

    assert figures["auc"] > 0.8
    assert figures["auc_recent"] == pytest.approx(0.5, abs=0.05)
    assert churn_metrics(lapsed, said)["auc_recent"] is None
    assert churn_metrics(lapsed[:1000], said[:1000], silent[:1000])["auc_recent"] is None


def test_lift_is_what_the_riskiest_tenth_did_more_than_all():
    lapsed = np.arange(100) >= 80

    assert churn_metrics(lapsed, np.linspace(0, 1, 100))["lift"] == pytest.approx(5.0)
    assert churn_metrics(lapsed, np.linspace(1, 0, 100))["lift"] == 0.0
    assert churn_metrics(np.zeros(5, dtype=bool), np.linspace(0, 1, 5))["lift"] is None
