"""The margin in 12 months in a run: where it comes from, its proof, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.ml.ledger import PurchaseLedger
from analytics.ml.margin import Costs, MarginModel, earn, margin_in
from analytics.ml.margin_proof import backtest_margin, backtest_rates, learn_margin
from analytics.ml.metrics import error_metrics
from analytics.ml.run import score_customers
from analytics.ml.summary import PurchaseDays, window_outcome
from analytics.ml.year import foretell_year
from tests.analytics.ml.shops import to_score, usual_shop

AS_OF, YOUNG = 15_900, 15_500
ORIGINS = [15_840, 15_810, 15_780]


def costs_of(purchases, *, apart=0.1, seed=4):
    """Draw costs of all purchases: customers' rates around 0.4, and days around them."""
    dice = np.random.default_rng(seed)
    own = 0.4 + apart * dice.standard_normal(int(purchases.customer_id.max()) + 1)
    rate = own[purchases.customer_id] + 0.04 * dice.standard_normal(purchases.day.size)
    return Costs(
        purchases.customer_id,
        purchases.day,
        purchases.net_spend,
        purchases.net_spend * (1.0 - rate),
    ).tidied()


@pytest.fixture(scope="module")
def shop():
    """A shop of two and a half years whose customers differ in their margin."""
    bought = usual_shop(customers=1500, days=900).occasions()
    return bought, costs_of(bought)


@pytest.fixture(scope="module")
def given():
    bought = usual_shop().occasions()
    return to_score(bought, YOUNG, costs=costs_of(bought))


@pytest.fixture(scope="module")
def scored(given):
    return score_customers(given)


def learned(bought, costs, **options):
    return learn_margin(
        costs,
        bought,
        PurchaseLedger(bought),
        **{"as_of_day": AS_OF, "horizon_days": 60, "origin_days": ORIGINS, **options},
    )


def test_the_margin_is_the_value_times_the_rate(given, scored):
    model = MarginModel().fit(given.costs.before(YOUNG).tidied())
    rates = model.predict(scored.customer_id, given.costs)

    np.testing.assert_allclose(scored.margin_12m, scored.clv_12m * rates)
    assert np.isfinite(scored.margin_12m).all()
    assert scored.abstentions == ()
    told = scored.parameters["margin_12m"]
    assert told == model.to_dict() | {"is_own": True, "known_share": 1.0}
    assert scored.metrics["margin_12m"]["rate"]["n"] >= 100
    assert scored.metrics["margin_12m"]["year"]["origin"] == YOUNG - 365


def test_a_run_without_costs_gives_no_margin_and_says_so(given, scored):
    silent = score_customers(replace(given, costs=Costs.empty()))

    assert np.isnan(silent.margin_12m).all()
    assert [(entry.score, entry.code, entry.have) for entry in silent.abstentions] == [
        ("margin_12m", "costs_unknown", 0.0)
    ]
    assert silent.parameters["margin_12m"] is None
    assert "margin_12m" not in silent.metrics
    np.testing.assert_array_equal(silent.clv_12m, scored.clv_12m)


def test_costs_on_or_after_the_day_change_nothing(given, scored):
    later = Costs(
        given.customer_ids,
        np.full(given.customer_ids.size, YOUNG),
        np.full(given.customer_ids.size, 500.0),
        np.full(given.customer_ids.size, 490.0),
    )
    columns = zip(vars(given.costs).values(), vars(later).values(), strict=True)
    with_later = replace(given, costs=Costs(*(np.concatenate(pair) for pair in columns)))

    again = score_customers(with_later)

    np.testing.assert_array_equal(again.margin_12m, scored.margin_12m)
    assert again.metrics["margin_12m"] == scored.metrics["margin_12m"]
    assert again.parameters["margin_12m"] == scored.parameters["margin_12m"]


def test_costs_of_the_withheld_are_not_seen(given):
    some = given.customer_ids[::7]

    kept = replace(given, withheld=some).without_withheld().costs

    assert kept.customer_id.size
    assert not np.isin(kept.customer_id, some).any()


def test_the_excluded_teach_nothing_and_are_given_a_rate(shop):
    bought, costs = shop
    some = np.arange(1, 1500, 3)
    is_one = np.isin(costs.customer_id, some)
    dear = replace(costs, cost=np.where(is_one, 1.5 * costs.revenue, costs.cost))

    found = learned(bought, dear, excluded=some)

    alone = learned(bought.where(~np.isin(bought.customer_id, some)), costs.without(some))
    assert (found.parameters, found.metrics) == (alone.parameters, alone.metrics)
    rates = margin_in(found.model, np.ones(some.size), some, dear)
    assert np.isfinite(rates).all()
    assert rates.mean() < 0.2


