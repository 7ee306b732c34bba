"""The fitters find the parameters the shop was drawn from; scores keep to the truth behind them."""

import numpy as np
import pytest

from analytics.ml.clv import BG_NBD, RepeatBuyingModel, SpendModel
from analytics.ml.run import ScoringInput, score_customers
from analytics.ml.summary import compress, window_outcome
from customers.services.simulation import World
from tests.customers.simulation.worlds import joined, plan, purchases, summary

HOURS = 24.0
FOLDS = 8
MOST_ERRORS = 3.5
SIZES = [20_000, 100_000]


def buying(rows, per_day):
    model = RepeatBuyingModel(BG_NBD).fit(compress(rows.frequency, rows.recency, rows.T))
    return np.log([model.r_, model.alpha_ / per_day, model.a_, model.b_])


def spending(rows):
    model = SpendModel(winsorise_quantile=None).fit(rows)
    return np.log([model.p_, model.q_, model.v_ * model.scale_])


def off_by(fit, rows, truth):
    """Return how many standard errors a fit lies from the truth; the errors are those of folds."""
    fold = rows.customer_id % FOLDS
    parts = np.array([fit(rows.take(fold == one)) for one in range(FOLDS)])
    error = parts.std(axis=0, ddof=1) / np.sqrt(FOLDS)
    return (fit(rows) - np.log(truth)) / error


@pytest.mark.parametrize("customers", SIZES)
@pytest.mark.parametrize("season", [0.0, 1.0])
def test_bg_nbd_recovers_the_buying(customers, season):
    world = World(plan(customers, seed=11, season=season, regular_share=0.0))
    true = world.plan
    # By the hour: by the day, orders of one day are one, and rates look three per cent lower.
    rows = summary(world, per_day=HOURS, in_shop_time=True)

    errors = off_by(lambda part: buying(part, HOURS), rows, [true.r, true.alpha, true.a, true.b])

    assert np.abs(errors).max() < MOST_ERRORS, errors


@pytest.mark.parametrize("customers", SIZES)
def test_gamma_gamma_recovers_the_order_values(customers):
    world = World(plan(customers, seed=12, regular_share=0.0))
    true = world.plan

    errors = off_by(spending, summary(world, per_day=HOURS), [true.p, true.q, true.v])

    assert np.abs(errors).max() < MOST_ERRORS, errors


def scored(customers, **given):
    """Score a shop at the end of its record; return the scores, what came, and the truth."""
    world = World(plan(customers, seed=3, **given))
    end = world.plan.days
    everything = purchases(world, future=True)
    past = everything.before(end)
    ids = np.unique(past.customer_id)
    result = score_customers(
        ScoringInput(
            as_of_day=end,
            customer_ids=ids,
            purchases=past,
            horizon_days=world.plan.horizon_days,
        )
    )
    came = window_outcome(
        everything.occasions(), ids, start_day=end, end_day=end + world.plan.horizon_days
    )
    # Customers are numbered from 1 in the order of the truth.
    truth = {name: column[ids - 1] for name, column in joined(world, "truth").items()}
    return result, came, truth


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"season": 0.0, "regular_share": 0.0}, 0.015),
        ({"season": 0.0, "regular_share": 1.0}, 0.03),
        ({"season": 1.0, "regular_share": 0.2}, 0.04),
    ],
)
def test_scores_keep_to_the_truth_behind_them(given, most):
    result, (spend, orders), truth = scored(12_000, **given)

    tenth = np.argsort(np.argsort(result.churn_probability, kind="stable")) * 10 // spend.size
    size = np.bincount(tenth)
    said = np.bincount(tenth, result.churn_probability) / size
    true = np.bincount(tenth, truth["churn_probability"]) / size
    lapsed = np.bincount(tenth, orders == 0) / size
    covered = (spend >= result.clv_low) & (spend <= result.clv_high)
    # Calibrated by tenths: against the chance that was true, and against what came.
    assert np.abs(said - true).mean() < most
    assert np.abs(said - lapsed).mean() < most + 0.01
    # The law of large numbers ties truth and outcome, so a broken truth fails here.
    assert np.abs(true - lapsed).max() < 4 * np.sqrt(0.25 / size.min())
    assert 0.78 < covered.mean() < 0.90
    assert result.predicted_clv.sum() == pytest.approx(truth["expected_spend"].sum(), rel=0.1)
    assert np.corrcoef(result.expected_orders, truth["expected_orders"])[0, 1] > 0.7


def test_by_the_day_rates_look_a_little_lower():
    world = World(plan(20_000, seed=11, season=0.0, regular_share=0.0))
    true = world.plan

    r, alpha, _a, _b = np.exp(buying(summary(world), 1.0))

    # Orders of one day are one occasion: a known cost of counting days, and no more than that.
    assert 0.94 < (r / alpha) / (true.r / true.alpha) < 1.0
