import json

import numpy as np
import pytest

from analytics.ml import blend as blends
from analytics.ml import past as looking_back
from analytics.ml import trials as judging
from analytics.ml.blend import Learned, highest_rung, learn
from analytics.ml.ledger import PurchaseLedger, Refunds
from analytics.ml.metrics import average, churn_metrics, spend_metrics
from analytics.ml.past import Past
from analytics.ml.summary import PurchaseDays
from analytics.ml.trials import REPEAT_BUYING, RUNGS, WITH_LINEAR, WITH_TREES, Trial
from tests.analytics.ml.shops import cdnow_master, clockwork, usual_shop

AS_OF = 15_500
HORIZON = 30


def learned(shop: PurchaseDays, refunds: Refunds | None = None, **options):
    origins = [AS_OF - HORIZON - 30 * step for step in range(3)]
    given = {"as_of_day": AS_OF, "horizon_days": HORIZON, "origin_days": origins} | options
    return learn(PurchaseLedger(shop, refunds), **given)


@pytest.fixture(scope="module")
def steady():
    """What is learned of customers who come like clockwork."""
    return learned(clockwork())


@pytest.mark.parametrize(
    ("buyers", "days", "rung"),
    [
        (499, 1000, REPEAT_BUYING),
        (500, 179, REPEAT_BUYING),
        (500, 180, WITH_LINEAR),
        (3999, 1000, WITH_LINEAR),
        (4000, 269, WITH_LINEAR),
        (4000, 270, WITH_TREES),
    ],
)
def test_a_shop_climbs_by_size_and_history(buyers, days, rung):
    assert highest_rung(buyers, days) == rung


def test_a_small_shop_is_left_to_repeat_buying():
    assert learned(usual_shop(customers=400)) is None
    assert learned(PurchaseDays.empty()) is None


def test_learners_see_what_the_models_of_repeat_buying_cannot(steady):
    assert steady is not None
    churn, spend = steady.figures()

    assert (steady.churn_rung, steady.spend_rung) == (WITH_LINEAR, WITH_LINEAR)
    assert churn[WITH_LINEAR]["auc"] > churn[REPEAT_BUYING]["auc"] + 0.01
    assert churn[WITH_LINEAR]["brier"] < 0.95 * churn[REPEAT_BUYING]["brier"]
    assert churn[WITH_LINEAR]["auc"] > churn["recency_rule"]["auc"]
    assert spend[WITH_LINEAR]["rmse"] < spend[REPEAT_BUYING]["rmse"]
    assert spend[WITH_LINEAR]["gini"] > spend["own_rate_times_horizon"]["gini"]


def test_figures_are_those_of_the_trials(steady):
    churn, spend = steady.figures()
    trial = steady.trials[0]

    assert churn["linear"] == average(
        [churn_metrics(one.lapsed, one.lapse["linear"], one.silent_days) for one in steady.trials]
    )
    assert set(trial.lapse) == {REPEAT_BUYING, WITH_LINEAR, "linear", "recency_rule"}
    assert spend["own_rate_times_horizon"]["n"] == sum(one.spent.size for one in steady.trials)
    assert spend_metrics(trial.spent, trial.spend["linear"])["n"] == trial.spent.size


def test_the_state_is_json(steady):
    stored = json.loads(json.dumps(steady.to_dict(), allow_nan=False))

    assert (stored["churn_rung"], stored["churn_trees"]) == (WITH_LINEAR, None)
    assert Learned.from_dict(stored).to_dict() == steady.to_dict()


def same(left, right) -> bool:
    """Tell whether two results of learning are the same to the last bit."""
    trials = zip(left.trials, right.trials, strict=True)
    return left.to_dict() == right.to_dict() and all(
        one.lapse[name].tobytes() == other.lapse[name].tobytes()
        and one.spend[name].tobytes() == other.spend[name].tobytes()
        for one, other in trials
        for name in RUNGS[:2]
    )


def test_what_comes_on_or_after_as_of_changes_nothing():
    shop = clockwork(600, days=560)

    assert same(learned(shop), learned(shop.before(AS_OF)))


def test_nothing_of_an_origins_window_reaches_its_learners():
    """With every purchase and refund after the origin gone, it says the same."""
    shop = clockwork(600).occasions()
    origin = AS_OF - HORIZON
    back = np.flatnonzero((shop.day > 15_300) & (shop.day < origin))[::9]
    refunds = Refunds(
        shop.customer_id[back],
        shop.day[back],
        np.full(back.size, origin + 3),
        shop.net_spend[back],
    )
    days = Past(PurchaseLedger(shop), first_day=15_000, horizon_days=HORIZON).training_days(origin)

    def said(given: PurchaseDays, taken: Refunds | None) -> Trial:
        past = Past(PurchaseLedger(given, taken), first_day=15_000, horizon_days=HORIZON)
        past.prepare([origin, *days])
        found = blends.try_rungs(past, origin, as_of_day=AS_OF, rung=WITH_LINEAR)
        assert found is not None
        return found

    whole, cut = said(shop, refunds), said(shop.before(origin), None)

    for name, column in whole.lapse.items():
        assert column.tobytes() == cut.lapse[name].tobytes(), name
    for name, column in whole.spend.items():
        assert column.tobytes() == cut.spend[name].tobytes(), name
    assert cut.lapsed.all()  # what came is another matter: there, nothing did


