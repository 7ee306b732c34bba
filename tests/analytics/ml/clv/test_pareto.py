import numpy as np
import pytest

from analytics.ml.clv.pareto import ParetoModel
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import compress, window_outcome
from tests.analytics.ml.shops import CDNOW_END, CDNOW_SPLIT, cdnow_calibration, cdnow_days

WEEK = 7.0


def with_parameters(r: float, alpha: float, s: float, beta: float) -> ParetoModel:
    model = ParetoModel()
    model.r_, model.alpha_, model.s_, model.beta_ = r, alpha, s, beta
    return model


def history(*columns: float | list[float]) -> list[np.ndarray]:
    """Return frequency as it is, recency and age from weeks to days."""
    x, last, age = (np.atleast_1d(np.asarray(column, dtype=float)) for column in columns)
    return [x, last * WEEK, age * WEEK]


@pytest.fixture(scope="module")
def fitted() -> ParetoModel:
    """The model of the published calibration period."""
    summary = cdnow_calibration()
    return ParetoModel().fit(compress(summary.frequency, summary.recency, summary.T))


def test_the_published_cdnow_parameters_are_found(fitted):
    assert (fitted.r_, fitted.alpha_, fitted.s_, fitted.beta_) == pytest.approx(
        (0.55328, 10.57768, 0.60624, 11.66873), rel=1e-4
    )
    assert fitted.log_likelihood_ == pytest.approx(-9594.97618, abs=1e-4)


def test_the_published_customer_is_foretold(fitted):
    given = history(26, 30.86, 31)

    assert fitted.expected_orders(*given, horizon_days=52 * WEEK)[0] == pytest.approx(
        25.46, abs=5e-3
    )
    assert fitted.p_alive(*given)[0] == pytest.approx(0.9979, abs=5e-5)


def test_busy_neighbours_do_not_jump():
    model = with_parameters(0.55, 10.58, 0.61, 11.67)

    found = model.expected_orders(*history([132, 133], [200, 200], [200, 200]), horizon_days=70)

    assert found == pytest.approx([6.20605, 6.25287], abs=1e-5)


def test_busy_customers_stay_finite():
    model = with_parameters(0.5143, 2.8845, 0.2856, 14.1087)
    given = history(
        [221, 254, 161, 204], [103.43, 97.14, 94.71, 98.57], [103.57, 97.29, 98.0, 99.43]
    )

    alive = model.p_alive(*given)

    assert np.isfinite(model.expected_orders(*given, horizon_days=70)).all()
    assert ((alive > 0) & (alive < 1)).all()


def test_the_published_holdout_is_foretold(fitted):
    summary = cdnow_calibration()
    _, actual = window_outcome(
        cdnow_days(), summary.customer_id, start_day=CDNOW_SPLIT, end_day=CDNOW_END
    )

    predicted = fitted.expected_orders(
        summary.frequency, summary.recency, summary.T, horizon_days=CDNOW_END - CDNOW_SPLIT
    )

    assert float(predicted.sum()) == pytest.approx(1666, abs=1)
    assert float(np.abs(predicted - actual).mean()) == pytest.approx(0.755, abs=1e-3)
    assert float(np.sqrt(((predicted - actual) ** 2).mean())) == pytest.approx(1.603, abs=1e-3)


def test_the_chance_to_buy_is_the_share_that_buys_when_the_story_is_played(fitted):
    rng = np.random.default_rng(3)
    size = 400_000
    rate = rng.gamma(fitted.r_, 1.0 / fitted.alpha_, size)
    leaving = rng.gamma(fitted.s_, 1.0 / fitted.beta_, size)
    first, life = rng.exponential(1.0 / rate), rng.exponential(1.0 / leaving)

    chance = fitted.p_buy(*history(0, 0, 0), horizon_days=39 * WEEK)[0]

    assert chance == pytest.approx(float((first < np.minimum(life, 39.0)).mean()), abs=0.003)


def test_one_time_buyers_only_is_a_degenerate_fit():
    nothing = np.zeros(50, dtype=np.int64)
    with pytest.raises(DegenerateFitError, match="nobody bought twice"):
        ParetoModel().fit(compress(nothing, nothing, np.arange(50)))
