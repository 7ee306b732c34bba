"""Refits on resampled customers: who is drawn, and how far the scores move."""

import numpy as np
import pytest

from analytics.ml.satisfaction import Signals, learn, learning
from analytics.ml.satisfaction.bands import Bands
from analytics.ml.satisfaction.refits import REFITS, Refits, refit
from tests.analytics.ml.satisfaction.signals import shop, shuffled


def drawn(customer_ids) -> np.ndarray:
    """Return how often each refit drew each customer."""
    counts = []

    def note(places):
        counts.append(np.bincount(places, minlength=customer_ids.size))
        return np.zeros(customer_ids.size)

    found = refit(customer_ids, note)
    times = np.stack(counts)
    assert (found.is_unseen == (times == 0)).all()
    return times


def test_customers_are_drawn_with_replacement_and_by_one_refit_at_least_not_at_all():
    times = drawn(np.arange(20_000))

    assert times.shape == (REFITS, 20_000)
    assert (times == 0).any(axis=0).all()
    # One in twenty is left out on purpose, of the others as many as the Poisson law says.
    left = 0.05 + 0.95 * np.exp(-1)
    assert (times == 0).mean(axis=1) == pytest.approx(np.full(REFITS, left), abs=0.02)
    assert times[times > 0].mean() == pytest.approx(0.95 / (1 - left), rel=0.01)
    assert np.abs(np.corrcoef(times) - np.eye(REFITS)).max() < 0.04
    assert np.abs(np.corrcoef(times[:, :-1], times[:, 1:])[:REFITS, REFITS:]).max() < 0.04


def test_who_is_drawn_depends_on_no_other_customer():
    ids = np.arange(0, 3000, 3)

    assert (drawn(np.arange(3000))[:, ids] == drawn(ids)).all()


def test_the_spread_holds_the_middle_8_of_10_refits():
    score = np.tile(np.linspace(0, 1, 11)[:, np.newaxis], (1, 4))
    score[:, 3] = 0.5

    found = Refits(score, np.ones(score.shape, dtype=bool))

    assert found.spread == pytest.approx(0.8 * 3 / 4)


def widths(size: int, seeds: int) -> tuple[float, float]:
    """Return the mean width of the bands of people who answer, and the mean spread of scores."""
    found = []
    for seed in range(seeds):
        hidden = learning.hide(shop(size, seed=seed).before(1000))
        habits = learning.learn_from(hidden)
        low, high = habits.bands.of(habits.foretell(hidden), hidden.is_silent)
        found.append((float((high - low).mean()), habits.score_spread))
    band, spread = np.mean(found, axis=0)
    return band, spread


def test_thinner_data_give_wider_bands_and_scores_that_move_more():
    few, some, many = (widths(size, seeds) for size, seeds in ((60, 20), (600, 10), (6000, 1)))

    assert few[0] > some[0] > many[0]
    assert few[1] > some[1] > many[1] > 0
    assert some[1] / many[1] == pytest.approx(np.sqrt(10), rel=0.4)


def test_fewer_than_fifty_hidden_answers_leave_band_and_spread_unmeasured():
    few, enough = (learn(shop(size).before(1000)) for size in (49, 50))

    assert (few.bands, few.score_spread) == (Bands(), None)
    assert enough.bands.answered is not None
    assert enough.score_spread > 0


def test_large_shops_refit_the_same_customers_in_whatever_order(monkeypatch):
    monkeypatch.setattr(learning, "MOST_CUSTOMERS", 300)
    sizes = []
    monkeypatch.setattr(
        learning, "refit", lambda ids, fit: sizes.append(ids.size) or refit(ids, fit)
    )
    known: Signals = shop(1000)

    one, two = (learn(each.before(1000)).to_dict() for each in (known, shuffled(known)))

    assert sizes == [300, 300]
    assert one == two
    assert one["expectation"]["answers"] == 1000
