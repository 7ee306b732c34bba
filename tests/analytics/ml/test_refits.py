"""How far churn moves when it is learned anew from resampled customers."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.ml import blend as blends
from analytics.ml import refits
from analytics.ml.backtest import run_backtest, running
from analytics.ml.blend import learn
from analytics.ml.churn import ChurnCalibration
from analytics.ml.clv import BG_NBD, MBG_NBD, RepeatBuyingModel
from analytics.ml.learners import LinearChance
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.past import Past
from analytics.ml.refits import Known, Resample, refit_blend, refit_repeat_buying
from analytics.ml.spread import Spread
from analytics.ml.summary import PurchaseDays, Summary, compress, summarise
from analytics.ml.trials import WITH_LINEAR, WITH_TREES, Trial
from tests.analytics.ml.shops import clockwork, simulate_bg_nbd, usual_shop

AS_OF = 15_500


def summary_of(shop: PurchaseDays, day: int = AS_OF) -> Summary:
    return summarise(PurchaseLedger(shop).occasions(known_before=day), as_of_day=day)


def fitted(summary: Summary, model: str = BG_NBD) -> RepeatBuyingModel:
    history = compress(summary.frequency, summary.recency, summary.T)
    return RepeatBuyingModel(model).fit(history)


def spread_of(summary: Summary, calibration: ChurnCalibration | None = None) -> Spread:
    model = fitted(summary)
    lapsed = summary.days_since_last_order > 60
    found = refit_repeat_buying(
        model,
        summary,
        horizon_days=60,
        calibration=calibration,
        newest=Known(summary, lapsed, model),
    )
    assert found is not None
    return found


def width(spread: Spread) -> float:
    low, high = spread.predict(np.linspace(0.1, 0.9, 9))
    return float((high - low).mean())


def test_who_is_drawn_is_decided_by_the_id_alone():
    ids = np.arange(1, 20_001)
    mixed = np.random.default_rng(1).permutation(ids)
    draw = Resample(3, 1.0)

    counts = draw.counts(ids)

    np.testing.assert_array_equal(draw.counts(mixed), counts[mixed - 1])
    assert counts.mean() == pytest.approx(1.0, abs=0.03)
    assert counts.var() == pytest.approx(1.0, abs=0.05)
    assert Resample(3, 0.05).counts(ids).mean() == pytest.approx(0.05, abs=0.006)
    others = [Resample(number, 1.0).counts(ids) for number in (4, 5)]
    assert abs(np.corrcoef(counts, others)[np.triu_indices(3, 1)]).max() < 0.03


def test_ten_times_the_customers_make_a_third_of_the_width():
    shop = usual_shop(customers=800)
    ten = PurchaseDays(
        np.concatenate([shop.customer_id + 1000 * copy for copy in range(10)]),
        np.tile(shop.day, 10),
        np.tile(shop.net_spend, 10),
    )

    few, many = spread_of(summary_of(shop)), spread_of(summary_of(ten))

    assert width(few) / width(many) == pytest.approx(np.sqrt(10), rel=0.35)


def test_drawing_fewer_than_there_are_tells_the_same_width(monkeypatch):
    summary = summary_of(usual_shop(customers=3000))
    whole = spread_of(summary)
    monkeypatch.setattr(refits, "MOST_DRAWN", 600)

    assert width(spread_of(summary)) == pytest.approx(width(whole), rel=0.35)


def test_the_calibration_is_refitted_too():
    summary = summary_of(usual_shop(customers=500))
    curve = ChurnCalibration().fit(np.linspace(0.01, 0.99, 99), np.arange(99) % 2 == 0)
    curve.curve_.intercept_, curve.curve_.slope_ = 0.3, 0.9

    assert width(spread_of(summary, curve)) > 1.5 * width(spread_of(summary))


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_a_few_steps_reach_the_optimum_that_a_whole_fit_finds(model):
    summary = summary_of(usual_shop(customers=800))
    published = fitted(summary, model)
    drawn = refits._draw(summary, Resample(1, 1.0))
    rows = drawn.summary
    history = compress(rows.frequency, rows.recency, rows.T, drawn.weight)

    quick = refits._step_to(published, history)

    assert quick is not None
    whole = RepeatBuyingModel(model).fit(history)
    for name in ("r_", "alpha_", "a_", "b_"):
        assert getattr(quick, name) == pytest.approx(getattr(whole, name), rel=2e-3)
        assert getattr(quick, name) != pytest.approx(getattr(published, name), rel=2e-3)


def test_a_linear_learner_is_refitted_as_if_rows_were_repeated():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(1500, 31))
    bought = rng.random(1500) < 1 / (1 + np.exp(-features[:, 0]))
    counts = rng.poisson(1.0, 1500)
    published = LinearChance().fit(features, bought)

    refit = refits._refit_linear(published, features, bought, counts.astype(float))

    rows = np.repeat(np.arange(1500), counts)
    whole = LinearChance().fit(features[rows], bought[rows])
    off = refit.log_odds(features) - whole.log_odds(features)
    moved = whole.log_odds(features) - published.log_odds(features)
    assert np.abs(off).mean() < 0.05 * np.abs(moved).mean()


def blended(shop: PurchaseDays) -> Spread:
    """Return the spread of the blend that a shop has earned."""
    found = learn(PurchaseLedger(shop), as_of_day=AS_OF, horizon_days=30, origin_days=[AS_OF - 30])
    assert found is not None
    assert found.churn_rung == WITH_LINEAR
    assert found.churn_spread is not None
    return found.churn_spread


def test_neither_the_order_of_the_rows_nor_what_comes_later_changes_the_spread_of_a_blend():
    shop = clockwork(600, days=560)
    mixed = np.random.default_rng(1).permutation(shop.day.size)

    whole = blended(shop)
    turned = blended(PurchaseDays(*(column[mixed] for column in vars(shop).values())))

    assert turned.to_dict() == whole.to_dict()
    assert blended(shop.before(AS_OF)).to_dict() == whole.to_dict()


def test_learners_and_trees_that_speak_are_refitted():
    past = Past(PurchaseLedger(clockwork(600)), first_day=15_000, horizon_days=30)
    past.prepare([AS_OF, *past.training_days(AS_OF)])
    blend = blends._fit(past, AS_OF, WITH_TREES)
    assert blend is not None
    nothing = np.empty(0)
    newest = Trial(AS_OF - 30, nothing > 0, nothing, {}, {})

    def found(of: blends.Blend, rung: str) -> Spread | None:
        return refit_blend(past, of, rung, as_of_day=AS_OF, calibration=None, newest=newest)

    trees = found(blend, WITH_TREES)
    linear = found(replace(blend, boosted_chance=None), WITH_LINEAR)

    assert trees is not None
    assert linear is not None
    assert trees.to_dict() != linear.to_dict()
    assert min(width(trees), width(linear)) > 0.02


def test_a_shop_that_no_resample_describes_has_no_spread(monkeypatch):
    summary = summary_of(usual_shop(customers=300))
    monkeypatch.setattr(refits, "_refit_buying", lambda model, drawn: None)
    model = fitted(summary)
    newest = Known(summary, summary.frequency > 0, model)

    assert (
        refit_repeat_buying(model, summary, horizon_days=60, calibration=None, newest=newest)
        is None
    )


def test_true_chances_lie_inside_the_band(monkeypatch):
    """Drawn by BG/NBD, each customer's true chance is known: that of the true parameters."""
    monkeypatch.setattr(running, "learn", lambda *_, **__: None)
    truth = RepeatBuyingModel(BG_NBD)
    truth.r_, truth.alpha_, truth.a_, truth.b_ = 0.8, 5.0, 0.8, 2.5
    inside, observed = [], []
    for seed in range(4):
        shop = simulate_bg_nbd(customers=700, r=0.8, alpha=5.0, a=0.8, b=2.5, days=500, seed=seed)
        found = run_backtest(PurchaseLedger(shop), as_of_day=AS_OF, horizon_days=60)
        assert found is not None
        rows = summary_of(shop)
        history = (rows.frequency, rows.recency, rows.T)
        said = 1.0 - found.buying.p_buy(*history, horizon_days=60)
        said = said if found.calibration is None else found.calibration.predict(said)
        true = 1.0 - truth.p_buy(*history, horizon_days=60)
        low, high = found.churn_band.predict(said, rows.order_count)
        inside.append(float(((low <= true) & (true <= high)).mean()))
        found.churn_band.spread = None
        low, high = found.churn_band.predict(said)
        observed.append(float(((low <= true) & (true <= high)).mean()))

    assert np.mean(inside) > 0.8
    assert np.mean(inside) > np.mean(observed) + 0.05
