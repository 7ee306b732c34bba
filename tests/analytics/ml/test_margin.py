"""Margin rates: found again on drawn data, shrunk, and refused where hardly a cost is known."""

import json

import numpy as np
import pytest

from analytics.ml.ladder import Abstention
from analytics.ml.margin import Costs, MarginModel, earn, known_share, refuse
from analytics.ml.summary import PurchaseDays

RATE, APART, INSIDE = 0.40, 0.08, 0.9
"""Mean and spread of the customers' rates, and that of single days for one unit of revenue."""


def drawn(customers=6000, *, seed=3, apart=APART, inside=INSIDE):
    """Draw customers with rates of their own; return their costs and those rates."""
    dice = np.random.default_rng(seed)
    rate = RATE + apart * dice.standard_normal(customers)
    who = np.repeat(np.arange(customers), 1 + dice.poisson(3.0, customers))
    revenue = dice.gamma(2.0, 20.0, who.size) + 1.0
    told = rate[who] + inside / np.sqrt(revenue) * dice.standard_normal(who.size)
    day = 15_000 + np.arange(who.size) % 400
    return Costs(who, day, revenue, revenue * (1.0 - told)).tidied(), rate


def one(revenue, cost, customer=1):
    count = len(revenue)
    return Costs(
        np.full(count, customer), 15_000 + np.arange(count), np.array(revenue), np.array(cost)
    )


def together(*parts):
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Costs(*(np.concatenate(column) for column in columns)).tidied()


def model(shop=0.4, usual=0.3, half=100.0):
    return MarginModel.from_dict(
        {"shop_rate": shop, "usual_rate": usual, "half_spend": half, "buyers": 500}
    )


def test_the_laws_behind_drawn_rates_are_found_again():
    costs, _rate = drawn()

    found = MarginModel().fit(costs)

    assert found.half_spend_ == pytest.approx((INSIDE / APART) ** 2, rel=0.1)
    assert found.usual_rate_ == pytest.approx(RATE, abs=0.004)
    assert found.buyers_ == 6000


def test_shrunk_rates_are_nearer_to_the_truth_than_own_rates_and_than_the_shops():
    costs, rate = drawn()
    ids = np.arange(rate.size)
    found = MarginModel().fit(costs)

    def missed(guess):
        return np.sqrt(((guess - rate) ** 2).mean())

    error = missed(found.predict(ids, costs))
    revenue = earn(costs).revenue
    best = np.sqrt((APART**2 * found.half_spend_ / (revenue + found.half_spend_)).mean())
    assert error == pytest.approx(best, rel=0.05)
    assert error < 0.85 * missed(earn(costs).rate)
    assert error < 0.85 * missed(np.full(rate.size, found.shop_rate_))


def test_what_was_earned_so_far_adds_up_to_the_shops_margin():
    costs, _rate = drawn()
    earned = earn(costs)

    rates = MarginModel().fit(costs).predict(earned.customer_id, costs)

    assert float((rates * earned.revenue).sum()) == pytest.approx(float(earned.margin.sum()))


def test_customers_who_do_not_differ_get_the_shops_rate():
    costs, _rate = drawn(apart=0.0, seed=1)

    found = MarginModel().fit(costs)

    assert found.half_spend_ is None
    assert (found.predict(np.arange(3), costs) == found.shop_rate_).all()


def test_the_own_rate_counts_half_at_the_half_spend_and_more_above_it():
    costs = together(one([100.0], [30.0]), one([150.0, 150.0], [100.0, 110.0], customer=2))

    rates = model().predict(np.array([1, 2, 3]), costs)

    assert rates.tolist() == pytest.approx([0.5, (90.0 + 30.0) / 400.0, 0.3])


def test_a_customer_without_known_costs_gets_the_usual_rate():
    costs, _rate = drawn()

    found = MarginModel().fit(costs)

    stranger = np.array([999_999])
    assert found.predict(stranger, costs).tolist() == [found.usual_rate_]
    assert found.predict(stranger, Costs.empty()).tolist() == [found.usual_rate_]


