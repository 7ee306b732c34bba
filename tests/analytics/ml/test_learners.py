import json

import numpy as np
import pytest
from scipy.special import expit

from analytics.ml.features import FEATURES
from analytics.ml.learners import (
    BoostedChance,
    BoostedSpend,
    LinearChance,
    LinearSpend,
    Scaler,
    chance,
)


@pytest.fixture(scope="module")
def rows():
    """Features of which the first two matter, and what follows from them."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(6000, len(FEATURES)))
    line = -0.5 + 1.2 * features[:, 0] - 0.7 * features[:, 1]
    bought = rng.random(6000) < expit(line)
    spend = np.where(bought, rng.gamma(2.0, 10.0 * np.exp(0.5 * features[:, 0])), 0.0)
    return features, line, bought, spend


def test_the_linear_learner_finds_what_moves_the_chance(rows):
    features, line, bought, _ = rows

    model = LinearChance().fit(features, bought)

    assert np.corrcoef(model.log_odds(features), line)[0, 1] > 0.99
    assert model.coefficients_[0] == pytest.approx(1.2, abs=0.12)
    assert model.coefficients_[1] == pytest.approx(-0.7, abs=0.12)
    assert np.abs(model.coefficients_[2:]).max() < 0.1


def linear_spend(features, spend):
    return LinearSpend().fit(features, spend).predict(features)


def boosted_spend(features, spend):
    foretold = linear_spend(features, spend)
    return BoostedSpend().fit(features, spend, foretold).predict(features, foretold)


@pytest.mark.parametrize("learnt", [linear_spend, boosted_spend])
def test_learners_of_spend_hit_the_total_and_scale_with_the_currency(learnt, rows):
    features, _, _, spend = rows

    said, double = (learnt(features, factor * spend) for factor in (1.0, 2.0))

    assert float(said.sum()) == pytest.approx(float(spend.sum()), rel=0.05)
    assert np.corrcoef(said, spend)[0, 1] > 0.35
    assert (said > 0).all()
    np.testing.assert_allclose(double, 2 * said, rtol=1e-12)


def test_trees_of_spend_keep_the_scale_of_the_largest(rows):
    """Three customers a hundred times as large as the rest are not put down to a leaf's mean."""
    features, _, _, spend = rows
    foretold = linear_spend(features, spend)
    foretold[:3] = 100.0 * spend.mean()

    said = BoostedSpend().fit(features[3:], spend[3:], foretold[3:]).predict(features, foretold)

    assert (said[:3] > 30.0 * spend.mean()).all()
    assert said[3:].max() < 30.0 * spend.mean()


def test_trees_find_what_no_line_can(rows):
    features, _, _, _ = rows
    bought = features[:, 0] * features[:, 1] > 0

    trees = BoostedChance().fit(features, bought).log_odds(features)
    line = LinearChance().fit(features, bought).log_odds(features)

    assert ((trees > 0) == bought).mean() > 0.9
    assert ((line > 0) == bought).mean() < 0.6


def test_learning_again_gives_the_same_bytes(rows):
    features, _, bought, spend = rows

    for learn in (
        lambda: LinearChance().fit(features, bought).log_odds(features),
        lambda: BoostedChance().fit(features, bought).log_odds(features),
        lambda: linear_spend(features, spend),
        lambda: boosted_spend(features, spend),
    ):
        once, again = learn(), learn()
        assert once.tobytes() == again.tobytes()


def test_nobody_is_scored_beyond_what_was_learned_from(rows):
    features, _, _, spend = rows
    model = LinearSpend().fit(features, spend)
    far, edge = features[:1].copy(), features[:1].copy()
    far[0, 0], edge[0, 0] = 1e6, features[:, 0].max()

    assert model.predict(far)[0] == pytest.approx(model.predict(edge)[0])


def test_a_feature_that_never_varies_is_left_out():
    features = np.column_stack([np.full(50, 3.0), np.arange(50.0)])

    scaled = Scaler().fit(features).transform(features + 1.0)

    assert (scaled[:, 0] == 0.0).all()
    assert np.isfinite(scaled).all()


def test_linear_learners_are_json(rows):
    features, _, bought, spend = rows

    for model in (LinearChance().fit(features, bought), LinearSpend().fit(features, spend)):
        stored = json.loads(json.dumps(model.to_dict(), allow_nan=False))
        assert set(stored["coefficients"]) == set(FEATURES)


def test_a_blend_of_equal_parts_is_the_part():
    odds = np.array([-2.0, 0.0, 3.0])

    np.testing.assert_allclose(chance([odds, odds], [1.0, 2.0]), expit(odds))
    np.testing.assert_allclose(chance([odds, odds + 3.0], [1.0, 2.0]), expit(odds + 2.0))
