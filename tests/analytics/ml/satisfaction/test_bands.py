"""The band holds what 8 of 10 with a similar score answered next."""

import numpy as np
import pytest
from scipy.stats import norm

from analytics.ml.satisfaction import bands as module
from analytics.ml.satisfaction.bands import Bands
from analytics.ml.satisfaction.refits import Refits


def fit_bands(mean, truth, is_silent) -> Bands:
    """Learn from the scores of one refit that saw nobody, or of as many as there are rows."""
    score = np.atleast_2d(mean)
    return module.fit_bands(Refits(score, np.ones(score.shape, dtype=bool)), truth, is_silent)


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
    """Five stars alone would be 74 %, all but the worst 99 %."""
    truth = np.repeat([1.0, 0.75, 0.0], [74, 25, 1])
    silent = np.ones(100, dtype=bool)

    low, _ = fit_bands(np.full(100, 0.8), truth, silent).of(np.array([0.9]), silent[:1])

    assert low[0] == 0.75


@pytest.mark.parametrize("size", [50, 75, 100])
def test_few_answers_without_steps_do_not_flatter(size):
    """The share of a normal law that the band holds, mean of 300 draws."""
    rng = np.random.default_rng(3)
    silent = np.ones(size, dtype=bool)
    found = [
        fit_bands(np.full(size, 0.5), rng.normal(0.5, 0.1, size), silent).silent for _ in range(300)
    ]
    low, high = (np.array([getattr(each, end)[0] for each in found]) for end in ("low", "high"))

    assert (norm.cdf(high, 0.5, 0.1) - norm.cdf(low, 0.5, 0.1)).mean() == pytest.approx(
        0.80, abs=0.02
    )


def test_where_refits_disagree_the_bands_are_wider():
    rng = np.random.default_rng(3)
    mean = rng.uniform(0.2, 0.8, 2000)
    truth = mean + rng.normal(0, 0.03, 2000)
    silent = np.zeros(2000, dtype=bool)
    moved = mean + rng.normal(0, 0.1, (20, 1))

    firm, loose = (fit_bands(score, truth, silent).answered for score in (mean, moved))

    assert (loose.high - loose.low).mean() > 1.5 * (firm.high - firm.low).mean()


def test_scores_by_a_refit_that_saw_the_customer_teach_nothing():
    rng = np.random.default_rng(3)
    score = rng.uniform(0.2, 0.8, (20, 500))
    truth = score.mean(axis=0) + rng.normal(0, 0.1, 500)
    unseen = rng.random((20, 500)) < 0.4
    silent = np.zeros(500, dtype=bool)

    one, two = (
        module.fit_bands(Refits(np.where(unseen, score, seen), unseen), truth, silent).to_dict()
        for seen in (0.0, 1.0)
    )

    assert one == two


def test_parts_take_what_they_are_nearest_to_and_hold_three_of_four_together():
    """74 five stars of 100 are nearer to 80 than 99 with fours: but for one part of two only."""
    answers = np.repeat([1.0, 0.75, 0.0], [74, 25, 1])
    mean, truth = np.repeat([0.3, 0.7], 100), np.tile(answers, 2)

    found = fit_bands(mean, truth, np.ones(200, dtype=bool)).silent

    assert sorted(found.low.tolist()) == [0.75, 1.0]
    assert found.high.tolist() == [1.0, 1.0]


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
