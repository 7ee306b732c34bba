"""Satisfaction on simulated shops, whose customers' true experience is known."""

import numpy as np
import pytest

from analytics.ml.satisfaction import PUBLISHED, learn, score_satisfaction, validate
from customers.services.simulation import World
from tests.customers.simulation.worlds import EPOCH, UNTIL, joined, plan, signals

AS_OF = (UNTIL - EPOCH).days


@pytest.fixture(scope="module")
def world():
    return World(plan(20_000, seed=3))


@pytest.fixture(scope="module")
def known(world):
    return signals(world).before(AS_OF)


def test_hidden_answers_are_foretold_better_than_by_the_shops_mean(known):
    proof = validate(known)

    model, naive = proof.metrics["satisfaction"], proof.baseline["satisfaction"]
    assert model["n"] > 10_000
    assert proof.notes == ()
    for figures, rule in (
        (model, naive),
        (model["answered_before"], naive["answered_before"]),
        (model["silent_before"], naive["silent_before"]),
    ):
        assert figures["rmse"] < rule["rmse"]
        assert figures["mae"] < rule["mae"]
        assert figures["auc"] > 0.75 > 0.6 > rule["auc"]
        assert abs(figures["bias"]) < 1.5
        # Whole stars: four and five together are more than 8 of 10, five alone far fewer.
        assert 0.75 < figures["coverage_80"] < 0.90
    own = naive["own_mean"]
    assert model["answered_before"]["auc"] > own["auc"] + 0.1
    assert model["answered_before"]["rmse"] < own["rmse"]


def test_scores_keep_to_the_true_experience(world, known):
    """Customers who stay silent are less content than those who speak, and nobody can see it."""
    people, truth = joined(world, "people"), joined(world, "truth")
    order = np.argsort(people["number"])
    felt = (truth["experience"][order] - 1) / 4
    ids = people["number"][order].astype(np.int64)

    habits = learn(known)
    found = score_satisfaction(
        ids, known, has_orders=np.ones(ids.size, dtype=bool), as_of_day=AS_OF, habits=habits
    )

    spoke, silent = ((~np.isnan(felt)) & is_one for is_one in (found.n_eff > 0, found.n_eff == 0))
    assert habits.norms.is_learned
    assert habits.norms.base > PUBLISHED.base + 0.05
    assert np.corrcoef(felt[spoke], found.score[spoke])[0, 1] > 0.6
    assert np.corrcoef(felt[silent], found.score[silent])[0, 1] > 0.2
    assert 0 < found.score[spoke].mean() - 100 * felt[spoke].mean() < 3
    assert 3 < found.score[silent].mean() - 100 * felt[silent].mean() < 7


def test_answers_are_about_better_orders_than_most(world):
    """What was true of the orders reviewed, surveyed, and of all: why the silent are overrated."""
    orders, size = joined(world, "orders"), []
    for index in range(world.cohorts):
        cohort = world.cohort(index)
        counts = [cohort.reviews["order"], cohort.answers["order"]]
        size.append([np.bincount(order, minlength=cohort.orders["day"].size) for order in counts])
    reviewed, surveyed = np.concatenate(size, axis=1) > 0
    stands = (orders["customer"] >= 0) & ~orders["is_cancelled"] & ~orders["is_test"]

    true = 25 * (orders["experience"] - 1)

    assert true[stands].mean() == pytest.approx(81.5, abs=0.1)
    assert true[stands & reviewed].mean() == pytest.approx(84.5, abs=0.1)
    assert true[stands & surveyed].mean() == pytest.approx(87.1, abs=0.1)
