import numpy as np
import pytest

from analytics.ml import reasons
from analytics.ml.blend import Learned, learn
from analytics.ml.explain import Usual, Yardsticks
from analytics.ml.explain_blend import BlendedScores
from analytics.ml.features import describe, forecasts, log_odds, recent_activity
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.reasons import REASON_CODES
from analytics.ml.summary import occasion_gaps, summarise
from tests.analytics.ml.shops import clockwork

AS_OF = 15_500


@pytest.fixture(scope="module")
def explained() -> tuple[Learned, BlendedScores]:
    occasions = clockwork().occasions()
    learned = learn(
        PurchaseLedger(occasions), as_of_day=AS_OF, horizon_days=30, origin_days=[AS_OF - 30]
    )
    assert learned is not None
    summary = summarise(occasions, as_of_day=AS_OF)
    usual = Yardsticks(summary, Usual.of(summary, occasion_gaps(occasions), None))
    return learned, BlendedScores(
        learned, summary, recent_activity(occasions, as_of_day=AS_OF, horizon_days=30), usual
    )


def test_removing_the_named_trait_moves_the_score_the_way_that_is_told(explained):
    """The strongest reason of everybody: take it away, score again, and look where it goes."""
    learned, scores = explained
    blend = learned.blend
    told = {
        REASON_CODES[code]: np.flatnonzero(scores.churn_reasons.code[:, 0] == code)
        for code in np.unique(scores.churn_reasons.code[:, 0])
        if code >= 0
    }
    assert len(told) >= 2
    checked = 0
    for code, _value, _typical, summary, recent in scores._without():
        rows = told.get(code, np.empty(0, np.int64))
        features = describe(summary, recent, blend.base)
        buy, _orders, _worth = forecasts(summary, blend.base)
        without = blend.lapse(learned.churn_rung, features, buy)[rows]
        moved = np.sign(log_odds(scores.lapse[rows]) - log_odds(without))
        np.testing.assert_array_equal(moved, scores.churn_reasons.direction[rows, 0])
        checked += rows.size
    assert checked == scores.lapse.size


def test_silence_beyond_the_own_pace_raises_the_risk(explained):
    _, scores = explained
    code = REASON_CODES.index(reasons.DAYS_SINCE_LAST_ORDER)
    first = scores.churn_reasons
    is_silent = first.value[:, 0] > 3 * first.typical[:, 0]
    rows = np.flatnonzero((first.code[:, 0] == code) & is_silent)

    assert rows.size > 50
    assert (first.direction[rows, 0] == 1).all()
    assert scores.lapse[rows].mean() > scores.lapse.mean()


def test_a_dear_order_raises_the_value(explained):
    _, scores = explained
    found = scores.value_reasons
    code = REASON_CODES.index(reasons.AVERAGE_ORDER_VALUE)
    named = (found.code == code) & (found.value > 1.2 * found.typical)

    assert named.sum() > 100
    assert (found.direction[named] == 1).mean() > 0.95


def test_everybody_gets_three_different_reasons(explained):
    _, scores = explained

    for found in (scores.churn_reasons, scores.value_reasons):
        codes = np.sort(found.code, axis=1)
        assert ((codes[:, 1:] != codes[:, :-1]) | (codes[:, 1:] < 0)).all()
        assert (found.code[:, 0] >= 0).all()
