"""The band holds what 8 of 10 with a similar score answered next."""

import numpy as np
import pytest

from analytics.ml.satisfaction.bands import Bands, fit_bands


def test_answers_without_steps_are_held_8_of_10_times():
    rng = np.random.default_rng(3)
    mean = rng.uniform(0.4, 0.9, 8000)
    truth = mean + rng.normal(0, 0.05 + 0.3 * (1 - mean))
    silent = rng.random(8000) < 0.3
    taught = np.arange(8000) % 2 == 0

    bands = fit_bands(mean[taught], truth[taught], silent[taught])
    low, high = bands.of(mean[~taught], silent[~taught])

    held = (low <= truth[~taught]) & (truth[~taught] <= high)
    assert held.mean() == pytest.approx(0.80, abs=0.03)
    assert held[silent[~taught]].mean() == pytest.approx(0.80, abs=0.05)
    # Who is near the top scatters less.
    near = mean[~taught] > 0.8
    assert (high - low)[near].mean() < 0.6 * (high - low)[~near].mean()


def test_stars_are_held_as_near_to_8_of_10_as_whole_stars_allow():
    """56 % five stars and 22 % four: 78 % is nearer to 80 % than 90 % with the threes."""
    truth = np.repeat([1.0, 0.75, 0.5, 0.25, 0.0], [56, 22, 12, 6, 4])
    mean = np.full(100, truth.mean())

    low, high = fit_bands(mean, truth, np.ones(100, dtype=bool)).of(mean, np.ones(100, dtype=bool))

    assert (low[0], high[0]) == (0.75, 1.0)


def test_a_band_is_not_narrowed_below_three_of_four():
    """Five stars alone would be 70 %, all but the worst 95 %."""
    truth = np.repeat([1.0, 0.75, 0.0], [70, 25, 5])
    silent = np.ones(100, dtype=bool)

    low, _ = fit_bands(np.full(100, 0.8), truth, silent).of(np.array([0.9]), silent[:1])

    assert low[0] == 0.75


def test_few_answers_leave_the_assumed_band_and_a_small_group_takes_the_band_of_all():
    mean, truth = np.full(60, 0.8), np.tile([0.5, 1.0], 30)
    silent = np.arange(60) < 20

    assert fit_bands(mean[:49], truth[:49], silent[:49]) == Bands()
    assert fit_bands(mean, truth, silent).silent.of(mean)[0].tolist() == [0.5] * 60


def test_the_assumed_band_is_of_whole_stars_and_holds_the_score():
    mean = np.linspace(0.02, 0.98, 97)

    low, high = Bands().of(mean, np.ones(97, dtype=bool))

    assert ((low <= mean) & (mean <= high)).all()
    assert (np.isin(4 * low, range(5)) | (low == mean)).all()
    assert (low[-1], high[-1]) == (0.98, 1.0)
