import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.ml.blend import Learned, learn, try_rungs
from analytics.ml.features import FEATURES, OF_LAST_YEAR
from analytics.ml.ledger import PurchaseLedger, Refunds
from analytics.ml.levels import BELIEF, BOUNDS, YEAR_DAYS, LastYear, shrunk_ratio
from analytics.ml.metrics import spend_metrics
from analytics.ml.past import Past
from analytics.ml.run import score_customers
from analytics.ml.summary import PurchaseDays, window_outcome
from analytics.ml.trials import LEVELLED, SEASONAL, WITH_LINEAR
from tests.analytics.ml.shops import seasonal_shop, to_score, usual_shop

START = 15_000
HORIZON = 30
BUSY = START + 2 * YEAR_DAYS + 275
"""The busy weeks of the third year begin here."""


@pytest.fixture(scope="module")
def shop() -> PurchaseDays:
    return seasonal_shop().occasions()


def last_year(shop: PurchaseDays, refunds: Refunds | None = None) -> LastYear:
    ledger = PurchaseLedger(shop, refunds)
    return LastYear(ledger, first_day=START, horizon_days=HORIZON, most=60_000)


def learned(shop: PurchaseDays, as_of_day: int) -> Learned:
    origins = [as_of_day - HORIZON - 30 * step for step in range(3)]
    found = learn(
        PurchaseLedger(shop), as_of_day=as_of_day, horizon_days=HORIZON, origin_days=origins
    )
    assert found is not None
    return found


def test_a_ratio_is_drawn_towards_one_by_what_chance_could_have_made_of_it():
    said = np.full(400, 10.0)
    sure = np.full(400, 13.0)
    lumpy = np.where(np.arange(400) < 4, 1300.0, 0.0)

    assert shrunk_ratio([(said, said)]) == 1.0
    chance = 400 * 3.0**2 / 5200.0**2
    assert shrunk_ratio([(sure, said)]) == pytest.approx(1.3 ** (BELIEF**2 / (BELIEF**2 + chance)))
    assert 1.0 < shrunk_ratio([(lumpy, said)]) < 1.1
    assert 1.0 < shrunk_ratio([(sure, said)], noise=0.3) < shrunk_ratio([(sure, said)])


def test_a_ratio_is_bounded_and_one_where_nothing_came():
    said = np.full(400, 10.0)

    assert shrunk_ratio([(100.0 * said, said)]) == BOUNDS[1]
    assert shrunk_ratio([(0.01 * said, said)]) >= BOUNDS[0]
    assert shrunk_ratio([(0.0 * said, said)]) == 1.0
    assert shrunk_ratio([]) == 1.0


def test_windows_that_overlap_do_not_add_up_to_certainty():
    rng = np.random.default_rng(2)
    window = (rng.gamma(0.1, 130.0, 400), np.full(400, 10.0))

    assert shrunk_ratio([window] * 3) == pytest.approx(shrunk_ratio([window]))


def test_the_busy_weeks_of_last_year_are_seen_coming(shop):
    year = last_year(shop)

    assert year.factor(BUSY) > 1.6
    assert 0.8 < year.factor(BUSY - 60) < 1.25
    assert year.helped(BUSY)


def test_a_shop_without_a_season_gets_none():
    shop = usual_shop(customers=3000, days=1100).occasions()
    factors = [last_year(shop).factor(START + day) for day in (850, 910, 970)]

    assert factors == pytest.approx([1.0, 1.0, 1.0], abs=0.15)


def test_the_youth_of_a_shop_is_no_season():
    """A model fitted a year before would have seen three months, and been off by a sixth."""
    shop = usual_shop(customers=6000, days=800, seed=9).occasions()
    factors = [last_year(shop).factor(START + day) for day in (460, 500)]

    assert factors == pytest.approx([1.0, 1.0], abs=0.05)


def test_what_the_landmarks_held_of_the_season_is_not_counted_twice(shop):
    """Two of three landmarks saw days three times as busy as others, and such days are to come."""
    year = last_year(shop)

    assert year.factor(BUSY + 60, levelled=False) > 1.9
    assert year.factor(BUSY + 60) == pytest.approx(3.0 / (7.0 / 3.0), abs=0.1)


