"""Hidden answers are foretold from what lay before them, and the figures say how well."""

import numpy as np
import pytest

from analytics.ml.ladder import Note
from analytics.ml.satisfaction import Deliveries, Operations, Signals, learn, validate
from tests.analytics.ml.satisfaction.signals import (
    deliveries,
    operations,
    ratings,
    shop,
    shuffled,
    together,
)


@pytest.fixture(scope="module")
def proof():
    return validate(shop(3000, taste=0.15, stars=True).before(1000))


def test_figures_stand_for_all_and_for_both_groups_beside_their_baselines(proof):
    model, naive = proof.metrics["satisfaction"], proof.baseline["satisfaction"]

    groups = ("answered_before", "silent_before")
    assert model["n"] == naive["n"] == sum(model[name]["n"] for name in groups) == 3000
    assert naive["name"] == "shop_mean_so_far"
    assert naive["own_mean"]["name"] == "own_mean_so_far"
    assert naive["own_mean"]["n"] == model["answered_before"]["n"]
    assert proof.notes == ()
    for name in groups:
        assert model[name]["rmse"] < naive[name]["rmse"]
        assert model[name]["mae"] < naive[name]["mae"]
        assert model[name]["auc"] > naive[name]["auc"] + 0.1
        assert abs(model[name]["bias"]) < 2
        assert 0.76 < model[name]["coverage_80"] < 0.90
    assert model["answered_before"]["rmse"] < naive["own_mean"]["rmse"]
    assert min(model[name]["auc"] for name in groups) > 0.75


def test_figures_are_what_they_are_called():
    """Sixty people on time answer four stars; before them one said three, one day earlier."""
    rows = [(customer, 20, 0.75, 0) for customer in range(1, 61)]
    found = validate(Signals(ratings((0, 10, 0.5, 0), *rows)).before(1000))

    # 61 hidden; the first part begins on day 10, so nothing but the published is known in it, and
    # the second on day 20, after the one answer.
    model, naive = found.metrics["satisfaction"], found.baseline["satisfaction"]
    base = 0.785 - 0.285 / 21
    assert model["bias"] == pytest.approx(100 * (0.285 + 60 * (base - 0.75)) / 61)
    assert naive["bias"] == pytest.approx(100 * (0.285 - 60 * 0.25) / 61)
    assert naive["rmse"] == pytest.approx(100 * np.sqrt((0.285**2 + 60 * 0.25**2) / 61))
    assert model["auc"] is None
    assert "answered_before" not in model
    assert "own_mean" not in naive


def test_fewer_than_fifty_hidden_answers_prove_nothing_and_that_is_said():
    rows = [(customer, 500 + customer, 0.75, 0) for customer in range(50)]

    few, enough = (validate(Signals(ratings(*rows[:size])).before(1000)) for size in (49, 50))

    assert (few.metrics, few.baseline) == ({}, {})
    assert few.notes == (Note("satisfaction_unvalidated", 49, 50),)
    assert enough.metrics["satisfaction"]["n"] == 50


def test_it_is_said_where_the_mean_of_the_shop_foretells_as_well():
    """Every answer is the same, and delays say nothing: the published table can only disturb."""
    rows = [(customer, 500 + customer % 7, 0.0, 0) for customer in range(100)]
    late = [(customer, 400, 3.0 if customer % 2 else -20.0) for customer in range(100)]

    found = validate(Signals(ratings(*rows), deliveries(*late)).before(1000))

    assert [note.code for note in found.notes] == ["satisfaction_not_better_than_shop_mean"]


def test_nothing_on_or_after_the_day_of_an_answer_helps_to_foretell_it():
    """Lateness, returns and tickets that betray the answer, but on its own day, change nothing."""
    answers = shop(800, stars=True).ratings
    bare = Signals(answers)
    rows = answers.before(1000)
    is_bad = rows.score < 0.5
    ends = np.flatnonzero(np.diff(rows.customer_id, append=-1))
    who, day, bad = rows.customer_id[ends], rows.day[ends], is_bad[ends]
    betrayal = Signals(
        answers,
        Deliveries(who, day, np.where(bad, 30.0, -20.0)),
        Operations(who, day, *np.stack([np.ones(who.size), bad, bad]).astype(np.int64)),
    )

    one, two = (validate(known.before(1000)).metrics["satisfaction"] for known in (bare, betrayal))

    assert two["silent_before"]["auc"] == pytest.approx(one["silent_before"]["auc"], abs=0.03)
    assert two["silent_before"]["auc"] < 0.6


def test_answers_on_or_after_the_day_of_the_run_change_neither_habits_nor_proof():
    known = shop(600, stars=True)
    later = Signals(
        ratings(*[(customer, 1000, 0.0, 0) for customer in range(600)]),
        deliveries(*[(customer, 1000, 30.0) for customer in range(600)]),
        operations(*[(customer, 1001, 1, 1, 1) for customer in range(600)]),
    )

    with_later = together(known, later).before(1000)

    assert learn(with_later).to_dict() == learn(known.before(1000)).to_dict()
    assert validate(with_later) == validate(known.before(1000))


def test_the_order_of_rows_is_irrelevant():
    one, two = (validate(known.before(1000)) for known in (shop(600), shuffled(shop(600))))

    assert one == two
