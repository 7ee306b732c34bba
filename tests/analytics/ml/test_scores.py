import json
from dataclasses import fields, replace

import numpy as np
import pytest

from analytics.ml import blend
from analytics.ml.reasons import ReasonColumns
from analytics.ml.run import (
    Costs,
    Deliveries,
    FittedShop,
    Operations,
    Ratings,
    Scores,
    ScoringInput,
    fit_shop,
    score_part,
)
from tests.analytics.ml.shops import clockwork, to_score, usual_shop

AS_OF = 15_500


def costs_of(given: ScoringInput) -> Costs:
    """Return costs of every purchase, which differ from customer to customer."""
    bought = given.purchases
    share = 0.3 + 0.1 * (bought.customer_id % 4)
    return Costs(bought.customer_id, bought.day, bought.net_spend, bought.net_spend * share)


def lively_shop() -> ScoringInput:
    """Return customers who come like clockwork, some of whom also answered, returned, asked."""
    given = replace(to_score(clockwork(), AS_OF), horizon_days=30)
    some = given.customer_ids[::7]
    day = np.full(some.size, AS_OF - 20)
    ones, delays = np.ones(some.size, dtype=np.int64), np.linspace(-4.0, 9.0, some.size)
    return replace(
        given,
        ratings=Ratings(some, day, np.linspace(0.0, 1.0, some.size), np.zeros(some.size, np.int8)),
        deliveries=Deliveries(some, day - 9, delays),
        costs=costs_of(given),
        operations=Operations(some, day - 9, ones, ones * (some % 2), ones * (some % 3 == 0)),
    )


def part_of(given: ScoringInput, parts: int, number: int) -> ScoringInput:
    """Return what is known of the customers whose id leaves a remainder."""
    kept = {
        name: type(rows)(*(c[rows.customer_id % parts == number] for c in vars(rows).values()))
        for name in ("purchases", "refunds", "costs", "ratings", "deliveries", "operations")
        if (rows := getattr(given, name)) is not None
    }
    ids = given.customer_ids
    return replace(given, customer_ids=ids[ids % parts == number], **kept)


def stored(fitted: FittedShop) -> FittedShop:
    return FittedShop.from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))


def assert_same(found: Scores, expected: Scores) -> None:
    """Numbers may differ in the last bits, as sums of vectors of other lengths do."""
    for field in fields(expected):
        mine, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(other, ReasonColumns):
            assert mine.code.tolist() == other.code.tolist()
            assert mine.direction.tolist() == other.direction.tolist()
        else:
            np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-12, err_msg=field.name)


def rows(scores: Scores, keep: np.ndarray) -> Scores:
    columns = {}
    for field in fields(scores):
        column = getattr(scores, field.name)
        if isinstance(column, ReasonColumns):
            columns[field.name] = ReasonColumns(*(c[keep] for c in vars(column).values()))
        else:
            columns[field.name] = column[keep]
    return Scores(**columns)


RUNGS = {"repeat_buying": (False, False), "with_linear": (True, 0), "with_trees": (True, 120)}


@pytest.fixture(scope="module", params=RUNGS)
def rung(request) -> str:
    """Name each rung that may speak."""
    return request.param


@pytest.fixture(scope="module")
def shop(rung) -> ScoringInput:
    return to_score(usual_shop(), AS_OF) if rung == "repeat_buying" else lively_shop()


@pytest.fixture(scope="module")
def fitted(rung, shop) -> FittedShop:
    with pytest.MonkeyPatch.context() as patch:
        if rung == "with_trees":
            patch.setattr(blend, "TREES_NEED", (500, 180))
        if rung != "repeat_buying":
            patch.setattr(blend, "earned", lambda trials, highest, *judged: highest)
        return fit_shop(shop)


def test_customers_scored_in_parts_from_stored_numbers_get_the_scores_of_the_whole(fitted, shop):
    whole = score_part(fitted, shop)

    for number in range(3):
        assert (fitted.margin is None) == (shop.costs.day.size == 0)
        part = score_part(stored(fitted), part_of(shop, 3, number))

        assert_same(part, rows(whole, whole.customer_id % 3 == number))


def test_what_is_stored_scores_the_same_to_the_last_bit(fitted, shop):
    first, second = score_part(fitted, shop), score_part(stored(fitted), shop)

    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if not isinstance(one, ReasonColumns):
            assert one.tobytes() == other.tobytes(), field.name


def test_blends_speak_where_they_may(fitted, rung):
    found = fitted.forecaster
    assert found is not None
    trees = found.blend is not None and found.blend.to_parameters()["churn_trees"]

    assert (found.blend is not None, trees) == RUNGS[rung]


def test_a_part_without_anybody_is_empty(fitted, shop):
    nobody = part_of(replace(shop, customer_ids=shop.customer_ids[:0]), 10_000_000, 9_999_999)

    assert score_part(fitted, nobody).customer_id.size == 0