def test_rates_are_held_against_what_was_bought_in_the_horizon(shop):
    bought, costs = shop

    found = backtest_rates(costs, bought, origin_days=[15_840], horizon_days=60)

    figures, naive = found
    past, later = costs.before(15_840), earn(costs.between(15_840, 15_900))
    later_rate = later.rate[np.isin(later.customer_id, bought.before(15_840).customer_id)]
    assert figures["n"] == later_rate.size
    assert figures["by_origin"] == [{key: figures[key] for key in ("mae", "rmse", "bias", "n")}]
    assert figures["rmse"] < 0.6 * naive["rmse"]
    assert figures["rmse"] < naive["own_rate"]["rmse"] < naive["rmse"]
    assert abs(figures["bias"]) < 0.01
    assert MarginModel().fit(past).half_spend_ is not None


def test_the_year_that_is_over_judges_the_margin(shop):
    bought, costs = shop
    ledger = PurchaseLedger(bought)

    figures, naive = backtest_margin(costs, ledger, as_of_day=AS_OF, is_own=True)

    day = AS_OF - 365
    year = foretell_year(ledger, as_of_day=AS_OF)
    buyers = year.summary.customer_id
    ends = {"start_day": day, "end_day": AS_OF}
    spent, _ = window_outcome(bought, buyers, **ends)
    margins = PurchaseDays(costs.customer_id, costs.day, costs.revenue - costs.cost)
    came, _ = window_outcome(margins, buyers, **ends)
    rates = MarginModel().fit(costs.before(day)).predict(buyers, costs.before(day))
    assert float(came.sum()) < 0.5 * float(spent.sum())
    expected = error_metrics(came, year.predicted * rates) | {"origin": day}
    assert figures == pytest.approx(expected)
    assert figures["mae"] < 0.8 * naive["mae"]
    assert (naive["name"], naive["n"]) == ("own_margin_so_far", buyers.size)


def test_spend_without_known_costs_is_judged_by_the_rate_of_the_shop(shop):
    bought, costs = shop
    ledger = PurchaseLedger(bought)
    some = costs.take((costs.customer_id % 2 == 0) | (costs.day < AS_OF - 365))

    figures, _naive = backtest_margin(some, ledger, as_of_day=AS_OF, is_own=True)

    whole, _naive = backtest_margin(costs, ledger, as_of_day=AS_OF, is_own=True)
    assert figures["n"] == whole["n"]
    assert figures["bias_percent"] == pytest.approx(whole["bias_percent"], abs=3)


def test_own_rates_that_foretell_nothing_give_way_to_the_shops(shop):
    bought, costs = shop
    # Whose orders were the dearest before are the cheapest since: nothing to learn from.
    turned = np.where(costs.day < 15_780, costs.cost, 1.2 * costs.revenue - costs.cost)

    found = learned(bought, replace(costs, cost=turned).tidied())

    assert [note.code for note in found.notes][:1] == ["margin_rates_not_better_than_shop_rate"]
    assert found.notes[0].have > found.notes[0].need
    assert found.parameters["is_own"] is False
    rates = margin_in(found.model, np.ones(3), np.array([1, 2, 3]), costs)
    assert rates.tolist() == [found.model.shop_rate_] * 3


def test_costs_known_since_yesterday_give_everybody_the_shops_rate(shop):
    bought, costs = shop

    found = learned(bought, costs.between(15_860, 15_900), origin_days=ORIGINS)

    assert [(entry.code, entry.need) for entry in found.abstentions] == [("costs_unknown", 50.0)]
    recent = bought.where(bought.day >= 15_860)
    found = learned(recent, costs.between(15_860, 15_900))
    assert [(note.code, note.need) for note in found.notes] == [("margin_rates_untested", 100)]
    assert (found.parameters["is_own"], found.metrics) == (False, {})


def test_the_proof_sees_nothing_after_its_window(shop):
    bought, costs = shop
    options = {"origin_days": [15_780], "horizon_days": 60}

    assert backtest_rates(costs.before(15_840), bought.before(15_840), **options) == backtest_rates(
        costs, bought, **options
    )


def test_a_year_that_the_own_margin_foretold_better_is_told(scored):
    model, naive = (side["margin_12m"]["year"] for side in (scored.metrics, scored.baseline))
    told = [note for note in scored.notes if note.code == "margin_not_better_than_own_margin"]

    assert model["mae"] > naive["mae"]
    assert [(note.have, note.need) for note in told] == [
        (round(model["mae"], 2), round(naive["mae"], 2))
    ]