def test_the_rates_of_some_customers_need_only_their_rows_and_the_json():
    costs, _rate = drawn(800)
    found = MarginModel().fit(costs)
    ids = np.arange(800)
    part = costs.take(costs.customer_id % 4 == 1)

    stored = MarginModel.from_dict(json.loads(json.dumps(found.to_dict())))

    assert stored.to_dict() == found.to_dict()
    np.testing.assert_array_equal(stored.predict(ids[1::4], part), found.predict(ids, costs)[1::4])


def test_the_same_rows_in_any_order_give_the_same_bytes():
    costs, _rate = drawn(500)
    mixed = costs.take(np.random.default_rng(1).permutation(costs.day.size)).tidied()

    assert MarginModel().fit(mixed).to_dict() == MarginModel().fit(costs).to_dict()
    for name, column in vars(costs).items():
        np.testing.assert_array_equal(getattr(mixed, name), column)


def test_another_unit_of_money_changes_no_rate():
    costs, _rate = drawn(500)
    doubled = Costs(costs.customer_id, costs.day, 2 * costs.revenue, 2 * costs.cost)
    once, twice = MarginModel().fit(costs), MarginModel().fit(doubled)

    assert twice.half_spend_ == pytest.approx(2 * once.half_spend_)
    np.testing.assert_allclose(
        twice.predict(np.arange(500), doubled), once.predict(np.arange(500), costs)
    )


def test_a_slip_in_a_single_cost_does_not_rule_the_shop():
    costs, _rate = drawn()
    found, slipped = MarginModel().fit(costs), costs.cost.copy()
    slipped[0] *= 10_000

    slip = MarginModel().fit(Costs(costs.customer_id, costs.day, costs.revenue, slipped).tidied())

    assert slip.half_spend_ == pytest.approx(found.half_spend_, rel=0.1)
    assert slip.usual_rate_ == pytest.approx(found.usual_rate_, abs=0.002)
    assert slip.shop_rate_ == pytest.approx(found.shop_rate_, abs=0.002)


def test_what_was_given_away_or_took_money_back_is_left_out():
    costs = together(one([0.0, -5.0, 20.0], [3.0, 1.0, 5.0]))

    assert (costs.revenue.tolist(), costs.cost.tolist()) == ([20.0], [5.0])


def test_money_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="must be finite"):
        one([1.0], [np.nan]).tidied()


def bought(customers, *, days=10, amount=10.0):
    who = np.repeat(np.arange(customers), days)
    return PurchaseDays(
        who, 15_000 + np.tile(np.arange(days), customers), np.full(who.size, amount)
    )


def costs_of(purchases, keep):
    kept = purchases.where(keep)
    return Costs(kept.customer_id, kept.day, kept.net_spend, 0.6 * kept.net_spend)


@pytest.mark.parametrize(
    ("share", "refused"),
    [(0.499, Abstention("margin_12m", "costs_unknown", 49.0, 50.0)), (0.5, None)],
)
def test_costs_must_be_known_for_half_of_the_spend(share, refused):
    purchases = bought(200)
    costs = costs_of(purchases, np.arange(2000) % 1000 < 1000 * share)

    assert refuse(costs, purchases, as_of_day=15_010) == refused


def test_only_the_spend_of_the_last_365_days_counts():
    purchases = bought(200)
    costs = costs_of(purchases, purchases.day >= 15_005)

    assert known_share(costs, purchases, as_of_day=15_010) == 0.5
    assert known_share(costs, purchases, as_of_day=15_005 + 365) == 1.0
    assert known_share(costs, purchases, as_of_day=16_000) == 0.0


def test_it_takes_a_hundred_buyers_with_known_costs():
    purchases = bought(99)

    assert refuse(costs_of(purchases, purchases.day > 0), purchases, as_of_day=15_010) == (
        Abstention("margin_12m", "too_few_costed_buyers", 99, 100)
    )
    assert refuse(Costs.empty(), bought(200), as_of_day=15_010) == (
        Abstention("margin_12m", "costs_unknown", 0.0, 50.0)
    )