def test_landmarks_that_teach_are_over_before_what_they_judge_begins():
    past = Past(PurchaseLedger(clockwork(50)), first_day=15_000, horizon_days=60)

    days = past.training_days(15_400)

    assert days == [15_340, 15_310, 15_280]
    assert all(day + 60 <= 15_400 for day in days)


def test_the_order_of_the_rows_changes_nothing():
    shop = clockwork(600)
    mixed = np.random.default_rng(1).permutation(shop.day.size)

    assert same(
        learned(shop), learned(PurchaseDays(*(column[mixed] for column in vars(shop).values())))
    )


def test_of_a_large_shop_learners_see_some_customers(monkeypatch):
    monkeypatch.setattr(looking_back, "MOST_ROWS", 300)

    found = learned(clockwork(700))

    assert found is not None
    assert {trial.spent.size for trial in found.trials} == {300}


def test_a_rung_is_climbed_unless_it_is_plainly_worse():
    rng = np.random.default_rng(3)
    lapsed = rng.random(500) < 0.4
    good, bad = np.where(lapsed, 0.8, 0.2), np.full(500, 0.5)
    trial = Trial(0, lapsed, np.ones(500), {RUNGS[0]: good, RUNGS[1]: bad, RUNGS[2]: good}, {})
    worse = Trial(0, lapsed, np.ones(500), {RUNGS[0]: good, RUNGS[1]: bad, RUNGS[2]: bad}, {})

    assert judging.earned([trial], WITH_TREES, judging.squared_losses) == WITH_TREES
    assert judging.earned([trial], WITH_LINEAR, judging.squared_losses) == REPEAT_BUYING
    assert judging.earned([worse], WITH_TREES, judging.squared_losses) == REPEAT_BUYING


def test_what_chance_explains_is_not_plainly_worse():
    rng = np.random.default_rng(5)
    holder, noise = rng.gamma(1.0, 1.0, 2000), rng.normal(0.0, 1.0, 2000)
    noise = (noise - noise.mean()) / noise.std()  # one standard error of its mean is .022

    def challenger(excess):
        return holder + noise + excess

    assert not judging.plainly_worse([(challenger(0.03), holder)])
    assert judging.plainly_worse([(challenger(0.04), holder)])
    assert not judging.plainly_worse([(holder, challenger(0.04))])
    # Windows of the same customers overlap: seeing one of them three times makes nothing plainer.
    assert not judging.plainly_worse([(challenger(0.03), holder)] * 3)
    assert not judging.plainly_worse([(holder, holder)])


def test_a_window_in_which_nobody_spent_tells_nothing_of_spend():
    nothing, told = np.zeros(50), {RUNGS[0]: np.ones(50), RUNGS[1]: np.full(50, 9.0)}
    empty = Trial(0, nothing > 0, nothing, {}, told)

    assert judging.spend_losses(empty, RUNGS[1]).tolist() == nothing.tolist()
    assert not judging.total_holds([empty], RUNGS[1])


def test_a_rung_that_misses_the_total_by_far_is_not_climbed():
    spent = np.random.default_rng(4).gamma(1.0, 50.0, 1000)
    near, off = np.full(1000, 20.0), spent * 0.6

    def earned(said):
        trial = Trial(0, spent > 50, spent, {}, {RUNGS[0]: near, RUNGS[1]: said})
        return judging.earned([trial], WITH_LINEAR, judging.spend_losses, judging.total_holds)

    assert earned(spent * 0.8) == WITH_LINEAR
    assert earned(off) == REPEAT_BUYING


def test_calibration_is_learned_on_a_window_that_was_over_and_kept_only_where_it_helps():
    rng = np.random.default_rng(8)
    chance = rng.uniform(0.05, 0.95, 4000)
    happens = rng.random(4000) < chance
    shy = 0.5 + 0.3 * (chance - 0.5)

    def trials(said, gap):
        return [
            Trial(100 + gap, happens, chance, {RUNGS[0]: said}, {}),
            Trial(100, happens, chance, {RUNGS[0]: said}, {}),
        ]

    assert judging.calibrate(trials(shy, 30), RUNGS[0], 30) is not None
    assert judging.calibrate(trials(shy, 20), RUNGS[0], 30) is None  # the windows overlap
    worse = trials(chance, 30)
    worse[1] = Trial(100, ~happens, chance, {RUNGS[0]: chance}, {})
    assert judging.calibrate(worse, RUNGS[0], 30) is None


def test_known_windows_of_cdnow_are_reached():
    """All 23,570 CDNOW customers, 90 days, three windows: a blend's mean AUC of .806 is known."""
    shop = cdnow_master().occasions()
    start = int(np.datetime64("1997-01-01", "D").astype(int))
    days = [start + 273, start + 365, start + 456]
    past = Past(PurchaseLedger(shop), first_day=start, horizon_days=90)
    past.prepare([*days, *(one for day in days for one in past.training_days(day))])

    trials = [blends.try_rungs(past, day, as_of_day=start + 546, rung=WITH_TREES) for day in days]
    rows = [churn_metrics(one.lapsed, one.lapse[WITH_TREES]) for one in trials if one]

    assert len(rows) == 3
    assert average(rows)["auc"] == pytest.approx(0.806, abs=0.003)
    assert average(rows)["brier"] < 0.105
    assert average(rows)["ece"] < 0.033
