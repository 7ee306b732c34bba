"""How last answers are hidden, and the weight k that foretells them."""

import numpy as np
import pytest

from analytics.ml.satisfaction import BASE_STARS, Ratings, Signals, learn
from analytics.ml.satisfaction.learning import hide
from tests.analytics.ml.satisfaction.signals import (
    CSAT,
    NPS,
    REVIEW,
    deliveries,
    operations,
    ratings,
)

BASE = (BASE_STARS - 1) / 4


def test_the_last_day_is_hidden_and_only_earlier_days_are_known():
    known = Signals(
        ratings(
            (1, 100, 1.0, REVIEW), (1, 280, 0.0, REVIEW), (1, 280, 1.0, NPS), (2, 50, 0.5, CSAT)
        ),
        deliveries((1, 279, 12.0), (1, 280, -12.0), (2, 50, 3.0)),
        operations((1, 280, 1, 1, 1)),
    ).before(1000)

    hidden = hide(known)

    assert hidden.day.tolist() == [280, 50]
    assert hidden.truth.tolist() == pytest.approx([0.7 / 1.7, 0.5])
    assert hidden.is_silent.tolist() == [False, True]
    assert hidden.n_eff.tolist() == pytest.approx([2 ** (-179 / 180), 0.0])
    assert hidden.own_mean[0] == 1.0
    assert hidden.record.mean_delay[0] == 12.0
    assert not hidden.record.is_delivered[1]
    assert hidden.record.ticket_count.tolist() == [0.0, 0.0]


def test_nobody_said_anything():
    habits = learn(Signals())

    assert hide(Signals()).truth.size == 0
    assert habits.prior_weight == 2.0
    assert habits.norms.base == BASE


def taste_and_mood(spread: float, mood: float) -> Ratings:
    """Return two answers of 4,000 people whose tastes and moods vary by the given amounts."""
    rng = np.random.default_rng(1)
    taste = BASE + rng.normal(0, spread, 4000)
    first, last = (taste + rng.normal(0, mood, 4000) for _ in range(2))
    ids, kind = np.arange(4000), np.zeros(8000, np.int8)
    day = np.concatenate([np.full(4000, 999), np.full(4000, 1000)])
    return Ratings(np.tile(ids, 2), day, np.concatenate([first, last]), kind)


def weight(given: Ratings, as_of: int = 1001, **more) -> float:
    return learn(Signals(given, **more).before(as_of)).prior_weight


def test_prior_weight_is_the_ratio_of_mood_to_taste():
    assert weight(taste_and_mood(0.1, 0.2)) == pytest.approx(4.0, rel=0.3)


def test_prior_weight_ignores_deliveries_on_or_after_the_day_of_the_hidden_answer():
    answers = taste_and_mood(0.1, 0.2)
    late = deliveries(*[(customer, 1000, 30.0) for customer in range(4000)])

    assert weight(answers, 1500, deliveries=late) == weight(answers)


def test_prior_weight_stays_two_until_200_people_answered_twice():
    everyone = taste_and_mood(0.1, 0.2)

    assert weight(everyone.take(everyone.customer_id < 199)) == 2.0
    assert weight(everyone.take(everyone.customer_id < 200)) != 2.0
