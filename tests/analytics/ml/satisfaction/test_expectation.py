"""What operations let one expect, and how far a shop's own answers move it."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.ml.satisfaction import PUBLISHED, Signals, expected_stars, learn
from analytics.ml.satisfaction.expectation import record_of
from tests.analytics.ml.satisfaction.signals import (
    deliveries,
    operations,
    ratings,
    shop,
    together,
)


@pytest.mark.parametrize(
    ("delay", "stars"),
    [(-11, 4.32), (-10, 4.32), (-6, 4.28), (-3, 4.16), (0, 4.14), (1, 3.92), (4, 2.81), (8, 1.89)],
)
def test_expected_stars_follow_the_measured_table(delay, stars):
    assert expected_stars(np.array([float(delay)]))[0] == stars


def test_each_customer_is_seen_up_to_a_day_of_their_own():
    known = Signals(
        deliveries=deliveries((1, 10, 0.0), (1, 20, 12.0), (2, 20, 12.0)),
        operations=operations(
            (1, 5, 1, 0, 0), (1, 15, 1, 1, 0), (1, 20, 0, 0, 1), (2, 19, 1, 1, 1)
        ),
    ).before(100)

    found = record_of(np.array([1, 2]), known, np.array([20, 21]))

    assert found.mean_delay.tolist() == [0.0, 12.0]
    assert found.return_share.tolist() == [0.5, 1.0]
    assert found.ticket_count.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("answers", "weight"), [(5, 5 / 25), (180, 180 / 200)])
def test_the_base_moves_to_the_shops_own_mean_against_twenty_published_answers(answers, weight):
    rows = [(customer, 500, 0.925, 0) for customer in range(answers)]  # 4.7 stars

    norms = learn(Signals(ratings(*rows)).before(1000)).norms

    assert norms.base == pytest.approx(0.785 + weight * (0.925 - 0.785))
    assert norms == replace(PUBLISHED, base=norms.base, answers=answers)


def test_a_shop_of_its_own_kind_is_learned():
    """Here a delay costs a third of the published, a return twice as much, a ticket nothing."""
    known = shop(base=0.9, slope=1 / 3, returned=-0.5, ticket=0.0, taste=0.02, mood=0.1)

    norms = learn(known.before(1000)).norms

    assert norms.is_learned
    assert norms.base == pytest.approx(0.9, abs=0.01)
    assert norms.delay_slope == pytest.approx(1 / 3, abs=0.1)
    assert norms.return_effect == pytest.approx(-0.5, abs=0.05)
    assert norms.ticket_effect == pytest.approx(0.0, abs=0.02)


def test_effects_stay_published_where_fewer_than_200_customers_with_deliveries_answered():
    known = shop(199, slope=0.0, returned=-0.9, mood=0.01)

    norms = learn(known.before(1000)).norms

    assert replace(norms, base=PUBLISHED.base, answers=0) == PUBLISHED


def test_effects_that_foretell_later_answers_worse_are_not_kept():
    """Delays please in the first two thirds and hurt as published afterwards."""
    before, after = shop(1200, slope=0.0, mood=0.02), shop(1200, mood=0.02, seed=2)
    early, late = (
        Signals(*(rows.take(keep(rows.day)) for rows in vars(known).values()))
        for known, keep in ((before, lambda day: day < 630), (after, lambda day: day >= 645))
    )
    joined = together(early, late)

    norms = learn(joined.before(1000)).norms

    assert not norms.is_learned
    assert norms.delay_slope == 1.0


def test_lateness_never_pleases_and_a_return_never_helps():
    upside_down = shop(slope=-1.0, returned=0.4, ticket=0.3, mood=0.05)

    norms = learn(upside_down.before(1000)).norms

    assert norms.is_learned
    assert (norms.delay_slope, norms.return_effect, norms.ticket_effect) == (0.0, 0.0, 0.0)
