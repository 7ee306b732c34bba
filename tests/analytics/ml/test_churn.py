import numpy as np
import pytest

from analytics.ml.churn import ChurnCalibration, MonotoneLogistic, RecencyRule, default_horizon


def test_recency_rule_learns_the_curve_it_was_drawn_from():
    rng = np.random.default_rng(0)
    days = rng.integers(0, 400, 20_000)
    truth = 1 / (1 + np.exp(-(-4.0 + 1.0 * np.log1p(days))))

    rule = RecencyRule().fit(days, rng.random(20_000) < truth)

    assert (rule.curve_.intercept_, rule.curve_.slope_) == pytest.approx((-4.0, 1.0), rel=0.1)
    assert (np.diff(rule.predict(np.arange(400))) > 0).all()


def test_a_falling_curve_is_replaced_by_the_base_rate():
    feature = np.arange(100.0)

    curve = MonotoneLogistic().fit(feature, feature < 40)

    assert curve.slope_ == 0.0
    assert curve.predict(feature) == pytest.approx(0.4)


@pytest.mark.parametrize("lapsed", [True, False])
def test_one_outcome_only_stays_a_probability(lapsed):
    curve = MonotoneLogistic().fit(np.arange(50.0), np.full(50, lapsed))

    assert curve.predict(np.array([3.0]))[0] == pytest.approx(float(lapsed), abs=1e-6)


def test_calibration_brings_said_to_seen():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.05, 0.95, 20_000)
    said = truth**2
    lapsed = rng.random(20_000) < truth

    mapped = ChurnCalibration().fit(said, lapsed).predict(said)

    assert float(((mapped - truth) ** 2).mean()) < 0.1 * float(((said - truth) ** 2).mean())


@pytest.mark.parametrize(
    ("gaps", "history", "horizon"),
    [
        ([7, 7, 7, 9], 1000, 30),
        ([10, 20, 61, 61], 1000, 90),
        ([10, 20, 60, 60], 1000, 60),
        ([400, 500], 1000, 180),
        ([400, 500], 300, 120),
        ([400, 500], 60, 30),
        ([], 1000, 180),
    ],
)
def test_horizon_follows_the_rhythm_and_stays_provable(gaps, history, horizon):
    found = default_horizon(np.array(gaps, dtype=np.int64), history_days=history, slack_days=60)

    assert found == horizon
