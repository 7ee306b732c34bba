"""The score: answers against the expectation, from their own day on, in whatever order."""

import json

import numpy as np
import pytest

from analytics.ml.satisfaction import (
    BASE_STARS,
    CONSTANTS,
    Habits,
    Norms,
    SatisfactionScores,
    Signals,
    learn,
    score_satisfaction,
)
from tests.analytics.ml.satisfaction.signals import (
    NPS,
    REVIEW,
    deliveries,
    operations,
    ratings,
    shop,
    shuffled,
)

BASE = (BASE_STARS - 1) / 4
AS_OF = 1001


def score(
    ids: list[int], bought: list[bool] | None = None, habits: Habits | None = None, **given
) -> SatisfactionScores:
    return score_satisfaction(
        np.array(ids, np.int64),
        Signals(**given).before(AS_OF),
        has_orders=np.array(bought or [True] * len(ids)),
        as_of_day=AS_OF,
        habits=habits,
    )


def test_a_fresh_answer_is_weighed_against_the_expectation():
    found = score([7], ratings=ratings((7, 1000, 1.0, REVIEW)))

    assert found.score[0] == pytest.approx(100 * (2 * BASE + 1) / 3)
    assert found.n_eff[0] == 1.0
    assert found.inferred_share[0] == pytest.approx(2 / 3)


def test_an_answer_half_a_year_old_weighs_half_and_nps_less_than_stars():
    found = score([1, 2], ratings=ratings((1, 820, 0.0, REVIEW), (2, 1000, 0.0, NPS)))

    assert found.n_eff.tolist() == pytest.approx([0.5, 0.7])
    assert found.score[0] == pytest.approx(100 * 2 * BASE / 2.5)


def test_answers_on_or_after_as_of_are_not_seen():
    rows = ratings((1, 1000, 0.2, REVIEW), (1, 1001, 1.0, REVIEW), (1, 5000, 1.0, REVIEW))

    assert score([1], ratings=rows).n_eff[0] == 1.0


def test_operations_alone_are_all_inferred():
    found = score([1], deliveries=deliveries((1, 1000, 12.0)))

    assert found.inferred_share[0] == 1.0
    assert found.score[0] == pytest.approx(100 * (1.70 - 1) / 4)
    assert found.reasons.row(0)[0] == {
        "code": "delivery_delay",
        "value": 12,
        "typical": 0,
        "direction": "down",
    }


def test_returns_and_tickets_lower_the_expectation():
    found = score([1], operations=operations((1, 900, 4, 0, 0), (1, 990, 0, 2, 1)))

    assert found.score[0] == pytest.approx(100 * (BASE - 0.25 * 0.5 - 0.20 * 0.25))
    assert [reason["code"] for reason in found.reasons.row(0)[:2]] == [
        "return_share",
        "ticket_count",
    ]


@pytest.mark.parametrize(
    "late",
    [
        {"ratings": ratings((1, AS_OF, 0.0, REVIEW), (1, 5000, 0.0, REVIEW))},
        {"deliveries": deliveries((1, AS_OF, 30.0))},
        {"operations": operations((1, AS_OF, 1, 1, 1))},
    ],
)
def test_nothing_counts_before_its_own_day(late):
    """Also where the caller forgot to cut the signals."""
    found = score_satisfaction(
        np.array([1]),
        Signals(**late),
        has_orders=np.array([True]),
        as_of_day=AS_OF,
    )

    assert found.score[0] == pytest.approx(100 * BASE)
    assert found.n_eff[0] == 0


def test_the_silent_get_what_the_shop_lets_one_expect():
    found = score(
        [1], habits=Habits(Norms(base=0.9, delay_slope=0.5)), deliveries=deliveries((1, 1000, 12.0))
    )

    assert found.score[0] == pytest.approx(100 * (0.9 + 0.5 * (1.70 - 4.14) / 4))
    assert found.inferred_share[0] == 1.0


def test_neither_order_nor_signal_is_null():
    found = score([1, 2], bought=[False, True])

    assert np.isnan(found.score[0])
    assert np.isnan(found.low[0])
    assert found.reasons.row(0) == []
    assert found.score[1] == pytest.approx(100 * BASE)
    assert found.reasons.row(1) == [
        {"code": "no_answer_yet", "value": 0, "typical": 0, "direction": "flat"}
    ]


def test_the_score_is_within_its_band_and_both_within_0_and_100():
    known = shop(stars=True).before(AS_OF)
    ids = np.arange(-5, 4005)

    for habits in (Habits(), learn(known)):
        found = score_satisfaction(
            ids, known, has_orders=ids % 7 > 0, as_of_day=AS_OF, habits=habits
        )

        is_scored = ~np.isnan(found.score)
        low, mean, high = (column[is_scored] for column in (found.low, found.score, found.high))
        assert is_scored.sum() > 4000
        assert ((low >= 0) & (low <= mean) & (mean <= high) & (high <= 100)).all()
        assert np.isnan(found.low[~is_scored]).all()
        assert np.isnan(found.n_eff[~is_scored]).all()


def test_more_stars_never_lower_a_score():
    steps = np.linspace(0, 1, 21)
    rows = [(index, 1000, value, REVIEW) for index, value in enumerate(steps.tolist())]
    history = [(index, 700, 0.3, NPS) for index in range(21)]

    found = score(list(range(21)), ratings=ratings(*rows, *history))

    assert (np.diff(found.score) > 0).all()


def test_row_order_is_irrelevant():
    one, two = shop(500), shuffled(shop(500))
    ids, bought = np.arange(500), np.ones(500, dtype=bool)

    found = [
        score_satisfaction(ids, known, has_orders=bought, as_of_day=AS_OF, habits=learn(known))
        for known in (one.before(AS_OF), two.before(AS_OF))
    ]

    for name in ("score", "low", "high", "n_eff", "inferred_share"):
        assert getattr(found[0], name).tobytes() == getattr(found[1], name).tobytes()


@pytest.mark.parametrize("size", [0, 40, 1500])
def test_habits_that_went_through_json_give_the_same_scores(size):
    """As they stand in a run's parameters: constants beside them."""
    known = shop(1500, stars=True).before(AS_OF)
    habits = learn(known.without(np.arange(size, 1500)))

    stored = json.dumps(habits.to_dict() | CONSTANTS, allow_nan=False)
    read = Habits.from_dict(json.loads(stored))

    ids = np.arange(1510)
    found = [
        score_satisfaction(ids, known, has_orders=ids % 7 > 0, as_of_day=AS_OF, habits=each)
        for each in (habits, read)
    ]
    assert (habits.bands.answered is None) == (size < 50)
    assert read.to_dict() == habits.to_dict()
    for name in ("score", "low", "high", "n_eff", "inferred_share"):
        assert getattr(found[0], name).tobytes() == getattr(found[1], name).tobytes()
    assert [found[0].reasons.row(i) for i in (0, 9)] == [found[1].reasons.row(i) for i in (0, 9)]