def test_a_year_and_sixty_days_are_needed(shop):
    first = START + YEAR_DAYS + 60

    assert last_year(shop).factor(first - 1) is None
    assert last_year(shop).factor(first) is not None
    few = shop.where(shop.customer_id <= 90)
    assert last_year(few).factor(first) is None


def test_neither_level_nor_season_sees_what_comes_on_or_after_the_day(shop):
    """With every purchase gone, and every refund not told yet, a trial says the same bytes."""
    back = np.flatnonzero((shop.day > BUSY - 90) & (shop.day < BUSY))[::9]
    late = Refunds(
        shop.customer_id[back],
        shop.day[back],
        np.full(back.size, BUSY + 3),
        shop.net_spend[back],
    )

    def said(given: PurchaseDays, refunds: Refunds | None) -> dict[str, bytes]:
        past = Past(PurchaseLedger(given, refunds), first_day=START, horizon_days=HORIZON)
        past.prepare([BUSY, *past.training_days(BUSY)])
        trial = try_rungs(past, BUSY, as_of_day=BUSY + HORIZON, rung=WITH_LINEAR)
        assert trial is not None
        return {name: said[WITH_LINEAR].tobytes() for name, said in trial.blended.items()}

    whole, cut = said(shop, late), said(shop.before(BUSY), None)

    assert set(whole) == {"plain", LEVELLED, SEASONAL}
    assert len(set(whole.values())) == 3
    assert whole == cut
    assert last_year(shop, late).helped(BUSY) == last_year(shop.before(BUSY)).helped(BUSY)


def test_a_season_that_was_learned_brings_the_total_nearer(shop):
    found = learned(shop.before(BUSY), BUSY)
    blend = found.blend
    past = Past(PurchaseLedger(shop), first_day=START, horizon_days=HORIZON)
    past.prepare([BUSY])
    here = past.landmark(BUSY)
    assert here is not None
    came, _ = window_outcome(shop, here.summary.customer_id, start_day=BUSY, end_day=BUSY + HORIZON)

    def bias(adjustment: str) -> float:
        spend = blend.adjusted(adjustment).spend(WITH_LINEAR, here.features, here.worth)
        return abs(spend_metrics(came, spend)["bias_percent"])

    assert blend.season is not None
    assert bias(SEASONAL) < 0.6 * bias(LEVELLED)
    assert json.loads(json.dumps(found.to_dict()))["season"] == blend.season


def test_a_year_before_is_no_feature_below_25_months(shop):
    young, old = START + 759, START + 760

    for day, sees in ((young, False), (old, True)):
        scaler = learned(shop.before(day), day).blend.linear_spend.scaler_
        assert (scaler.scale_[OF_LAST_YEAR] > 0).tolist() == [sees, sees]
        assert FEATURES[OF_LAST_YEAR] == ("log_orders_a_year_ago", "log_spend_a_year_ago")


def test_repeat_buying_alone_knows_the_season_too(shop):
    """Of 300 buyers no blend is tried; the same days a year ago speak all the same."""
    small = shop.where(shop.customer_id <= 300)
    given = replace(to_score(small.before(BUSY), BUSY), horizon_days=HORIZON)
    result = score_customers(given)
    came, _ = window_outcome(small, result.customer_id, start_day=BUSY, end_day=BUSY + HORIZON)
    season = result.parameters["clv"]["season"]

    seen, unseen = result.predicted_clv, result.predicted_clv / season
    assert result.parameters["clv"]["blend"] is None
    assert season > 1.5
    assert abs(spend_metrics(came, seen)["bias_percent"]) < 25.0
    assert abs(spend_metrics(came, unseen)["bias_percent"]) > 40.0
    assert (result.clv_low <= seen).all()
    assert (seen <= result.clv_high).all()
    assert {note.code for note in result.notes} >= {"season_of_last_year"}
