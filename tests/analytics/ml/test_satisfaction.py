import numpy as np
import pytest

from analytics.ml.satisfaction import (
    BASE_STARS,
    Deliveries,
    Operations,
    Ratings,
    SatisfactionScores,
    expected_stars,
    fit_prior_weight,
    score_satisfaction,
)

BASE = (BASE_STARS - 1) / 4
REVIEW, NPS = 0, 2


def ratings(*rows: tuple[int, int, float, int]) -> Ratings:
    customer, day, score, kind = zip(*rows, strict=True)
    return Ratings(
        np.array(customer, np.int64),
        np.array(day, np.int64),
        np.array(score, np.float64),
        np.array(kind, np.int8),
    )


def deliveries(*rows: tuple[int, int, float]) -> Deliveries:
    customer, day, delay = zip(*rows, strict=True)
    return Deliveries(
        np.array(customer, np.int64), np.array(day, np.int64), np.array(delay, np.float64)
    )


def score(ids: list[int], bought: list[bool] | None = None, **given: object) -> SatisfactionScores:
    options = {
        "ratings": Ratings.empty(),
        "deliveries": Deliveries.empty(),
        "operations": Operations.empty(),
        "as_of_day": 1001,
    } | given
    return score_satisfaction(
        np.array(ids, np.int64),
        has_orders=np.array(bought or [True] * len(ids)),
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("delay", "stars"),
    [(-11, 4.32), (-10, 4.32), (-6, 4.28), (-3, 4.16), (0, 4.14), (1, 3.92), (4, 2.81), (8, 1.89)],
)
def test_expected_stars_follow_the_measured_table(delay, stars):
    assert expected_stars(np.array([float(delay)]))[0] == stars


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
    one = np.array([1], np.int64)
    found = score(
        [1],
        operations=Operations(one, 4 * one, 2 * one, one),
    )

    assert found.score[0] == pytest.approx(100 * (BASE - 0.25 * 0.5 - 0.20 * 0.25))
    assert [reason["code"] for reason in found.reasons.row(0)[:2]] == [
        "return_share",
        "ticket_count",
    ]


def test_neither_order_nor_signal_is_null():
    found = score([1, 2], bought=[False, True])

    assert np.isnan(found.score[0])
    assert np.isnan(found.low[0])
    assert found.reasons.row(0) == []
    assert found.score[1] == pytest.approx(100 * BASE)
    assert found.reasons.row(1) == [
        {"code": "no_answer_yet", "value": 0, "typical": 0, "direction": "flat"}
    ]


def test_the_band_holds_the_score_and_narrows_with_answers():
    many = [(2, 1000, 0.8, REVIEW)] * 40
    found = score([1, 2], ratings=ratings((1, 1000, 0.8, REVIEW), *many))

    assert (found.low <= found.score).all()
    assert (found.score <= found.high).all()
    assert ((found.low >= 0) & (found.high <= 100)).all()
    assert (found.high - found.low)[1] < 0.4 * (found.high - found.low)[0]


def test_row_order_is_irrelevant():
    rng = np.random.default_rng(0)
    rows = [
        (int(c), int(d), float(s), 0)
        for c, d, s in zip(
            rng.integers(0, 50, 500), rng.integers(0, 1000, 500), rng.random(500), strict=True
        )
    ]
    ids = list(range(50))

    one, two = score(ids, ratings=ratings(*rows)), score(ids, ratings=ratings(*rows[::-1]))

    assert one.score.tobytes() == two.score.tobytes()


def taste_and_mood(spread: float, mood: float) -> Ratings:
    """Return two answers of 4,000 people whose tastes and moods vary by the given amounts."""
    rng = np.random.default_rng(1)
    taste = BASE + rng.normal(0, spread, 4000)
    first, last = (taste + rng.normal(0, mood, 4000) for _ in range(2))
    ids, kind = np.arange(4000), np.zeros(8000, np.int8)
    day = np.concatenate([np.full(4000, 999), np.full(4000, 1000)])
    return Ratings(np.tile(ids, 2), day, np.concatenate([first, last]), kind)


def test_prior_weight_is_the_ratio_of_mood_to_taste():
    found = fit_prior_weight(taste_and_mood(0.1, 0.2), Deliveries.empty(), as_of_day=1001)

    assert found == pytest.approx(4.0, rel=0.3)


def test_prior_weight_ignores_deliveries_after_the_hidden_answer():
    answers = taste_and_mood(0.1, 0.2)
    late = deliveries(*[(customer, 1001, 30.0) for customer in range(4000)])

    without = fit_prior_weight(answers, Deliveries.empty(), as_of_day=1001)

    assert fit_prior_weight(answers, late, as_of_day=1500) == without


def test_prior_weight_stays_two_until_200_people_answered_twice():
    everyone = taste_and_mood(0.1, 0.2)
    few = everyone.take(everyone.customer_id < 199)

    assert fit_prior_weight(few, Deliveries.empty(), as_of_day=1001) == 2.0
    assert fit_prior_weight(Ratings.empty(), Deliveries.empty(), as_of_day=1001) == 2.0
